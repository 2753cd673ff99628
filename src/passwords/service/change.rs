//! A new password from who knows the old one.

use super::super::model::Change;
use super::super::model::PasswordError;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::AuthenticateError;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;
use crate::sessions::EndReason;

/// Changes the password, ends the sessions and tells the owner, all at once.
pub(crate) async fn change(
    app: &App,
    session: &CurrentSession,
    change: &Change,
    caller: &Caller,
) -> Result<(), PasswordError> {
    let profile = accounts::profile(&mut *app.db.acquire().await?, session.account).await?;
    let new = accounts::accept_password(app, &profile, &change.new)?;
    let version = judge_current(app, session, &change.current, caller).await?;
    let phc = app.hashing.reserve()?.hash(new.normalised()).await?;
    let mut tx = app.begin().await?;
    let mut account = sessions::lock(&mut tx, app, session).await?;
    if account.password_version() != version || account.status() != AccountStatus::Active {
        // Somebody was faster: what was given is not the current password any more.
        return Err(AuthenticateError::Wrong { account: Some(session.account) }.into());
    }
    accounts::set_password(&mut tx, app, &mut account, &phc).await?;
    let kept = (!change.end_own).then_some(session.id);
    sessions::end_every(&mut tx, app, &account, (kept, EndReason::PasswordChanged), caller).await?;
    let event = Event::new(EventKind::PasswordChanged, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    factors::notify(&mut tx, app, session.account, MessageKind::PasswordChangedNotice, &[]).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Judges the current password, and counts a wrong one for the session; answers its version.
async fn judge_current(
    app: &App,
    session: &CurrentSession,
    typed: &str,
    caller: &Caller,
) -> Result<i64, PasswordError> {
    let slot = app.hashing.reserve()?;
    let candidate = accounts::candidate_of(app, session.account).await?;
    let raised = app.failures.raise(Lane::Password, Failing::Session(session.id)).await?;
    let judged = accounts::try_password(app, slot, (&candidate, typed), &raised).await;
    if let Err(AuthenticateError::Wrong { .. }) = &judged {
        let event = Event::new(EventKind::PasswordChangeFailed, caller).account(session.account).session(session.id);
        accounts::record_failure(app, event, Some(&raised)).await?;
    }
    Ok(judged?.password_version)
}
