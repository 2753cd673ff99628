//! Cancelling recoveries: by the token of a notice, by a full sign-in, by another one that completes, by newer ones.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::CancelToken;
use super::super::model::MOST;
use super::super::model::RecoveryError;
use super::super::store;
use super::super::store::Cancelled;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::MessageKind;

/// Ends every recovery of the account whose owner shows the token of a notice.
pub(crate) async fn cancel(app: &App, token: &str, caller: &Caller) -> Result<(), RecoveryError> {
    let void = RecoveryError::CancelTokenInvalid;
    let digest = OpaqueToken::<CancelToken>::parse(token).ok_or(void)?.digest();
    let now = app.clock.now();
    let mut tx = app.begin().await?;
    let owner = store::use_cancel_token(&mut tx, &digest, now).await?.ok_or(RecoveryError::CancelTokenInvalid)?;
    let account = accounts::lock(&mut tx, owner).await?.ok_or(RecoveryError::CancelTokenInvalid)?;
    // A token whose recoveries have ended is as void as a used one.
    if end(&mut tx, app, &account, (None, "notice"), caller).await? == 0 {
        return Err(RecoveryError::CancelTokenInvalid);
    }
    accounts::notify(&mut tx, app, owner, MessageKind::RecoveryCancelledNotice, &[]).await?;
    app.commit(tx).await?;
    Ok(())
}

/// A full sign-in with a factor that is older than a recovery ends it, in the transaction that opens the session: who can
/// still sign in has lost nothing.
pub async fn cancel_by_sign_in(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    factor_created_at: DateTime<Utc>,
    caller: &Caller,
) -> Result<(), Internal> {
    if end(conn, app, account, (Some(factor_created_at), "sign_in"), caller).await? > 0 {
        accounts::notify(conn, app, account.id(), MessageKind::RecoveryCancelledNotice, &[]).await?;
    }
    Ok(())
}

/// Cancels the recoveries of an account whose contact is proved, all or those that were begun after some time; answers how
/// many. As many statements whatever their number.
pub(super) async fn end(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (begun_after, by): (Option<DateTime<Utc>>, &str),
    caller: &Caller,
) -> Result<usize, Internal> {
    let cancelled = store::cancel(conn, (account.id(), begun_after), app.clock.now()).await?;
    write_down(conn, app, (&cancelled, by), caller).await?;
    Ok(cancelled.len())
}

/// Lets another recovery of the same identifier go when this one is one too many.
pub(super) async fn displace(
    conn: &mut PgConnection,
    app: &App,
    newest: FlowId,
    caller: &Caller,
) -> Result<(), Internal> {
    let displaced = store::displace(conn, newest, MOST, app.clock.now()).await?;
    write_down(conn, app, (displaced.as_slice(), "too_many"), caller).await
}

async fn write_down(
    conn: &mut PgConnection,
    app: &App,
    (cancelled, by): (&[Cancelled], &str),
    caller: &Caller,
) -> Result<(), Internal> {
    if cancelled.is_empty() {
        return Ok(());
    }
    let flows: Vec<_> = cancelled.iter().map(|one| one.id).collect();
    messages::drop_for_flows(conn, &flows, app.clock.now()).await?;
    let events = cancelled.iter().map(|one| {
        let detail = serde_json::json!({ "recovery_id": one.id, "by": by });
        Event::new(EventKind::RecoveryCancelled, caller).account(one.account).client(&one.client_id).detail(detail)
    });
    let events: Vec<_> = events.collect();
    audit::record_each(conn, &app.clock, &events).await
}
