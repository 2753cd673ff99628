//! What every flow may refuse a step for.

use chrono::DateTime;
use chrono::Utc;

use crate::accounts::RESEND_SECS;
use crate::crypto::HashingError;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::internal::Internal;
use crate::limits::FailuresError;
use crate::limits::Limited;
use crate::limits::MessageRefused;
use crate::messages::ChannelRefused;
use crate::password_policy::PasswordRefusal;

/// Why a step was refused. What only one flow has is in its own error, beside this.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The code is wrong, used or void.
    #[error("wrong code")]
    WrongCode {
        /// How many tries remain.
        attempts_left: i64,
    },
    /// The passkey, or its answer, is not the right one, or was used already.
    #[error("the passkey is refused")]
    WrongCredential,
    /// Too many wrong codes or passwords.
    #[error("no tries are left")]
    NoTriesLeft {
        /// When there are tries again: with a new code, or in a new flow.
        retry_after_secs: u64,
    },
    /// A code was asked for again too soon.
    #[error("asked again too soon")]
    TooSoon {
        /// How long to wait.
        retry_after_secs: u64,
    },
    /// A code was asked for again too often.
    #[error("no codes are left")]
    NoSendsLeft,
    /// The new password is refused by the policy.
    #[error("the new password is refused")]
    Password(Vec<FieldCode>),
    /// Too many requests for one account or identifier.
    #[error("too many requests")]
    Limited(Limited),
    /// The code cannot take the way that was asked for.
    #[error(transparent)]
    Channel(#[from] ChannelRefused),
    /// Too many messages to one destination, or too much is spent.
    #[error(transparent)]
    Message(#[from] MessageRefused),
    /// No hashing thread would have had time.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The session that the request came in has ended since.
    #[error("the session has ended")]
    SessionEnded,
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl StepError {
    /// No code was sent: none are left, or the next one may leave at that time only.
    pub fn not_sent(none_left: bool, resend_after: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        if none_left {
            return Self::NoSendsLeft;
        }
        let wait = u64::try_from((resend_after - now).num_milliseconds()).unwrap_or(0).div_ceil(1000);
        // A racer was faster when the row that was read would have allowed it.
        Self::TooSoon { retry_after_secs: if wait > 0 { wait } else { RESEND_SECS.unsigned_abs() } }
    }

    /// The tries at one code are spent; another one has tries of its own.
    pub fn tries_spent() -> Self {
        Self::NoTriesLeft { retry_after_secs: RESEND_SECS.unsigned_abs() }
    }
}

impl From<FailuresError> for StepError {
    fn from(error: FailuresError) -> Self {
        match error {
            FailuresError::Closed { retry_after_secs } => Self::NoTriesLeft { retry_after_secs },
            FailuresError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<PasswordRefusal> for StepError {
    fn from(refusal: PasswordRefusal) -> Self {
        match refusal {
            PasswordRefusal::Faults(faults) => Self::Password(faults),
            PasswordRefusal::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<Limited> for StepError {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}

impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<StepError> for Problem {
    fn from(error: StepError) -> Self {
        match error {
            StepError::WrongCode { attempts_left } => {
                Self::new(ErrorCode::InvalidCode).attempts_left(u32::try_from(attempts_left).unwrap_or(0))
            }
            StepError::WrongCredential => Self::new(ErrorCode::InvalidCredential),
            StepError::NoTriesLeft { retry_after_secs } => {
                Self::new(ErrorCode::TooManyAttempts).retry_after(retry_after_secs)
            }
            StepError::TooSoon { retry_after_secs } => Self::new(ErrorCode::RateLimited).retry_after(retry_after_secs),
            StepError::NoSendsLeft => Self::new(ErrorCode::MessageLimitReached),
            StepError::Password(faults) => {
                let blank = Self::new(ErrorCode::InvalidFields);
                faults.into_iter().fold(blank, |problem, fault| problem.fault("/new_password", fault))
            }
            StepError::Limited(limited) => limited.into(),
            StepError::Channel(refused) => refused.into(),
            StepError::Message(refused) => refused.into(),
            StepError::Hashing(error) => error.into(),
            StepError::SessionEnded => Self::new(ErrorCode::SessionRevoked),
            StepError::Internal(error) => error.into(),
        }
    }
}
