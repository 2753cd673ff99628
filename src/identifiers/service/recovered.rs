//! What a recovery does to the identifiers of an account.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::super::model::MOST;
use super::super::model::PendingIdentifier;
use super::super::model::REMOVAL_HOURS;
use super::super::store;
use super::removal::tell_of_removal;
use super::tell;
use crate::accounts;
use crate::accounts::Identifier;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::crypto;
use crate::ids::IdentifierId;
use crate::internal::Internal;
use crate::messages::MessageKind;

/// Gives an identifier that was proved elsewhere to an account, as its primary one, unless the account has it already. False
/// when it does not get it: somebody else has proved it, or the account has as many as it may.
pub async fn adopt(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    identifier: &Identifier,
    caller: &Caller,
) -> Result<bool, Internal> {
    let now = app.clock.now();
    let proved = PendingIdentifier {
        id: crypto::new_id(now),
        kind: identifier.kind(),
        value: identifier.value().to_owned(),
        lookup_key: identifier.lookup_key().to_owned(),
    };
    let identifiers = accounts::profile(conn, account.id()).await?.identifiers;
    if identifiers.iter().any(|own| own.proved && own.lookup_key == proved.lookup_key) {
        return Ok(true);
    }
    let full = identifiers.iter().filter(|own| own.proved).count() >= MOST;
    accounts::displace_unproved(conn, &proved.lookup_key).await?;
    if full || !store::attach(conn, account, &proved, now).await? {
        return Ok(false);
    }
    store::make_primary(conn, account, proved.id).await?;
    record(conn, app, account, (EventKind::IdentifierAdded, proved.id), caller).await?;
    let Some(added) = super::own(conn, account, proved.id).await? else { return Ok(false) };
    tell(conn, app, MessageKind::IdentifierAddedNotice, (account.id(), &added)).await?;
    Ok(true)
}

/// Lets an identifier go that its owner has lost, after the usual wait; who receives its messages can stop it. False, and
/// nothing happens, when it is leaving already, or when no other would stay.
pub async fn lose(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    id: IdentifierId,
    caller: &Caller,
) -> Result<bool, Internal> {
    let identifiers = accounts::profile(conn, account.id()).await?.identifiers;
    let removals = super::removals(conn, account).await?;
    let Some(lost) = identifiers.iter().find(|own| own.id == id) else { return Ok(false) };
    if !super::another_stays(&identifiers, &removals, id) {
        return Ok(false);
    }
    let effective_at = app.clock.now() + TimeDelta::hours(REMOVAL_HOURS);
    let subject = (ChangeKind::IdentifierRemoval, id.uuid());
    let Some(change) = changes::begin(conn, app, account, subject, effective_at).await? else { return Ok(false) };
    record(conn, app, account, (EventKind::IdentifierRemovalBegun, id), caller).await?;
    tell_of_removal(conn, app, &change, lost).await?;
    Ok(true)
}

async fn record(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (kind, id): (EventKind, IdentifierId),
    caller: &Caller,
) -> Result<(), Internal> {
    let event = Event::new(kind, caller).account(account.id());
    audit::record(conn, &app.clock, event.detail(serde_json::json!({ "identifier_id": id }))).await
}
