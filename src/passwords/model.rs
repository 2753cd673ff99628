//! Resets, changes, and why they are refused.

use crate::flows::Refusal;
use crate::flows::StepError;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::accounts::AuthenticateError;
use crate::accounts::Identifier;
use crate::crypto::TokenKind;
use crate::ids::FlowId;
use crate::messages::Channel;

/// `prt_…`: names a request for the person who made it; opens nothing without the code.
pub(super) struct RequestToken;

impl TokenKind for RequestToken {
    const PREFIX: &'static str = "prt_";
}

/// `rst_…`: the token of a link.
pub(super) struct LinkToken;

impl TokenKind for LinkToken {
    const PREFIX: &'static str = "rst_";
}

/// What is asked for, all of it judged.
pub(super) struct Wanted<'a> {
    pub identifier: Identifier,
    pub channel: Channel,
    pub client_id: &'a str,
}

/// A request as Redis keeps it, under the digest of its token.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    pub flow: FlowId,
    pub code_mac: [u8; 32],
    pub expires_at: DateTime<Utc>,
}

/// What a link leads to, under the digest of its token.
#[derive(Serialize, Deserialize)]
pub(super) struct Linked {
    pub flow: FlowId,
    pub expires_at: DateTime<Utc>,
}

/// How somebody shows that a message reached them.
pub(super) enum Proof {
    Link { token: String },
    Code { token: String, code: String },
}

impl Proof {
    /// Its name in metrics and in the audit log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::Code { .. } => "code",
        }
    }
}

/// What a link is good for.
pub(super) struct Inspected {
    pub identifier: String,
    pub expires_in: u64,
}

/// A change by who knows the old password.
pub(super) struct Change {
    pub current: String,
    pub new: String,
    /// The own session ends as well.
    pub end_own: bool,
}

/// Why a password was neither changed nor reset.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    /// The token is unknown, used, replaced or too old, or the password or the identifiers have changed since.
    #[error("the reset is over")]
    ResetInvalid,
    /// The current password: see [`AuthenticateError`].
    #[error(transparent)]
    Current(#[from] AuthenticateError),
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for PasswordError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl Refusal for PasswordError {
    fn step(&self) -> Option<&StepError> {
        if let Self::Step(error) = self { Some(error) } else { None }
    }
}
