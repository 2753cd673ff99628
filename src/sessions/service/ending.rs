//! Ending sessions: one, the others, all, and those that are too many.

use sqlx::PgConnection;

use super::super::acting::lock;
use super::super::model::CurrentSession;
use super::super::model::EndReason;
use super::super::model::MOST;
use super::super::model::Standing;
use super::super::refresh_token::RefreshToken;
use super::super::store;
use super::super::store::Presented;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// Ends the session of a refresh token; a dead one has nothing left to end.
pub(crate) async fn sign_out_by_token(app: &App, text: &str, caller: &Caller) -> Result<(), Internal> {
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
pub(crate) async fn sign_out(app: &App, session: &CurrentSession, caller: &Caller) -> Result<(), Internal> {
    end(app, session.account, session.id, EndReason::SignedOut, caller).await.map(drop)
}

/// Ends one session of the caller's account; false when there is none alive.
pub(crate) async fn end_one(
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
        record_ends(&mut tx, app, account, (&[session], reason), caller).await?;
    }
    app.commit(tx).await?;
    Ok(ended)
}

/// Ends the caller's other sessions, or all of them.
pub(crate) async fn end_all(
    app: &App,
    session: &CurrentSession,
    but_own: bool,
    caller: &Caller,
) -> Result<(), StepError> {
    let mut tx = app.begin().await?;
    let account = lock(&mut tx, app, session).await?;
    let kept = but_own.then_some(session.id);
    end_every(&mut tx, app, &account, (kept, EndReason::EndedByOwner), caller).await?;
    Ok(app.commit(tx).await?)
}

/// Ends every session of an account but the one to keep, in the transaction of what is the reason for it. The account's
/// lock keeps out a session that is being opened meanwhile.
pub async fn end_every(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (kept, reason): (Option<SessionId>, EndReason),
    caller: &Caller,
) -> Result<(), Internal> {
    let ended = store::end_all(conn, account.id(), (kept, reason), app.clock.now()).await?;
    record_ends(conn, app, account.id(), (&ended, reason), caller).await
}

/// Makes room for one more session of an account: what has run out goes first, then what was used longest ago.
pub(super) async fn make_room(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    caller: &Caller,
) -> Result<(), Internal> {
    let reason = EndReason::TooMany;
    let ended = store::end_oldest(conn, account.id(), (MOST - 1, reason), app.clock.now()).await?;
    record_ends(conn, app, account.id(), (&ended, reason), caller).await
}

async fn record_ends(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    (ended, reason): (&[SessionId], EndReason),
    caller: &Caller,
) -> Result<(), Internal> {
    let event = |id: &SessionId| {
        let event = Event::new(EventKind::SessionEnded, caller).account(account).session(*id);
        event.detail(serde_json::json!({ "reason": reason.name() }))
    };
    let events: Vec<_> = ended.iter().map(event).collect();
    audit::record_each(conn, &app.clock, &events).await
}
