//! Removing an identifier: the wait, and its end.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::IdentifierChangeError;
use super::super::model::REMOVAL_HOURS;
use super::super::store;
use super::record;
use crate::accounts;
use crate::accounts::IdentifierKind;
use crate::accounts::LockedAccount;
use crate::accounts::OwnIdentifier;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::changes::Ended;
use crate::changes::PendingChange;
use crate::changes::Telling;
use crate::factors;
use crate::ids::IdentifierId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;

/// Lets an identifier go after the wait; one that was never proved, at once. Answers when.
pub(crate) async fn remove(
    app: &App,
    session: &CurrentSession,
    id: IdentifierId,
    caller: &Caller,
) -> Result<DateTime<Utc>, IdentifierChangeError> {
    let now = app.clock.now();
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    if store::delete_pending(&mut tx, &account, id, now).await? {
        messages::drop_for_flow(&mut tx, id.uuid().into(), now).await?;
        app.commit(tx).await?;
        return Ok(now);
    }
    let identifiers = accounts::profile(&mut tx, account.id()).await?.identifiers;
    let removals = super::removals(&mut tx, &account).await?;
    let own = identifiers.iter().find(|own| own.id == id).ok_or(IdentifierChangeError::Unknown)?;
    if let Some(change) = removals.iter().find(|change| change.subject == id.uuid()) {
        return Ok(change.effective_at);
    }
    if !super::another_stays(&identifiers, &removals, id) {
        return Err(IdentifierChangeError::Last);
    }
    let subject = (ChangeKind::IdentifierRemoval, id.uuid());
    let effective_at = now + TimeDelta::hours(REMOVAL_HOURS);
    let change = changes::begin(&mut tx, app, &account, subject, effective_at).await?;
    let change = change.ok_or_else(|| Internal::bug(format!("identifiers {id}: leaves twice")))?;
    record(&mut tx, app, session, (EventKind::IdentifierRemovalBegun, id), caller).await?;
    tell_of_removal(&mut tx, app, &change, own).await?;
    app.commit(tx).await?;
    Ok(effective_at)
}

/// The one that leaves gets what stops it, unless it is new; the others get to know.
pub(super) async fn tell_of_removal(
    conn: &mut PgConnection,
    app: &App,
    change: &PendingChange,
    leaves: &OwnIdentifier,
) -> Result<(), Internal> {
    let hint = ("identifier", accounts::identifier_hint(&leaves.value));
    let (kind, values) = (MessageKind::IdentifierRemovalNotice, [hint]);
    changes::tell(conn, app, (change, change.account), &values, |own, may_stop| {
        if own.id != leaves.id || !may_stop {
            return Telling { words: Some(kind), token: None };
        }
        let words = (own.kind == IdentifierKind::Phone).then_some(MessageKind::NumberLeavesNotice);
        Telling { words, token: Some(MessageKind::IdentifierLeavesNotice) }
    })
    .await?;
    factors::tell_phones(conn, app, change.account, (kind, &values)).await
}

/// Carries out the removals whose time has come; answers how many.
pub async fn apply_due(app: &App, caller: &Caller) -> Result<u64, Internal> {
    let mut done = 0;
    for change in changes::due(app, ChangeKind::IdentifierRemoval).await? {
        done += changes::carried_out(&change, apply(app, &change, caller).await);
    }
    Ok(done)
}

async fn apply(app: &App, change: &PendingChange, caller: &Caller) -> Result<bool, Internal> {
    let mut tx = app.background_db.begin().await?;
    let Some(account) = accounts::lock(&mut tx, change.account).await? else { return Ok(false) };
    if !changes::end(&mut tx, app, &account, (change.id, Ended::Applied)).await? {
        return Ok(false);
    }
    let id = change.subject.into();
    if let Some(gone) = super::own(&mut tx, &account, id).await? {
        // Before it goes, so that it is told there, too.
        let hint = ("identifier", accounts::identifier_hint(&gone.value));
        factors::notify(&mut tx, app, account.id(), MessageKind::IdentifierRemovedNotice, &[hint]).await?;
        detach(&mut tx, app, &account, id, caller).await?;
    }
    app.commit(tx).await?;
    Ok(true)
}

/// Takes an identifier from an account.
pub async fn detach(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    id: IdentifierId,
    caller: &Caller,
) -> Result<(), Internal> {
    store::detach(conn, account, id).await?;
    accounts::void_resets(conn, app, account).await?;
    let event = Event::new(EventKind::IdentifierRemoved, caller).account(account.id());
    audit::record(conn, &app.clock, event.detail(serde_json::json!({ "identifier_id": id }))).await
}
