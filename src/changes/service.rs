//! Beginning, carrying out and cancelling.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::CancelError;
use super::model::CancelToken;
use super::model::ChangeKind;
use super::model::PendingChange;
use super::store;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::ids::AccountId;
use crate::ids::ChangeId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::messages::NewContent;
use crate::messages::NewMessage;
use crate::sessions;
use crate::sessions::EndReason;

/// Changes that are carried out in one go; the rest waits for the next.
const AT_ONCE: i64 = 100;
/// How long a change that has ended is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// Begins a change in the transaction that tells of it; `None` when one of this kind and subject waits already.
///
/// # Errors
/// The database did not take the row.
pub async fn begin(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (kind, subject): (ChangeKind, Uuid),
    effective_at: DateTime<Utc>,
) -> Result<Option<PendingChange>, Internal> {
    let created_at = app.clock.now();
    let id: ChangeId = crypto::new_id(created_at);
    let new = PendingChange { id, account: account.id(), kind, subject, created_at, effective_at };
    Ok(store::insert(conn, &new).await?.then_some(new))
}

/// Writes a message with a token that cancels the change, to the owner of `account`; its kind has the value `token` beside
/// `values`. Once the change has ended it does not leave any more.
///
/// # Errors
/// The database did not take the rows.
pub async fn send_token(
    conn: &mut PgConnection,
    app: &App,
    (change, account): (&PendingChange, AccountId),
    content: NewContent,
    values: &[(&str, &str)],
) -> Result<(), Internal> {
    let token = OpaqueToken::<CancelToken>::generate();
    store::insert_token(conn, &token.digest(), change.id, account).await?;
    let token = token.reveal();
    let page = app.config.pages.cancel_change.as_ref().filter(|_| content.channel == Channel::Email);
    let link = page.map(|page| page.link(&token));
    let notice = NewMessage::notice(content, app.clock.now()).of_flow(change.id.uuid().into(), change.effective_at);
    let notice = values.iter().fold(notice, |notice, (name, value)| notice.value(name, *value));
    let notice = notice.value("token", token).link(link);
    messages::enqueue(conn, &app.config.master_keys, &app.clock, &notice).await.map(drop)
}

/// The changes of an account that wait, oldest first; also the merge by which it is taken in.
///
/// # Errors
/// The database did not answer.
pub async fn waiting(conn: &mut PgConnection, account: AccountId) -> Result<Vec<PendingChange>, Internal> {
    store::waiting(conn, account).await
}

/// Changes of a kind whose time has come.
///
/// # Errors
/// The database did not answer.
pub async fn due(app: &App, kind: ChangeKind) -> Result<Vec<PendingChange>, Internal> {
    store::due(&app.background_db, kind, app.clock.now(), AT_ONCE).await
}

/// Ends a change whose time has come, in the transaction that carries it out; false when it has ended before.
///
/// # Errors
/// The database did not take it.
pub async fn apply(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    change: ChangeId,
) -> Result<bool, Internal> {
    let now = app.clock.now();
    messages::drop_for_flow(conn, change.uuid().into(), now).await?;
    store::apply(conn, account, change, now).await
}

/// Ends a change that shall not be carried out; false when it has ended before.
///
/// # Errors
/// The database did not take it.
pub async fn withdraw(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    change: ChangeId,
) -> Result<bool, Internal> {
    let now = app.clock.now();
    messages::drop_for_flow(conn, change.uuid().into(), now).await?;
    store::withdraw(conn, account, change, now).await
}

/// Whether a change of this kind and subject was cancelled after `since`; remembered for ninety days.
///
/// # Errors
/// The database did not answer.
pub async fn cancelled_since(
    conn: &mut PgConnection,
    (kind, subject): (ChangeKind, Uuid),
    since: DateTime<Utc>,
) -> Result<bool, Internal> {
    store::cancelled_since(conn, kind, subject, since).await
}

/// Forgets up to `limit` changes that ended long ago.
///
/// # Errors
/// The database did not answer.
pub async fn purge(app: &App, limit: i64) -> Result<u64, Internal> {
    store::purge(&app.background_db, app.clock.now() - REMEMBERED, limit).await
}

/// Cancels the change of a token.
pub(super) async fn cancel(app: &App, token: &str, caller: &Caller) -> Result<(), CancelError> {
    let digest = OpaqueToken::<CancelToken>::parse(token).ok_or(CancelError::TokenInvalid)?.digest();
    let mut tx = app.begin().await?;
    let holder = store::holder(&mut tx, &digest).await?.ok_or(CancelError::TokenInvalid)?;
    let account = accounts::lock(&mut tx, holder).await?.ok_or(CancelError::TokenInvalid)?;
    let now = app.clock.now();
    let change = store::cancel(&mut tx, &digest, now).await?.ok_or(CancelError::TokenInvalid)?;
    messages::drop_for_flow(&mut tx, change.id.uuid().into(), now).await?;
    let event = Event::new(EventKind::ChangeCancelled, caller).account(account.id());
    let detail = serde_json::json!({ "change_id": change.id, "kind": change.kind, "subject_id": change.subject });
    audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    let notice = if change.kind.comes_from_inside() {
        accounts::void_password(&mut tx, app, &account).await?;
        sessions::end_every(&mut tx, app, &account, (None, EndReason::EndedByOwner), caller).await?;
        MessageKind::ChangeCancelledNotice
    } else {
        MessageKind::ClaimStoppedNotice
    };
    accounts::notify(&mut tx, app, account.id(), notice, &[]).await?;
    if change.kind == ChangeKind::AccountMerge {
        let other = if change.account == holder { change.subject.into() } else { change.account };
        accounts::notify(&mut tx, app, other, MessageKind::MergeStoppedNotice, &[]).await?;
    }
    Ok(app.commit(tx).await?)
}
