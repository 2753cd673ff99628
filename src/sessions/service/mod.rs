//! Opening, refreshing and ending sessions.

mod ending;
mod refresh;

use chrono::TimeDelta;
use sqlx::PgConnection;

pub(super) use ending::end_all;
pub use ending::end_every;
pub(super) use ending::end_one;
pub(super) use ending::sign_out;
pub(super) use ending::sign_out_by_token;
pub(super) use refresh::refresh;

use super::acting::lock;
use super::model::CurrentSession;
use super::model::HeldSession;
use super::model::NewSession;
use super::model::OpenError;
use super::model::OpenedSession;
use super::refresh_token::RefreshToken;
use super::store;
use super::store::Live;
use super::store::NewRow;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// Opens a session in the transaction that completes a flow.
///
/// # Errors
/// The account is not active any more, or its password has changed since the flow began.
pub async fn open(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    new: &NewSession<'_>,
    caller: &Caller,
) -> Result<OpenedSession, OpenError> {
    let now = app.clock.now();
    let account_status = account.status_at(now);
    if !account_status.admits_sign_in() || account.password_version() != new.password_version {
        return Err(OpenError::Outdated);
    }
    ending::make_room(conn, app, account, caller).await?;
    let id: SessionId = crypto::new_id(now);
    let token = RefreshToken::first(id);
    let expires_at = now + lifetime(app.config.client.absolute_lifetime)?;
    let idle_expires_at = expires_at.min(now + lifetime(app.config.client.idle_lifetime)?);
    store::insert(
        conn,
        &NewRow {
            id,
            account: account.id(),
            client_id: new.client_id,
            label: new.label,
            amr: new.amr,
            secret_hash: &token.secret_hash(),
            now,
            idle_expires_at,
            expires_at,
            ip: caller.ip,
            user_agent: &caller.user_agent,
        },
    )
    .await?;
    // A passkey alone says nothing of the password that a message has set.
    if account.password().reset_carrier.is_some() && new.amr.iter().any(|method| method == "pwd") {
        // No factor at the carrier answers, so it was something else.
        accounts::forget_reset_carrier(conn, account).await?;
    }
    let event = Event::new(EventKind::SignedIn, caller).account(account.id()).session(id).client(new.client_id);
    audit::record(conn, &app.clock, event.detail(serde_json::json!({ "amr": new.amr }))).await?;
    let facts = store::account_facts(conn, (account.id(), now)).await?.ok_or(OpenError::Outdated)?;
    Ok(OpenedSession {
        id,
        account: account.id(),
        client_id: new.client_id.to_owned(),
        auth_time: now,
        amr: new.amr.to_vec(),
        roles: facts.roles,
        refresh_token: token.reveal(&app.config.master_keys),
        idle_expires_at,
        expires_at,
        recovery_codes_left: facts.recovery_codes_left,
        account_status,
        closes_at: facts.closes_at,
    })
}

/// A page of the caller's sessions.
pub(super) async fn list(
    app: &App,
    session: &CurrentSession,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<HeldSession>, Internal> {
    store::list(&app.db, session.account, app.clock.now(), before, limit).await
}

/// Names one of the caller's sessions.
pub(super) async fn rename(
    app: &App,
    session: &CurrentSession,
    named: SessionId,
    label: &str,
) -> Result<Option<HeldSession>, StepError> {
    let mut tx = app.begin().await?;
    let account = lock(&mut tx, app, session).await?;
    let renamed = store::rename(&mut *tx, account.id(), named, label, app.clock.now()).await?;
    app.commit(tx).await?;
    Ok(renamed)
}

/// How the session of an access token stands now, and its account; `None` when there is none.
pub(super) async fn standing(app: &App, account: AccountId, session: SessionId) -> Result<Option<Live>, Internal> {
    store::standing(&app.db, account, session, app.clock.now()).await
}

fn lifetime(duration: std::time::Duration) -> Result<TimeDelta, Internal> {
    TimeDelta::from_std(duration).map_err(Internal::bug)
}
