//! The flow: its state, its steps and what it refuses.

use crate::flows::Refusal;
use crate::flows::StepError;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::accounts::AuthenticateError;
use crate::accounts::OwnIdentifier;
use crate::crypto::OpaqueToken;
use crate::crypto::TokenKind;
use crate::factors::ConfirmedFactor;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::ids::FlowId;

/// `sit_…`: names a flow for the person who is in it.
pub(super) struct SignInToken;

impl TokenKind for SignInToken {
    const PREFIX: &'static str = "sit_";
}

/// A flow as Redis keeps it, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    pub id: FlowId,
    pub account: AccountId,
    pub client_id: String,
    pub password_version: i64,
    /// An identifier was proved in this flow or by the sign-up that led to it.
    pub identifier_proved: bool,
    /// It began with an old user name, which must still be good when it ends.
    #[serde(default)]
    pub by_legacy_login: bool,
    pub session_label: Option<String>,
    /// The hash of the new password (PHC string), written when the flow completes.
    pub staged: Option<String>,
    /// The device that was recognised by its token.
    pub device: Option<DeviceId>,
    pub expires_at: DateTime<Utc>,
}

/// What a flow asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NextStep {
    /// A new password, in the place of one that must be changed.
    ChangePassword,
    /// A code sent to one of the account's identifiers.
    VerifyIdentifier,
    /// A code of a confirmed factor, or a passkey.
    SecondFactor,
    /// A first factor.
    EnrolSecondFactor,
}

/// What a sign-in begins with.
pub(super) struct Start<'a> {
    pub login: &'a crate::accounts::Login,
    pub password: &'a str,
    pub device_token: Option<&'a str>,
    pub client_id: &'a str,
    pub session_label: Option<String>,
}

/// A flow and where it stands, for the person in it.
pub struct StartedFlow {
    pub(super) token: OpaqueToken<SignInToken>,
    pub(super) expires_in: u64,
    pub(super) step: Step,
}

/// Where a flow stands.
pub(super) struct Step {
    pub next: NextStep,
    pub identifiers: Vec<OwnIdentifier>,
    pub factors: Vec<ConfirmedFactor>,
    /// Factors that may not answer: they are at the destination that carried the reset of the password.
    pub withheld: Vec<ConfirmedFactor>,
}

impl Step {
    /// One that needs nothing to choose from.
    pub(super) fn bare(next: NextStep) -> Self {
        Self { next, identifiers: Vec::new(), factors: Vec::new(), withheld: Vec::new() }
    }
}

/// Why a step was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    /// Password step: see [`AuthenticateError`].
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
    /// The token is unknown, used, replaced or too old, or the account has changed since.
    #[error("the flow is over")]
    Expired,
    /// The token of a re-authentication is unknown, somebody else's or too old.
    #[error("the re-authentication is over")]
    ReauthenticationExpired,
    /// A code of a phone, or an answer to a challenge, without the token that it was asked under.
    #[error("no token of a re-authentication")]
    NoReauthentication,
    /// The flow asks for another step.
    #[error("the flow asks for another step")]
    WrongStep,
    /// The passkey is somebody's already.
    #[error("the passkey is somebody's already")]
    SamePasskey,
    /// The account has no such identifier.
    #[error("no such identifier")]
    UnknownIdentifier,
    /// The account has no such factor of this kind.
    #[error("no such factor")]
    UnknownFactor,
    /// The enrolment is of another kind than what was given.
    #[error("another method")]
    OtherMethod,
    /// The factor is at the destination that carried the reset of the password.
    #[error("the factor carried the reset")]
    FactorCarriedReset,
    /// Several factors fit: one must be named.
    #[error("several factors fit")]
    AmbiguousFactor,
    /// The new password is the old one.
    #[error("the new password is the old one")]
    PasswordUnchanged,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl Refusal for SignInError {
    fn step(&self) -> Option<&StepError> {
        if let Self::Step(error) = self { Some(error) } else { None }
    }

    fn has_a_count_of_its_own(&self) -> bool {
        matches!(self, Self::Authenticate(AuthenticateError::Wrong { .. }))
    }
}
