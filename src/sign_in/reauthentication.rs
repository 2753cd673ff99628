//! Password and second factor again, for a sensitive act.

use chrono::DateTime;
use chrono::Utc;

use super::model::SignInError;
use super::service::REAUTHENTICATION;
use super::service::SecondFactor;
use super::service::Try;
use super::service::amr;
use super::service::authenticate;
use super::service::record_failure;
use super::service::tell_of_recovery_code;
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
use crate::flows;
use crate::limits::Failing;
use crate::limits::Lane;
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
    let tried = Try::take(app, session.account, session.id.uuid(), REAUTHENTICATION).await?;
    let failed = |kind: serde_json::Value| {
        let event = Event::new(EventKind::ReauthenticationFailed, caller).session(session.id);
        event.detail(serde_json::json!({ "kind": kind }))
    };
    let outcome = judge(app, session, (password, given), (caller, failed("password".into()))).await;
    if outcome.is_ok() {
        flows::forget_tries(app, session.id.uuid(), REAUTHENTICATION).await?;
    }
    tried.settle(outcome, failed(serde_json::json!(given.kind))).await
}

async fn judge(
    app: &App,
    session: &CurrentSession,
    (password, given): (&str, &SecondFactor),
    (caller, failed): (&Caller, Event<'_>),
) -> Result<Reauthenticated, SignInError> {
    let slot = app.hashing.reserve()?;
    let candidate = accounts::candidate_of(app, session.account).await?;
    let raised = app.failures.raise(Lane::Password, Failing::Account(session.account)).await?;
    let authenticated = match authenticate(app, slot, (&candidate, password), &raised).await {
        Err(error @ AuthenticateError::Wrong { .. }) => {
            record_failure(app, failed, (Some(session.account), &raised)).await?;
            return Err(error.into());
        }
        other => other?,
    };
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
    let amr = amr(found.amr()).to_vec();
    let event = Event::new(EventKind::Reauthenticated, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "amr": amr }))).await?;
    if found.is_recovery_code() {
        tell_of_recovery_code(&mut tx, app, (session.account, session.id), caller).await?;
    }
    app.commit(tx).await?;
    Ok(Reauthenticated { auth_time: app.clock.now(), amr, roles: account.roles().to_vec() })
}
