//! Factors, codes and what a right code uses up.

use serde::Deserialize;
use serde::Serialize;

use super::recovery_codes::RecoveryCode;
use super::totp::TotpCode;
use crate::crypto::HashingError;
use crate::ids::FactorId;
use crate::internal::Internal;

/// What kind of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// An authenticator app (RFC 6238).
    Totp,
    /// One-time recovery codes.
    RecoveryCode,
}

/// A confirmed factor, as the step that asks for it shows it.
pub struct ConfirmedFactor {
    /// Its id; of recovery codes, the set's.
    pub id: FactorId,
    /// What kind it is.
    pub kind: FactorKind,
    /// What its owner calls it.
    pub label: String,
}

/// A code that someone gave.
pub enum PresentedCode {
    /// From an authenticator app.
    Totp(TotpCode),
    /// One of the ten.
    Recovery(RecoveryCode),
}

/// A code that is right; to be burnt in the transaction of its effect.
pub enum Match {
    /// A time step of an authenticator app.
    TotpStep {
        /// Whose.
        factor: FactorId,
        /// Which.
        step: i64,
    },
    /// An unused recovery code.
    RecoveryCode {
        /// The set.
        set: FactorId,
        /// Which.
        digest: [u8; 32],
    },
}

impl Match {
    /// How the session names it (RFC 8176).
    #[must_use]
    pub fn amr(&self) -> &'static str {
        match self {
            Self::TotpStep { .. } | Self::RecoveryCode { .. } => "otp",
        }
    }

    /// Whether it was a recovery code.
    #[must_use]
    pub fn is_recovery_code(&self) -> bool {
        matches!(self, Self::RecoveryCode { .. })
    }

    /// The factor that it belongs to.
    #[must_use]
    pub fn factor(&self) -> FactorId {
        match self {
            Self::TotpStep { factor, .. } => *factor,
            Self::RecoveryCode { set, .. } => *set,
        }
    }
}

/// Why a code did not count.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Wrong, or used already.
    #[error("the code is wrong or used")]
    Wrong,
    /// The account has no such factor of this kind.
    #[error("no such factor")]
    UnknownFactor,
    /// Several factors fit: one must be named.
    #[error("several factors fit")]
    Ambiguous,
    /// No hashing thread would have had time.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl CheckError {
    /// The error's name in metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::UnknownFactor => "unknown_factor",
            Self::Ambiguous => "ambiguous",
            Self::Hashing(_) => "overloaded",
            Self::Internal(_) => "failed",
        }
    }
}

/// What a person needs to set up an authenticator app; shown once.
pub struct TotpEnrolment {
    /// The factor that the first code will confirm.
    pub factor: FactorId,
    /// The shared secret in base32.
    pub secret: String,
    /// The same for an app to read.
    pub otpauth_uri: String,
    /// The same as a QR code.
    pub qr_svg: String,
}

/// A right first code of an enrolment.
pub struct EnrolmentCode {
    pub(super) factor: FactorId,
    pub(super) step: i64,
    pub(super) label: String,
}

impl EnrolmentCode {
    /// What the factor's owner calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}
