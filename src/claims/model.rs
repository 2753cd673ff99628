//! Claims and what they refuse.

use crate::flows::Refusal;
use crate::flows::StepError;
use std::net::IpAddr;

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::crypto::TokenKind;
use crate::ids::FlowId;

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
    /// An owner has objected lately.
    #[error("an owner has objected")]
    Objected,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for ClaimError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl Refusal for ClaimError {
    fn step(&self) -> Option<&StepError> {
        if let Self::Step(error) = self { Some(error) } else { None }
    }
}
