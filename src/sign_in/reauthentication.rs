//! Password and second factor again, or a passkey alone, for a sensitive act.

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use super::model::SignInError;
use super::service::SecondFactor;
use super::service::amr;
use super::service::amr_of_passkey;
use super::service::challenge_to;
use super::service::kind_of;
use super::service::send_to_factor;
use super::service::tell_of_recovery_code;
use super::service::told_of_withheld;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::Asker;
use crate::accounts::AuthenticateError;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::crypto::TokenKind;
use crate::factors;
use crate::factors::Answering;
use crate::factors::CheckError;
use crate::factors::ConfirmedFactor;
use crate::factors::FactorKind;
use crate::factors::Match;
use crate::factors::Sent;
use crate::flows;
use crate::flows::REAUTHENTICATION;
use crate::flows::StepError;
use crate::flows::Try;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::messages::Channel;
use crate::sessions;
use crate::sessions::CurrentSession;

/// A re-authentication that succeeded: what its access token says.
pub(super) struct Reauthenticated {
    pub auth_time: DateTime<Utc>,
    pub amr: Vec<String>,
    pub roles: Vec<String>,
}

/// `rat_…`: names the code that was sent, or the challenge that was made, for a re-authentication.
struct ReauthenticationToken;

impl TokenKind for ReauthenticationToken {
    const PREFIX: &'static str = "rat_";
}

/// What a token stands for, as Redis keeps it, sealed. The codes of a session are one flow, so that each voids the one
/// before, and so are the challenges; the token names one of them.
#[derive(Serialize, Deserialize)]
struct Named {
    session: SessionId,
    sent: FlowId,
}

const KEYS: &str = "reauthentication";

fn flow(session: &CurrentSession) -> FlowId {
    session.id.uuid().into()
}

/// The factors of the account, by whether they may answer. Every session opened with something else than what carried a
/// reset, so that there is nothing to withhold unless a reset is ending the session in this moment.
async fn answering(app: &App, session: &CurrentSession) -> Result<Answering, SignInError> {
    let mut conn = app.db.acquire().await?;
    let password = accounts::password_standing(&mut conn, session.account).await?.ok_or(SignInError::Expired)?;
    Ok(factors::answering(&mut conn, session.account, &password).await?)
}

/// Sends a code to a phone of the account. Answers the token to give it back with, and where it went.
pub(super) async fn send_code(
    app: &App,
    session: &CurrentSession,
    to: (Option<FactorId>, Channel),
) -> Result<(String, String), SignInError> {
    let Answering { able, withheld } = answering(app, session).await?;
    let asker = Asker::InSession(session.account, session.id);
    let sent = send_to_factor(app, (session.account, &able), (flow(session), asker), to).await;
    let (sent, number) = sent.map_err(|error| told_of_withheld(error, &withheld, to.0))?;
    Ok((name(app, session, sent).await?, number))
}

/// Asks a passkey of the account. Answers the token to give its answer back with, and the request options.
pub(super) async fn ask_passkey(
    app: &App,
    session: &CurrentSession,
    factor: Option<FactorId>,
) -> Result<(String, serde_json::Value), SignInError> {
    let factors = factors::confirmed(&mut *app.db.acquire().await?, session.account).await?;
    let (sent, options) = challenge_to(app, &factors, flow(session), factor).await?;
    Ok((name(app, session, sent).await?, options))
}

async fn name(app: &App, session: &CurrentSession, sent: FlowId) -> Result<String, Internal> {
    let token = OpaqueToken::<ReauthenticationToken>::generate();
    flows::save(app, KEYS, &token.digest().to_text(), &Named { session: session.id, sent }).await?;
    Ok(token.reveal())
}

/// The newest code or challenge of a session, when it went to this factor under this token.
async fn sent_under(
    app: &App,
    session: &CurrentSession,
    (factor, token): (&ConfirmedFactor, &str),
) -> Result<Sent, SignInError> {
    let token = OpaqueToken::<ReauthenticationToken>::parse(token).ok_or(SignInError::ReauthenticationExpired)?;
    let named = flows::find::<Named>(app, KEYS, &token.digest().to_text()).await?;
    let sent = factors::sent_to(app, factor, flow(session)).await?.filter(|sent| sent.lives(app));
    let named = named.filter(|named| named.session == session.id);
    let found = named.zip(sent).filter(|(named, sent)| named.sent == sent.id());
    let (_, sent) = found.ok_or(SignInError::ReauthenticationExpired)?;
    let mut conn = app.db.acquire().await?;
    if flows::is_consumed(&mut conn, sent.id()).await? { Err(SignInError::ReauthenticationExpired) } else { Ok(sent) }
}

/// Judges password and code, or a passkey, and uses the code up. With a passkey the password may be left out. Five failures in a row end the tries: of a
/// code that was sent until another one is, otherwise of the session for a while.
pub(super) async fn reauthenticate(
    app: &App,
    session: &CurrentSession,
    (password, token): (Option<&str>, Option<&str>),
    given: &SecondFactor,
    caller: &Caller,
) -> Result<Reauthenticated, SignInError> {
    let Answering { able, withheld } = answering(app, session).await?;
    let factor = given.factor_among(&able).map_err(SignInError::from);
    let factor = factor.map_err(|error| told_of_withheld(error, &withheld, given.factor))?;
    let asked = |factor: &&ConfirmedFactor| matches!(factor.kind, FactorKind::Phone | FactorKind::Passkey);
    let sent = match (factor.filter(asked), token) {
        (Some(_), None) => return Err(SignInError::NoReauthentication),
        (Some(factor), Some(token)) => Some(sent_under(app, session, (factor, token)).await?),
        (None, _) => None,
    };
    // A code that was sent has tries of its own; whatever else is given shares those of the session.
    let (counter, what) = match &sent {
        Some(sent @ Sent::Code(_)) => (sent.id().uuid(), "code"),
        _ => (session.id.uuid(), REAUTHENTICATION),
    };
    let tried = Try::take(app, (counter, what), Some(Failing::Account(session.account))).await?;
    let failed = |kind: serde_json::Value| {
        let event = Event::new(EventKind::ReauthenticationFailed, caller).account(session.account).session(session.id);
        event.detail(serde_json::json!({ "kind": kind }))
    };
    let judged = async {
        let version = match password {
            Some(password) => Some(judge(app, session, password, failed("password".into())).await?),
            None => None,
        };
        let factor = factor.ok_or(CheckError::Wrong)?;
        let found = factors::check(app, session.account, factor, (&given.presented, sent)).await?;
        finish(app, session, version, &found, caller).await
    };
    let outcome = judged.await;
    if outcome.is_ok() {
        flows::forget_tries(app, counter, what).await?;
    }
    tried.settle(outcome, Some(failed(serde_json::json!(kind_of(factor))))).await
}

/// Judges the password, and counts a wrong one for the session; answers its version.
async fn judge(app: &App, session: &CurrentSession, password: &str, failed: Event<'_>) -> Result<i64, SignInError> {
    let slot = app.hashing.reserve()?;
    let candidate = accounts::candidate_of(app, session.account).await?;
    let raised = app.failures.raise(Lane::Password, Failing::Session(session.id)).await?;
    match accounts::try_password(app, slot, (&candidate, password), &raised).await {
        Err(error @ AuthenticateError::Wrong { .. }) => {
            accounts::record_failure(app, failed, Some(&raised)).await?;
            Err(error.into())
        }
        other => Ok(other?.password_version),
    }
}

async fn finish(
    app: &App,
    session: &CurrentSession,
    password_version: Option<i64>,
    found: &Match,
    caller: &Caller,
) -> Result<Reauthenticated, SignInError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    if password_version.is_some_and(|seen| seen != account.password_version())
        || account.status() != AccountStatus::Active
    {
        return Err(SignInError::Authenticate(AuthenticateError::Wrong { account: Some(session.account) }));
    }
    if password_version.is_none() && !found.stands_alone(&mut tx).await? {
        return Err(StepError::WrongCredential.into());
    }
    if !found.burn(&mut tx, app).await? {
        return Err(found.spent().into());
    }
    let amr = if password_version.is_some() { amr(found.amr()) } else { amr_of_passkey() };
    let event = Event::new(EventKind::Reauthenticated, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "amr": amr }))).await?;
    if found.is_recovery_code() {
        tell_of_recovery_code(&mut tx, app, (session.account, session.id), caller).await?;
    }
    app.commit(tx).await?;
    Ok(Reauthenticated { auth_time: app.clock.now(), amr, roles: account.roles().to_vec() })
}
