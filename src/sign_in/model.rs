//! The flow: its state, its steps and what it refuses.

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::accounts::AuthenticateError;
use crate::accounts::OwnIdentifier;
use crate::crypto::HashingError;
use crate::crypto::OpaqueToken;
use crate::crypto::TokenKind;
use crate::factors::ConfirmedFactor;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::ids::FlowId;
use crate::ids::IdentifierId;
use crate::internal::Internal;
use crate::limits::FailuresError;
use crate::limits::Limited;
use crate::messages::ChannelNotSupported;

/// How long a flow waits for its next step.
pub(super) const FLOW_SECS: u64 = 600;
/// How long a code is good for.
pub(super) const CODE_SECS: i64 = 600;
/// How long before another code can be asked for.
pub(super) const RESEND_SECS: i64 = 30;
/// Wrong codes that are answered; the next one is not even looked at.
pub(super) const TRIES: i64 = 5;

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
    pub session_label: Option<String>,
    /// The device that was recognised by its token.
    pub device: Option<DeviceId>,
    pub expires_at: DateTime<Utc>,
}

/// The code that proves an identifier, as Redis keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct IdentifierCode {
    /// Burnt by the one use that counts.
    pub id: FlowId,
    pub identifier: IdentifierId,
    pub mac: [u8; 32],
    pub expires_at: DateTime<Utc>,
}

/// What a flow asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NextStep {
    /// A code sent to one of the account's identifiers.
    VerifyIdentifier,
    /// A code of a confirmed factor.
    SecondFactor,
    /// A first factor.
    EnrolSecondFactor,
}

/// What a sign-in begins with.
pub(super) struct Start<'a> {
    pub identifier: &'a crate::accounts::Identifier,
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
    /// The flow asks for another step.
    #[error("the flow asks for another step")]
    WrongStep,
    /// The code is wrong, used or void.
    #[error("wrong code")]
    WrongCode {
        /// How many tries remain.
        attempts_left: i64,
    },
    /// Too many wrong codes or passwords.
    #[error("no tries are left")]
    NoTriesLeft {
        /// When there are tries again: with a new code or a new sign-in.
        retry_after_secs: u64,
    },
    /// Asked again too soon.
    #[error("asked again too soon")]
    TooSoon {
        /// How long to wait.
        retry_after_secs: u64,
    },
    /// The account has no such identifier.
    #[error("no such identifier")]
    UnknownIdentifier,
    /// The account has no such factor of this kind.
    #[error("no such factor")]
    UnknownFactor,
    /// Several factors fit: one must be named.
    #[error("several factors fit")]
    AmbiguousFactor,
    /// The code cannot take the way that was asked for.
    #[error(transparent)]
    Channel(#[from] ChannelNotSupported),
    /// Too many messages to one destination.
    #[error("too many messages to one destination")]
    Limited(Limited),
    /// No hashing thread would have had time.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl From<FailuresError> for SignInError {
    fn from(error: FailuresError) -> Self {
        match error {
            FailuresError::Closed { retry_after_secs } => Self::NoTriesLeft { retry_after_secs },
            FailuresError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<Limited> for SignInError {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}
