//! Ending recoveries: by the token of a notice, by a full sign-in, by another one that completes.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::CancelToken;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::State;
use super::super::store;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::internal::Internal;
use crate::messages;
use crate::messages::MessageKind;

/// Ends every recovery of the account whose owner shows the token of a notice.
pub(in super::super) async fn cancel(app: &App, token: &str, caller: &Caller) -> Result<(), RecoveryError> {
    let void = RecoveryError::CancelTokenInvalid;
    let digest = OpaqueToken::<CancelToken>::parse(token).ok_or(void)?.digest();
    let now = app.clock.now();
    let mut tx = app.begin().await?;
    let owner = store::use_cancel_token(&mut tx, &digest, now).await?.ok_or(RecoveryError::CancelTokenInvalid)?;
    let account = accounts::lock(&mut tx, owner).await?.ok_or(RecoveryError::CancelTokenInvalid)?;
    let living = store::living(&mut tx, owner, now).await?;
    // A token whose recoveries have ended is as void as a used one.
    if end(&mut tx, app, &account, (living, "notice"), caller).await? == 0 {
        return Err(RecoveryError::CancelTokenInvalid);
    }
    accounts::notify(&mut tx, app, owner, MessageKind::RecoveryCancelledNotice, &[]).await?;
    app.commit(tx).await?;
    Ok(())
}

/// A full sign-in with a factor that is older than a recovery ends it, in the transaction that opens the session: who can
/// still sign in has lost nothing.
///
/// # Errors
/// The database did not take it.
pub async fn cancel_by_sign_in(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    factor_created_at: DateTime<Utc>,
    caller: &Caller,
) -> Result<(), Internal> {
    let living = store::living(conn, account.id(), app.clock.now()).await?;
    let younger: Vec<_> = living.into_iter().filter(|one| factor_created_at < one.created_at).collect();
    // Of one whose contact was never proved its owner has not heard.
    let known = younger.iter().any(|one| one.state != State::AwaitingContact);
    if end(conn, app, account, (younger, "sign_in"), caller).await? > 0 && known {
        accounts::notify(conn, app, account.id(), MessageKind::RecoveryCancelledNotice, &[]).await?;
    }
    Ok(())
}

/// Ends recoveries of an account; answers how many.
pub(super) async fn end(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (recoveries, by): (Vec<Recovery>, &str),
    caller: &Caller,
) -> Result<usize, Internal> {
    let now = app.clock.now();
    let mut ended = 0;
    for recovery in recoveries {
        let Some(next) = recovery.state.cancelled() else { continue };
        if !store::advance(conn, &recovery, next, now).await? {
            continue;
        }
        messages::drop_for_flow(conn, recovery.id, now).await?;
        let event = Event::new(EventKind::RecoveryCancelled, caller).account(account.id()).client(&recovery.client_id);
        audit::record(conn, &app.clock, event.detail(serde_json::json!({ "recovery_id": recovery.id, "by": by })))
            .await?;
        ended += 1;
    }
    Ok(ended)
}
