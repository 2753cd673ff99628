//! The last step of most sign-ins: a code of a confirmed factor, a passkey, or a recovery code.

use crate::flows::StepError;
use sqlx::PgConnection;

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::Loaded;
use super::amr;
use super::load;
use super::staged::write_staged;
use super::use_up;
use crate::accounts;
use crate::accounts::Asker;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::devices;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::ConfirmedFactor;
use crate::factors::FactorKind;
use crate::factors::Match;
use crate::factors::Presented;
use crate::factors::Sent;
use crate::flows;
use crate::flows::Sending;
use crate::flows::Try;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::recovery;
use crate::sessions;
use crate::sessions::NewSession;
use crate::sessions::OpenError;
use crate::sessions::OpenedSession;

/// What a person answers with.
pub(crate) struct SecondFactor {
    pub factor: Option<FactorId>,
    pub presented: Presented,
}

impl SecondFactor {
    /// The factor that the code can be from; none when it is a recovery code and none is left, which is a try like any
    /// other.
    pub(crate) fn factor_among<'a>(
        &self,
        factors: &'a [ConfirmedFactor],
    ) -> Result<Option<&'a ConfirmedFactor>, CheckError> {
        match self.presented.factor(factors, self.factor) {
            Err(CheckError::Wrong) => Ok(None),
            found => found.map(Some),
        }
    }
}

/// Says so when the factor that was meant is there and may not answer.
pub(crate) fn told_of_withheld(
    error: SignInError,
    withheld: &[ConfirmedFactor],
    named: Option<FactorId>,
) -> SignInError {
    let meant = withheld.iter().any(|factor| named.is_none_or(|named| named == factor.id));
    if meant && matches!(error, SignInError::UnknownFactor) { SignInError::FactorCarriedReset } else { error }
}

/// How a failure is written down.
pub(crate) fn kind_of(factor: Option<&ConfirmedFactor>) -> FactorKind {
    factor.map_or(FactorKind::RecoveryCode, |factor| factor.kind)
}

/// A sign-in that is complete.
pub(crate) struct Completed {
    pub opened: OpenedSession,
    /// For the device, unless it was known.
    pub device_token: Option<String>,
}

/// The factor of this kind that is asked; where it is not named, the only one.
fn asked_factor(
    factors: &[ConfirmedFactor],
    (kind, named): (FactorKind, Option<FactorId>),
) -> Result<&ConfirmedFactor, SignInError> {
    let mut fitting = factors.iter().filter(|own| own.kind == kind && named.is_none_or(|named| named == own.id));
    match (fitting.next(), fitting.next()) {
        (Some(factor), None) => Ok(factor),
        (None, _) => Err(SignInError::UnknownFactor),
        (Some(_), Some(_)) => Err(SignInError::AmbiguousFactor),
    }
}

/// Sends a code to a phone of the account; it voids the one before. Answers where it went.
pub(crate) async fn send_factor_code(
    app: &App,
    token: &str,
    (factor, channel): (Option<FactorId>, Channel),
) -> Result<String, SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::SecondFactor).await?;
    let asker = Asker::Owner(flow.account);
    let sent = send_to_factor(app, (flow.account, &step.factors), (flow.id, asker), (factor, channel)).await;
    Ok(sent.map_err(|error| told_of_withheld(error, &step.withheld, factor))?.1)
}

/// Sends the code of a flow to a phone among these factors, counted by who asks. Answers the code's id, and where it went.
pub(crate) async fn send_to_factor(
    app: &App,
    (account, factors): (AccountId, &[ConfirmedFactor]),
    (flow, asker): (FlowId, Asker),
    (factor, channel): (Option<FactorId>, Channel),
) -> Result<(FlowId, String), SignInError> {
    let factor = asked_factor(factors, (FactorKind::Phone, factor))?;
    let number = factor.number.as_deref().ok_or(SignInError::UnknownFactor)?;
    let channel = app.channels.choose(number, Some(channel))?;
    let mut tx = app.begin().await?;
    let content = accounts::contact_by_phone(&mut tx, account, number).await?.content(MessageKind::FactorCode);
    let sending = Sending { flow, pace: flow, proves: factor.id.uuid(), asker, content: content.by(channel) };
    let id = flows::send_code(&mut tx, app, sending).await?;
    app.commit(tx).await?;
    Ok((id, number.to_owned()))
}

/// Asks a passkey of the account; the challenge before is void. Answers the request options.
pub(crate) async fn ask_passkey(
    app: &App,
    token: &str,
    factor: Option<FactorId>,
) -> Result<serde_json::Value, SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::SecondFactor).await?;
    Ok(challenge_to(app, &step.factors, flow.id, factor).await?.1)
}

/// Asks a passkey among these factors, in a flow. Answers the challenge's id, and the request options.
pub(crate) async fn challenge_to(
    app: &App,
    factors: &[ConfirmedFactor],
    flow: FlowId,
    factor: Option<FactorId>,
) -> Result<(FlowId, serde_json::Value), SignInError> {
    let own = asked_factor(factors, (FactorKind::Passkey, factor))?;
    Ok(factors::challenge(app, flow, Some(own.id)).await?)
}

/// Checks the code or the passkey, uses it up and opens the session.
pub(crate) async fn complete(
    app: &App,
    token: &str,
    given: &SecondFactor,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::SecondFactor).await?;
    let factor = given.factor_among(&step.factors).map_err(SignInError::from);
    let factor = factor.map_err(|error| told_of_withheld(error, &step.withheld, given.factor))?;
    app.limits.admit(Policy::AccountCode, Subject::Account(flow.account)).await?;
    let sent = match factor {
        Some(factor) => factors::sent_to(app, factor, flow.id).await?,
        None => None,
    };
    let counter = sent.as_ref().map_or(flow.id, Sent::id);
    let tried = Try::take(app, (counter.uuid(), "second-factor"), Some(Failing::Account(flow.account))).await?;
    let failed = Event::new(EventKind::SecondFactorFailed, caller).account(flow.account).client(&flow.client_id);
    let failed = failed.detail(serde_json::json!({ "kind": kind_of(factor) }));
    let judged = async {
        let factor = factor.ok_or(CheckError::Wrong)?;
        let found = factors::check(app, flow.account, factor, (&given.presented, sent)).await?;
        finish(app, &flow, (factor, &found), caller).await
    };
    tried.settle(judged.await, Some(failed)).await
}

async fn finish(
    app: &App,
    flow: &Flow,
    (factor, found): (&ConfirmedFactor, &Match),
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let mut tx = app.begin().await?;
    let mut account = accounts::lock(&mut tx, flow.account).await?.ok_or(SignInError::Expired)?;
    if !use_up(&mut tx, app, flow).await? {
        return Err(SignInError::Expired);
    }
    if !found.burn(&mut tx, app).await? {
        return Err(found.spent().into());
    }
    let password_version = write_staged(&mut tx, app, &mut account, flow, caller).await?;
    let amr = amr(found.amr());
    let new =
        NewSession { client_id: &flow.client_id, password_version, amr: &amr, label: flow.session_label.as_deref() };
    let opened = sessions::open(&mut tx, app, &account, &new, caller).await?;
    if found.is_recovery_code() {
        tell_of_recovery_code(&mut tx, app, (flow.account, opened.id), caller).await?;
    }
    recovery::cancel_by_sign_in(&mut tx, app, &account, factor.created_at, caller).await?;
    messages::drop_for_flow(&mut tx, flow.id, app.clock.now()).await?;
    let device_token = devices::issue(&mut tx, app, &account, flow.device).await?;
    app.commit(tx).await?;
    Ok(Completed { opened, device_token })
}

/// Writes down and tells the owner that a recovery code was used, in the transaction that used it.
pub(crate) async fn tell_of_recovery_code(
    conn: &mut PgConnection,
    app: &App,
    (account, session): (AccountId, SessionId),
    caller: &Caller,
) -> Result<(), Internal> {
    let event = Event::new(EventKind::RecoveryCodeUsed, caller).account(account).session(session);
    audit::record(conn, &app.clock, event).await?;
    let left = factors::recovery_codes_left(&mut *conn, account).await?.to_string();
    accounts::notify(conn, app, account, MessageKind::RecoveryCodeUsedNotice, &[("left", left)]).await
}

impl From<CheckError> for SignInError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Wrong => StepError::WrongCode { attempts_left: 0 }.into(),
            CheckError::Refused => StepError::WrongCredential.into(),
            CheckError::UnknownFactor => Self::UnknownFactor,
            CheckError::OtherMethod => Self::OtherMethod,
            CheckError::Ambiguous => Self::AmbiguousFactor,
            CheckError::Hashing(error) => error.into(),
            CheckError::Internal(error) => error.into(),
        }
    }
}

impl From<OpenError> for SignInError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Outdated => Self::Expired,
            OpenError::Internal(error) => error.into(),
        }
    }
}
