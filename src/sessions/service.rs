//! Opening, refreshing and ending sessions.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;

use super::model::ActError;
use super::model::CurrentSession;
use super::model::EndReason;
use super::model::HeldSession;
use super::model::NewSession;
use super::model::OpenError;
use super::model::OpenedSession;
use super::model::OwnSession;
use super::model::RefreshError;
use super::model::Standing;
use super::refresh_token::RefreshToken;
use super::store;
use super::store::Live;
use super::store::NewRow;
use super::store::Presented;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::messages::MessageKind;

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
    })
}

/// Rotates a refresh token.
pub(super) async fn refresh(app: &App, text: &str, caller: &Caller) -> Result<OpenedSession, RefreshError> {
    let token = RefreshToken::parse(text, &app.config.master_keys).ok_or(RefreshError::Invalid)?;
    let secret_hash = token.secret_hash();
    let now = app.clock.now();
    let shown = Presented { session: token.session, generation: token.generation, secret_hash: &secret_hash, now };
    let idle_expires_at = now + lifetime(app.config.client.idle_lifetime)?;
    let mut tx = app.begin().await?;
    let Some(rotated) = store::rotate(&mut *tx, &shown, idle_expires_at).await? else {
        drop(tx);
        return Err(refuse(app, &shown, caller).await?);
    };
    if rotated.late {
        let event = Event::new(EventKind::RefreshRepeated, caller).account(rotated.account).session(token.session);
        audit::record(&mut tx, &app.clock, event).await?;
    }
    let facts = store::account_facts(&mut *tx, (rotated.account, now)).await?.ok_or(RefreshError::Revoked)?;
    match facts.status {
        AccountStatus::Active => app.commit(tx).await?,
        // The rotation is undone: the same token goes on if the account is kept or reinstated.
        AccountStatus::Closing | AccountStatus::Closed => return Err(RefreshError::AccountClosed),
        AccountStatus::Suspended => return Err(RefreshError::Revoked),
    }
    let next = token.generation + 1;
    Ok(OpenedSession {
        id: token.session,
        account: rotated.account,
        client_id: rotated.client_id,
        auth_time: rotated.auth_time,
        amr: rotated.amr,
        roles: facts.roles,
        refresh_token: token.of_generation(next).reveal(&app.config.master_keys),
        idle_expires_at: rotated.idle_expires_at,
        expires_at: rotated.expires_at,
        recovery_codes_left: facts.recovery_codes_left,
        account_status: facts.status,
    })
}

/// Says why a rotation found no row, and ends the session when the token was an old one.
async fn refuse(app: &App, shown: &Presented<'_>, caller: &Caller) -> Result<RefreshError, Internal> {
    let Some((account, standing)) = store::find_by_secret(&app.db, shown).await? else {
        return Ok(RefreshError::Invalid);
    };
    match standing {
        Standing::Revoked => Ok(RefreshError::Revoked),
        Standing::Expired(expiry) => Ok(RefreshError::Expired(expiry)),
        Standing::Alive => {
            end_reused(app, account, shown, caller).await?;
            Ok(RefreshError::Reused)
        }
    }
}

async fn end_reused(app: &App, account: AccountId, shown: &Presented<'_>, caller: &Caller) -> Result<(), Internal> {
    let mut tx = app.begin().await?;
    if store::end_reused(&mut tx, shown).await? {
        let event = Event::new(EventKind::RefreshTokenReused, caller).account(account).session(shown.session);
        audit::record(&mut tx, &app.clock, event).await?;
        accounts::notify(&mut tx, app, account, MessageKind::RefreshReuseNotice, &[]).await?;
    }
    app.commit(tx).await
}

/// Ends the session of a refresh token; a dead one has nothing left to end.
pub(super) async fn sign_out_by_token(app: &App, text: &str, caller: &Caller) -> Result<(), Internal> {
    let Some(token) = RefreshToken::parse(text, &app.config.master_keys) else { return Ok(()) };
    let secret_hash = token.secret_hash();
    let shown = Presented {
        session: token.session,
        generation: token.generation,
        secret_hash: &secret_hash,
        now: app.clock.now(),
    };
    match store::find_by_secret(&app.db, &shown).await? {
        Some((account, Standing::Alive)) => {
            end(app, account, token.session, EndReason::SignedOut, caller).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// Ends the caller's own session.
pub(super) async fn sign_out(app: &App, session: &CurrentSession, caller: &Caller) -> Result<(), Internal> {
    end(app, session.account, session.id, EndReason::SignedOut, caller).await.map(drop)
}

/// Ends one session of the caller's account; false when there is none alive.
pub(super) async fn end_one(
    app: &App,
    session: &CurrentSession,
    ended: SessionId,
    caller: &Caller,
) -> Result<bool, Internal> {
    end(app, session.account, ended, EndReason::EndedByOwner, caller).await
}

async fn end(
    app: &App,
    account: AccountId,
    session: SessionId,
    reason: EndReason,
    caller: &Caller,
) -> Result<bool, Internal> {
    let mut tx = app.begin().await?;
    let ended = store::end(&mut tx, account, session, reason, app.clock.now()).await?;
    if ended {
        record_end(&mut tx, app, account, session, (reason, caller)).await?;
    }
    app.commit(tx).await?;
    Ok(ended)
}

/// Ends the caller's other sessions, or all of them.
pub(super) async fn end_all(
    app: &App,
    session: &CurrentSession,
    but_own: bool,
    caller: &Caller,
) -> Result<(), ActError> {
    let mut tx = app.begin().await?;
    let account = super::lock(&mut tx, app, session).await?;
    let kept = but_own.then_some(session.id);
    end_every(&mut tx, app, &account, (kept, EndReason::EndedByOwner), caller).await?;
    Ok(app.commit(tx).await?)
}

/// Ends every session of an account but the one to keep, in the transaction of what is the reason for it. The account's
/// lock keeps out a session that is being opened meanwhile.
///
/// # Errors
/// The database did not take it.
pub async fn end_every(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (kept, reason): (Option<SessionId>, EndReason),
    caller: &Caller,
) -> Result<(), Internal> {
    for ended in store::end_all(conn, account.id(), (kept, reason), app.clock.now()).await? {
        record_end(conn, app, account.id(), ended, (reason, caller)).await?;
    }
    Ok(())
}

/// All sessions that are held of an account, ended ones too, newest first.
///
/// # Errors
/// The database did not answer.
pub async fn held(conn: &mut PgConnection, account: AccountId) -> Result<Vec<HeldSession>, Internal> {
    store::held(conn, account).await
}

/// Whether somebody has signed in to an account, or gone on using a session of it, since then.
///
/// # Errors
/// The database did not answer.
pub async fn used_since(conn: &mut PgConnection, account: AccountId, since: DateTime<Utc>) -> Result<bool, Internal> {
    store::used_since(conn, account, since).await
}

async fn record_end(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    session: SessionId,
    (reason, caller): (EndReason, &Caller),
) -> Result<(), Internal> {
    let event = Event::new(EventKind::SessionEnded, caller).account(account).session(session);
    audit::record(conn, &app.clock, event.detail(serde_json::json!({ "reason": reason.name() }))).await
}

/// A page of the caller's sessions.
pub(super) async fn list(
    app: &App,
    session: &CurrentSession,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<OwnSession>, Internal> {
    store::list(&app.db, session.account, app.clock.now(), before, limit).await
}

/// Names one of the caller's sessions.
pub(super) async fn rename(
    app: &App,
    session: &CurrentSession,
    named: SessionId,
    label: &str,
) -> Result<Option<OwnSession>, Internal> {
    store::rename(&app.db, session.account, named, label, app.clock.now()).await
}

/// How the session of an access token stands now, and its account; `None` when there is none.
pub(super) async fn standing(app: &App, account: AccountId, session: SessionId) -> Result<Option<Live>, Internal> {
    store::standing(&app.db, account, session, app.clock.now()).await
}

fn lifetime(duration: std::time::Duration) -> Result<TimeDelta, Internal> {
    TimeDelta::from_std(duration).map_err(Internal::bug)
}
