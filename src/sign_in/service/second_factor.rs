//! The last step of most sign-ins: a code of a confirmed factor, or a recovery code.

use sqlx::PgConnection;

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::Loaded;
use super::Try;
use super::amr;
use super::load;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::devices;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::FactorKind;
use crate::factors::Match;
use crate::factors::PresentedCode;
use crate::flows;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::NewSession;
use crate::sessions::OpenError;
use crate::sessions::OpenedSession;

/// What a person answers with; no code when what they typed cannot be one.
pub(in super::super) struct SecondFactor {
    pub kind: FactorKind,
    pub factor: Option<FactorId>,
    pub code: Option<PresentedCode>,
}

/// A sign-in that is complete.
pub(in super::super) struct Completed {
    pub opened: OpenedSession,
    /// For the device, unless it was known.
    pub device_token: Option<String>,
}

/// Checks the code, uses it up and opens the session.
pub(in super::super) async fn complete(
    app: &App,
    token: &str,
    given: &SecondFactor,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::SecondFactor).await?;
    if given.factor.is_some_and(|named| step.factors.iter().all(|factor| factor.id != named)) {
        return Err(SignInError::UnknownFactor);
    }
    app.limits.admit(Policy::AccountCode, Subject::Account(flow.account)).await?;
    let tried = Try::take(app, flow.account, flow.id.uuid(), "second-factor").await?;
    let failed = Event::new(EventKind::SecondFactorFailed, caller).client(&flow.client_id);
    let failed = failed.detail(serde_json::json!({ "kind": given.kind }));
    tried.settle(judge(app, &flow, given, caller).await, failed).await
}

async fn judge(app: &App, flow: &Flow, given: &SecondFactor, caller: &Caller) -> Result<Completed, SignInError> {
    let code = given.code.as_ref().ok_or(CheckError::Wrong)?;
    let found = factors::check(app, flow.account, given.factor, code).await?;
    finish(app, flow, &found, caller).await
}

async fn finish(app: &App, flow: &Flow, found: &Match, caller: &Caller) -> Result<Completed, SignInError> {
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, flow.account).await?.ok_or(SignInError::Expired)?;
    if !flows::consume(&mut tx, flow.id, app.clock.now()).await? {
        return Err(SignInError::Expired);
    }
    if !found.burn(&mut tx, app).await? {
        return Err(SignInError::WrongCode { attempts_left: 0 });
    }
    let amr = amr(found.amr());
    let new = NewSession {
        client_id: &flow.client_id,
        password_version: flow.password_version,
        amr: &amr,
        label: flow.session_label.as_deref(),
    };
    let opened = sessions::open(&mut tx, app, &account, &new, caller).await?;
    if found.is_recovery_code() {
        tell_of_recovery_code(&mut tx, app, (flow.account, opened.id), caller).await?;
    }
    messages::drop_for_flow(&mut tx, flow.id, app.clock.now()).await?;
    let device_token = devices::issue(&mut tx, app, &account, flow.device).await?;
    app.commit(tx).await?;
    Ok(Completed { opened, device_token })
}

/// Writes down and tells the owner that a recovery code was used, in the transaction that used it.
pub(in super::super) async fn tell_of_recovery_code(
    conn: &mut PgConnection,
    app: &App,
    (account, session): (AccountId, SessionId),
    caller: &Caller,
) -> Result<(), Internal> {
    let event = Event::new(EventKind::RecoveryCodeUsed, caller).account(account).session(session);
    audit::record(conn, &app.clock, event).await?;
    let left = factors::recovery_codes_left(conn, account).await?.to_string();
    accounts::notify(conn, app, account, MessageKind::RecoveryCodeUsedNotice, &[("left", left)]).await
}

impl From<CheckError> for SignInError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Wrong => Self::WrongCode { attempts_left: 0 },
            CheckError::UnknownFactor => Self::UnknownFactor,
            CheckError::Ambiguous => Self::AmbiguousFactor,
            CheckError::Hashing(error) => Self::Hashing(error),
            CheckError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<OpenError> for SignInError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Outdated => Self::Expired,
            OpenError::Internal(error) => Self::Internal(error),
        }
    }
}
