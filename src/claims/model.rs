//! Claims and what they refuse.

use std::net::IpAddr;

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::crypto::TokenKind;
use crate::flows::SendError;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::FailuresError;

/// How long an owner may object.
pub(super) const OBJECTION_DAYS: i64 = 30;
/// How long no claim of a number begins after an objection.
pub(super) const QUIET_DAYS: i64 = 90;

/// `icl_…`: names a claim until its code is given back.
pub(super) struct ClaimToken;

impl TokenKind for ClaimToken {
    const PREFIX: &'static str = "icl_";
}

/// A claim that was asked for, as Redis keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Claim {
    pub flow: FlowId,
    /// E.164.
    pub number: String,
    /// Who asked; by this wrong codes are counted.
    pub asker: IpAddr,
    pub expires_at: DateTime<Utc>,
}

/// What became of a claim whose code was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// No account has the number.
    Free,
    /// An account has it, and its owner may object until then.
    Waiting(DateTime<Utc>),
}

/// Why a claim was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    /// The token is unknown, used or too old.
    #[error("the token is void")]
    TokenInvalid,
    /// The code is wrong or used.
    #[error("wrong code")]
    WrongCode {
        /// How many tries remain.
        attempts_left: i64,
    },
    /// Too many wrong codes.
    #[error("no tries are left")]
    NoTriesLeft {
        /// How long to wait.
        retry_after_secs: u64,
    },
    /// An owner has objected lately.
    #[error("an owner has objected")]
    Objected,
    /// No code was sent.
    #[error(transparent)]
    Sending(#[from] SendError),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl From<FailuresError> for ClaimError {
    fn from(error: FailuresError) -> Self {
        match error {
            FailuresError::Closed { retry_after_secs } => Self::NoTriesLeft { retry_after_secs },
            FailuresError::Internal(error) => Self::Internal(error),
        }
    }
}
