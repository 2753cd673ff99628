//! The first step: a password, or a sign-up that was just verified.

use crate::flows::StepError;
use sqlx::PgConnection;

use super::super::model::SignInError;
use super::super::model::Start;
use super::super::model::StartedFlow;
use super::keep;
use super::new_flow;
use crate::accounts;
use crate::accounts::AuthenticateError;
use crate::accounts::Authenticated;
use crate::accounts::LockedAccount;
use crate::accounts::Login;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::clock::Stopwatch;
use crate::devices;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;

/// Judges identifier and password. A refusal takes a whole number of `failure_step`s from arrival.
pub(crate) async fn start(app: &App, start: Start<'_>, caller: &Caller) -> Result<StartedFlow, SignInError> {
    let arrival = Stopwatch::start();
    let outcome = judge(app, &start, caller).await;
    let refused = matches!(
        outcome,
        Err(SignInError::Step(StepError::NoTriesLeft { .. })
            | SignInError::Authenticate(
                AuthenticateError::Wrong { .. }
                    | AuthenticateError::Closed { .. }
                    | AuthenticateError::Suspended { .. }
            ))
    );
    if refused {
        arrival.whole_step(app.config.failure_step).await;
    }
    outcome
}

async fn judge(app: &App, start: &Start<'_>, caller: &Caller) -> Result<StartedFlow, SignInError> {
    // The order of the steps: what is refused for lack of time costs the caller no try, and a try is counted before
    // it is judged.
    let slot = app.hashing.reserve()?;
    let candidate = start.login.candidate(app).await?;
    let device = devices::recognise(app, candidate.account(), start.device_token).await?;
    let (lane, whose) = match (&device, candidate.account()) {
        (Some(device), _) => (Lane::Device, device.failing()),
        (None, Some(account)) => (Lane::Password, Failing::Account(account)),
        (None, None) => (Lane::Password, Failing::Nobody(start.login.lookup_key())),
    };
    let raised = app.failures.raise(lane, whose).await?;
    let device = device.map(|device| device.id);
    match accounts::try_password(app, slot, (&candidate, start.password), &raised).await {
        Ok(authenticated) => begin(app, start, (authenticated, device), caller).await,
        Err(error) => {
            if let (Some(device), true) = (device, raised.closes()) {
                devices::revoke(app, device).await?;
            }
            let event = |kind| Event::new(kind, caller).client(start.client_id);
            match &error {
                AuthenticateError::Wrong { account } => {
                    let failed = event(EventKind::SignInFailed).account(*account);
                    accounts::record_failure(app, failed, Some(&raised)).await?;
                }
                AuthenticateError::Closed { account } | AuthenticateError::Suspended { account } => {
                    accounts::record_alone(app, event(EventKind::SignInRefused).account(*account)).await?;
                }
                AuthenticateError::Hashing(_) | AuthenticateError::Internal(_) => {}
            }
            Err(error.into())
        }
    }
}

async fn begin(
    app: &App,
    start: &Start<'_>,
    (authenticated, device): (Authenticated, Option<DeviceId>),
    caller: &Caller,
) -> Result<StartedFlow, SignInError> {
    let mut tx = app.begin().await?;
    let mut flow = new_flow(app, authenticated.account, authenticated.password_version, start.client_id);
    flow.session_label.clone_from(&start.session_label);
    flow.device = device;
    flow.by_legacy_login = matches!(start.login, Login::Legacy(_));
    let event = Event::new(EventKind::PasswordVerified, caller).account(flow.account).client(start.client_id);
    audit::record(&mut tx, &app.clock, event).await?;
    let started = keep(app, flow, &mut tx).await?;
    app.commit(tx).await?;
    Ok(started)
}

/// The flow of a person whose sign-up was just verified, in the transaction that made the account.
pub async fn start_after_sign_up(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    client_id: &str,
) -> Result<StartedFlow, Internal> {
    let account = accounts::lock(conn, account).await?.ok_or_else(|| Internal::bug("the new account is not there"))?;
    start_proved(conn, app, &account, client_id).await
}

/// The flow of a person who has proved who they are by other means than a password.
pub(crate) async fn start_proved(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    client_id: &str,
) -> Result<StartedFlow, Internal> {
    let mut flow = new_flow(app, account.id(), account.password_version(), client_id);
    flow.identifier_proved = true;
    keep(app, flow, conn).await
}
