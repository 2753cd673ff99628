//! Why a change of the account was refused.

use crate::factors::CheckError;
use crate::factors::NotConfirmed;
use crate::factors::NotRemoved;
use crate::flows::Refusal;
use crate::flows::StepError;
use crate::internal::Internal;

/// Why a change of the factors was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum FactorError {
    /// The account has no such factor or enrolment.
    #[error("no such factor")]
    Unknown,
    /// The enrolment is of another kind than what was given.
    #[error("another method")]
    OtherMethod,
    /// Recovery codes have no name and are replaced, not removed.
    #[error("recovery codes are no factor of their own")]
    RecoveryCodes,
    /// An account keeps one.
    #[error("the last factor stays")]
    Last,
    /// The number is a factor of the account already.
    #[error("the number is a factor already")]
    SameNumber,
    /// The passkey is somebody's already.
    #[error("the passkey is somebody's already")]
    SamePasskey,
    /// The account has as many as it may.
    #[error("too many factors")]
    TooMany,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for FactorError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl Refusal for FactorError {
    fn step(&self) -> Option<&StepError> {
        if let Self::Step(error) = self { Some(error) } else { None }
    }
}

/// Why an account was not closed, or not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClosureError {
    /// It is closing or closed already.
    #[error("the account is closing")]
    Closed,
    /// It is not closing, or its time has come.
    #[error("the account is not closing")]
    NotClosing,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for ClosureError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

/// Why two accounts do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// They are one.
    SameAccount,
    /// Together they have more identifiers than one may have.
    TooManyIdentifiers,
    /// Together they have more factors than one may have.
    TooManyFactors,
    /// A change of one of them waits, which may be another merge.
    ChangeWaiting,
    /// The other one has roles, which are not handed on.
    HasRoles,
}

/// Why two accounts do not become one.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    /// The other account is not there any more, or one of both is not active.
    #[error("an account is not active")]
    OtherInvalid,
    /// They do not go together.
    #[error("the accounts do not go together")]
    Clash(Vec<Clash>),
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for MergeError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl From<CheckError> for FactorError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::UnknownFactor | CheckError::Ambiguous => Self::Unknown,
            CheckError::OtherMethod => Self::OtherMethod,
            CheckError::Refused => StepError::WrongCredential.into(),
            CheckError::Wrong => StepError::WrongCode { attempts_left: 0 }.into(),
            CheckError::Hashing(error) => Internal::bug(error).into(),
            CheckError::Internal(error) => error.into(),
        }
    }
}

impl From<NotConfirmed> for FactorError {
    fn from(reason: NotConfirmed) -> Self {
        match reason {
            NotConfirmed::Over => StepError::WrongCode { attempts_left: 0 }.into(),
            NotConfirmed::SameNumber => Self::SameNumber,
            NotConfirmed::SamePasskey => Self::SamePasskey,
            NotConfirmed::TooMany => Self::TooMany,
        }
    }
}

impl From<NotRemoved> for FactorError {
    fn from(reason: NotRemoved) -> Self {
        match reason {
            NotRemoved::Unknown => Self::Unknown,
            NotRemoved::Last => Self::Last,
            NotRemoved::RecoveryCodes => Self::RecoveryCodes,
        }
    }
}
