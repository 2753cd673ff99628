//! Adding, proving, choosing and removing, each in one transaction.

mod adding;
mod recovered;
mod removal;

pub use adding::decide;
pub(super) use adding::*;
pub use recovered::adopt;
pub use recovered::lose;
pub use removal::apply_due;
pub use removal::detach;
pub(super) use removal::*;

use sqlx::PgConnection;

use super::model::IdentifierChangeError;
use super::store;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::accounts::OwnIdentifier;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::changes::PendingChange;
use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;

/// What an account signs in with, the primary one first.
pub(super) async fn list(app: &App, session: &CurrentSession) -> Result<Vec<OwnIdentifier>, Internal> {
    Ok(accounts::profile(&mut *app.db.acquire().await?, session.account).await?.identifiers)
}

/// Makes an identifier the primary one, and tells the owner when it was not.
pub(super) async fn make_primary(
    app: &App,
    session: &CurrentSession,
    id: IdentifierId,
    caller: &Caller,
) -> Result<OwnIdentifier, IdentifierChangeError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let chosen = own(&mut tx, &account, id).await?.ok_or(IdentifierChangeError::Unknown)?;
    if chosen.primary {
        return Ok(chosen);
    }
    if is_leaving(&mut tx, &account, id).await? {
        return Err(IdentifierChangeError::Leaving);
    }
    store::make_primary(&mut tx, &account, id).await?;
    accounts::void_resets(&mut tx, app, &account).await?;
    record(&mut tx, app, session, (EventKind::PrimaryIdentifierChanged, id), caller).await?;
    tell(&mut tx, app, MessageKind::PrimaryIdentifierNotice, (account.id(), &chosen)).await?;
    app.commit(tx).await?;
    Ok(OwnIdentifier { primary: true, ..chosen })
}

/// Whether an identifier is about to leave.
async fn is_leaving(conn: &mut PgConnection, account: &LockedAccount, id: IdentifierId) -> Result<bool, Internal> {
    Ok(removals(conn, account).await?.iter().any(|change| change.subject == id.uuid()))
}

/// An identifier of the account.
async fn own(
    conn: &mut PgConnection,
    account: &LockedAccount,
    id: IdentifierId,
) -> Result<Option<OwnIdentifier>, Internal> {
    Ok(accounts::profile(conn, account.id()).await?.identifiers.into_iter().find(|own| own.id == id))
}

/// The removals that wait. What else waits takes no identifier away yet: the claim of a number is a stranger's, who would
/// otherwise decide what its owner can do with the others.
async fn removals(conn: &mut PgConnection, account: &LockedAccount) -> Result<Vec<PendingChange>, Internal> {
    let mut waiting = changes::waiting(conn, account.id()).await?;
    waiting.retain(|change| change.kind == ChangeKind::IdentifierRemoval);
    Ok(waiting)
}

/// Whether another identifier than this one stays.
fn another_stays(identifiers: &[OwnIdentifier], removals: &[PendingChange], id: IdentifierId) -> bool {
    let leaves = |own: &OwnIdentifier| removals.iter().any(|change| change.subject == own.id.uuid());
    identifiers.iter().any(|own| own.id != id && !leaves(own))
}

async fn record(
    conn: &mut PgConnection,
    app: &App,
    session: &CurrentSession,
    (kind, id): (EventKind, IdentifierId),
    caller: &Caller,
) -> Result<(), Internal> {
    let event = Event::new(kind, caller).account(session.account).session(session.id);
    audit::record(conn, &app.clock, event.detail(serde_json::json!({ "identifier_id": id }))).await
}

/// Tells the owner at every identifier what happened to this one.
async fn tell(
    conn: &mut PgConnection,
    app: &App,
    kind: MessageKind,
    (account, about): (AccountId, &OwnIdentifier),
) -> Result<(), Internal> {
    let hint = accounts::identifier_hint(&about.value);
    accounts::notify(conn, app, account, kind, &[("identifier", hint)]).await
}
