//! The use cases of a sign-in: one file a step.

mod enrolment;
mod identifier;
mod passkey;
mod password;
mod recovered;
mod second_factor;
mod staged;

use chrono::TimeDelta;
use sqlx::PgConnection;

pub(super) use enrolment::begin_enrolment;
pub(super) use enrolment::confirm_enrolment;
pub(super) use enrolment::resend_enrolment;
pub(super) use identifier::send_code;
pub(super) use identifier::verify;
pub(super) use passkey::passkey_sign_in_options;
pub(super) use passkey::sign_in_by_passkey;
pub(super) use password::start;
pub use password::start_after_sign_up;
use password::start_proved;
pub(super) use recovered::complete_recovery;
pub(super) use second_factor::Completed;
pub(super) use second_factor::SecondFactor;
pub(super) use second_factor::ask_passkey;
pub(super) use second_factor::challenge_to;
pub(super) use second_factor::complete;
pub(super) use second_factor::kind_of;
pub(super) use second_factor::send_factor_code;
pub(super) use second_factor::send_to_factor;
pub(super) use second_factor::tell_of_recovery_code;
pub(super) use second_factor::told_of_withheld;
pub(super) use staged::stage;

use super::model::Flow;
use super::model::NextStep;
use super::model::SignInError;
use super::model::SignInToken;
use super::model::StartedFlow;
use super::model::Step;
use crate::accounts;
use crate::accounts::OwnIdentifier;
use crate::accounts::PasswordStanding;
use crate::app::App;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::factors;
use crate::factors::Answering;
use crate::factors::FactorKind;
use crate::flows;
use crate::flows::FLOW_SECS;
use crate::ids::AccountId;
use crate::internal::Internal;

/// Flows stand under the digests of their tokens.
const KEYS: &str = "sign-in";

/// A flow as its token found it.
struct Loaded {
    token: OpaqueToken<SignInToken>,
    flow: Flow,
    password: PasswordStanding,
    step: Step,
}

/// Keeps a new flow, or an old one whose authority has risen, under a new token.
async fn keep(app: &App, mut flow: Flow, conn: &mut PgConnection) -> Result<StartedFlow, Internal> {
    let token = OpaqueToken::generate();
    flow.expires_at =
        app.clock.now() + TimeDelta::from_std(std::time::Duration::from_secs(FLOW_SECS)).map_err(Internal::bug)?;
    flows::save(app, KEYS, &token.digest().to_text(), &flow).await?;
    let password = accounts::password_standing(conn, flow.account).await?;
    let password = password.ok_or_else(|| Internal::bug(format!("accounts {}: no such row", flow.account)))?;
    Ok(StartedFlow { token, expires_in: FLOW_SECS, step: step(conn, &flow, &password).await? })
}

fn new_flow(app: &App, account: AccountId, password_version: i64, client_id: &str) -> Flow {
    let now = app.clock.now();
    Flow {
        id: crypto::new_id(now),
        account,
        client_id: client_id.to_owned(),
        password_version,
        identifier_proved: false,
        by_legacy_login: false,
        session_label: None,
        staged: None,
        device: None,
        expires_at: now,
    }
}

/// The flow of a token, when it asks for the wanted step. One that had its effect is over, whatever Redis says, and so is
/// one that saw another password.
async fn load(app: &App, token: &str, wanted: NextStep) -> Result<Loaded, SignInError> {
    let token = OpaqueToken::<SignInToken>::parse(token).ok_or(SignInError::Expired)?;
    let flow = flows::find::<Flow>(app, KEYS, &token.digest().to_text()).await?;
    let flow = flow.filter(|flow| app.clock.now() < flow.expires_at).ok_or(SignInError::Expired)?;
    let mut conn = app.db.acquire().await?;
    if flows::is_consumed(&mut conn, flow.id).await? {
        return Err(SignInError::Expired);
    }
    let password = accounts::password_standing(&mut conn, flow.account).await?.ok_or(SignInError::Expired)?;
    if password.version != flow.password_version {
        return Err(SignInError::Expired);
    }
    let step = step(&mut conn, &flow, &password).await?;
    if step.next == wanted { Ok(Loaded { token, flow, password, step }) } else { Err(SignInError::WrongStep) }
}

/// Uses a flow up, in the transaction of its effect; false when it was before, or when it began with an old user name
/// that has ended meanwhile. The first sign-in that completes ends that name, however it began.
async fn use_up(conn: &mut PgConnection, app: &App, flow: &Flow) -> Result<bool, Internal> {
    if !flows::consume(conn, flow.id, app.clock.now()).await? {
        return Ok(false);
    }
    Ok(accounts::end_legacy_login(conn, flow.account).await? || !flow.by_legacy_login)
}

/// What a flow asks for, from what the account has by now.
async fn step(conn: &mut PgConnection, flow: &Flow, password: &PasswordStanding) -> Result<Step, Internal> {
    if password.must_change && flow.staged.is_none() {
        return Ok(Step::bare(NextStep::ChangePassword));
    }
    let Answering { able, withheld } = factors::answering(conn, flow.account, password).await?;
    if able.iter().chain(&withheld).any(|factor| factor.kind != FactorKind::RecoveryCode) {
        return Ok(Step { factors: able, withheld, ..Step::bare(NextStep::SecondFactor) });
    }
    if flow.identifier_proved {
        return Ok(Step::bare(NextStep::EnrolSecondFactor));
    }
    let mut identifiers = accounts::profile(conn, flow.account).await?.identifiers;
    // The one that carried the reset proves nothing more, where there is another, or a recovery code is left.
    let may_answer =
        |own: &OwnIdentifier| accounts::may_answer(password.reset_carrier.as_deref(), Some(&own.lookup_key));
    if identifiers.iter().any(may_answer) {
        identifiers.retain(may_answer);
    } else if !able.is_empty() {
        return Ok(Step { factors: able, withheld, ..Step::bare(NextStep::SecondFactor) });
    }
    Ok(Step { identifiers, ..Step::bare(NextStep::VerifyIdentifier) })
}

/// How the session names a password and a second factor (RFC 8176).
pub(super) fn amr(second: &[&str]) -> Vec<String> {
    ["pwd"].iter().chain(second).chain(&["mfa"]).map(|name| (*name).to_owned()).collect()
}

/// How it names a passkey alone, which is two factors.
pub(super) fn amr_of_passkey() -> Vec<String> {
    ["pop", "user", "mfa"].map(str::to_owned).to_vec()
}
