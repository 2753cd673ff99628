//! Password and second factor again, for a sensitive act.

use chrono::DateTime;
use chrono::Utc;

use super::model::SignInError;
use super::service::REAUTHENTICATION;
use super::service::SecondFactor;
use super::service::Try;
use super::service::amr;
use super::service::record_alone;
use super::service::tell_of_recovery_code;
use super::store;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::AuthenticateError;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::Match;
use crate::sessions::CurrentSession;

/// A re-authentication that succeeded: what its access token says.
pub(super) struct Reauthenticated {
    pub auth_time: DateTime<Utc>,
    pub amr: Vec<String>,
    pub roles: Vec<String>,
}

/// Judges password and code, and uses the code up. Five failures in a row end the session's tries for a while.
pub(super) async fn reauthenticate(
    app: &App,
    session: &CurrentSession,
    password: &str,
    given: &SecondFactor,
    caller: &Caller,
) -> Result<Reauthenticated, SignInError> {
    let tried = Try::take(app, session.id.uuid(), REAUTHENTICATION).await?;
    let outcome = judge(app, session, password, given, caller).await;
    match &outcome {
        Ok(_) => store::forget_tries(app, session.id.uuid(), REAUTHENTICATION).await?,
        Err(SignInError::WrongCode { .. } | SignInError::Authenticate(AuthenticateError::Wrong { .. })) => {
            let event =
                Event::new(EventKind::ReauthenticationFailed, caller).account(session.account).session(session.id);
            record_alone(app, event).await?;
        }
        Err(_) => {}
    }
    tried.settle(outcome).await
}

async fn judge(
    app: &App,
    session: &CurrentSession,
    password: &str,
    given: &SecondFactor,
    caller: &Caller,
) -> Result<Reauthenticated, SignInError> {
    let authenticated = accounts::authenticate_account(app, session.account, password).await?;
    let code = given.code.as_ref().ok_or(CheckError::Wrong)?;
    let found = factors::check(app, session.account, given.factor, code).await?;
    finish(app, session, authenticated.password_version, &found, caller).await
}

async fn finish(
    app: &App,
    session: &CurrentSession,
    password_version: i64,
    found: &Match,
    caller: &Caller,
) -> Result<Reauthenticated, SignInError> {
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, session.account).await?.ok_or(SignInError::Expired)?;
    if account.password_version() != password_version || account.status() != AccountStatus::Active {
        return Err(SignInError::Authenticate(AuthenticateError::Wrong { account: Some(session.account) }));
    }
    if !found.burn(&mut tx, app).await? {
        return Err(SignInError::WrongCode { attempts_left: 0 });
    }
    let event = Event::new(EventKind::Reauthenticated, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    if found.is_recovery_code() {
        tell_of_recovery_code(&mut tx, app, (session.account, session.id), caller).await?;
    }
    app.commit(tx).await?;
    Ok(Reauthenticated { auth_time: app.clock.now(), amr: amr(found.amr()).to_vec(), roles: account.roles().to_vec() })
}
