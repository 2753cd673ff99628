//! Cancelling recoveries: by the token of a notice, by a full sign-in, by another one that completes, by newer ones.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::CancelToken;
use super::super::model::MOST;
use super::super::model::RecoveryError;
use super::super::store;
use super::super::store::Cancelled;
use super::super::store::Which;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::factors;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::MessageKind;

/// Ends the recoveries that a notice told of, when the owner of the account shows its token.
pub(crate) async fn cancel(app: &App, token: &str, caller: &Caller) -> Result<(), RecoveryError> {
    let void = RecoveryError::CancelTokenInvalid;
    let digest = OpaqueToken::<CancelToken>::parse(token).ok_or(void)?.digest();
    let now = app.clock.now();
    let mut tx = app.begin().await?;
    let used = store::use_cancel_token(&mut tx, &digest, now).await?;
    let (owner, which) = used.ok_or(RecoveryError::CancelTokenInvalid)?;
    let account = accounts::lock(&mut tx, owner).await?.ok_or(RecoveryError::CancelTokenInvalid)?;
    // A token whose recoveries have ended is as void as a used one.
    if end(&mut tx, app, &account, (&which, "notice"), caller).await? == 0 {
        return Err(RecoveryError::CancelTokenInvalid);
    }
    factors::notify(&mut tx, app, owner, MessageKind::RecoveryCancelledNotice, &[]).await?;
    app.commit(tx).await?;
    Ok(())
}

/// A full sign-in with a factor that had settled when a recovery began ends it, in the transaction that opens the session: who
/// can still sign in has lost nothing. A newer one may be that of whoever locked the owner out.
pub async fn cancel_by_sign_in(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    factor_created_at: DateTime<Utc>,
    caller: &Caller,
) -> Result<(), Internal> {
    let settled_at = accounts::factor_settles_at(account.created_at(), factor_created_at);
    let which = Which { waiting_from: Some(settled_at), ..Which::default() };
    if end(conn, app, account, (&which, "sign_in"), caller).await? > 0 {
        factors::notify(conn, app, account.id(), MessageKind::RecoveryCancelledNotice, &[]).await?;
    }
    Ok(())
}

/// Cancels recoveries of an account whose contact is proved; answers how many. As many statements whatever their number.
pub(super) async fn end(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (which, by): (&Which, &str),
    caller: &Caller,
) -> Result<usize, Internal> {
    let cancelled = store::cancel(conn, (account.id(), which), app.clock.now()).await?;
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
