//! Factors, codes and what a right code uses up.

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::crypto::HashingError;
use crate::flows::SentCode;
use crate::ids::FactorId;
use crate::internal::Internal;
use crate::messages::Channel;

/// What kind of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// An authenticator app (RFC 6238).
    Totp,
    /// A phone that codes are sent to.
    Phone,
    /// One-time recovery codes.
    RecoveryCode,
}

impl FactorKind {
    /// Its name in the database and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::RecoveryCode => "recovery_code",
        }
    }

    pub(super) fn from_name(name: &str, factor: FactorId) -> Result<Self, Internal> {
        let kind = [Self::Totp, Self::Phone].into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| Internal::bug(format!("factors {factor}: unknown kind")))
    }
}

/// A confirmed factor.
pub struct ConfirmedFactor {
    /// Its id; of recovery codes, the set's.
    pub id: FactorId,
    /// What kind it is.
    pub kind: FactorKind,
    /// What its owner calls it; recovery codes have no name.
    pub label: String,
    /// Of a phone, in E.164.
    pub number: Option<String>,
    /// When its enrolment began.
    pub created_at: DateTime<Utc>,
    /// When it last proved who somebody is.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What someone gave, as it was typed.
pub enum Presented {
    /// A code of an authenticator app, or one that was sent to a phone.
    Code(String),
    /// One of the ten.
    RecoveryCode(String),
}

impl Presented {
    /// The factor that this can be from: the named one, or the only one that fits.
    ///
    /// # Errors
    /// There is none, or there are several. A recovery code when none is left is wrong like any other.
    pub fn factor<'a>(
        &self,
        factors: &'a [ConfirmedFactor],
        named: Option<FactorId>,
    ) -> Result<&'a ConfirmedFactor, CheckError> {
        let recovery = matches!(self, Self::RecoveryCode(_));
        let mut fitting = factors.iter().filter(|factor| {
            (factor.kind == FactorKind::RecoveryCode) == recovery && named.is_none_or(|named| named == factor.id)
        });
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (None, _) if recovery && named.is_none() => Err(CheckError::Wrong),
            (None, _) => Err(CheckError::UnknownFactor),
            _ => Err(CheckError::Ambiguous),
        }
    }
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
    /// A code that was sent to a phone.
    Sent {
        /// Whose.
        factor: FactorId,
        /// Which.
        code: SentCode,
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
            Self::Sent { code, .. } => amr_of(code.channel()),
        }
    }

    /// Whether it was a recovery code.
    #[must_use]
    pub fn is_recovery_code(&self) -> bool {
        matches!(self, Self::RecoveryCode { .. })
    }
}

fn amr_of(channel: Channel) -> &'static str {
    if channel == Channel::Voice { "tel" } else { "sms" }
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

/// An enrolment that waits for its first code.
pub struct PendingFactor {
    pub(super) id: FactorId,
    /// What kind it will be.
    pub kind: FactorKind,
    pub(super) label: String,
    /// Of a phone: where its code goes.
    pub number: Option<String>,
    /// Of a phone: its newest code.
    pub(super) sent: Option<SentCode>,
}

impl PendingFactor {
    /// What its tries are counted by: the newest code, or the enrolment itself.
    #[must_use]
    pub fn counter(&self) -> Uuid {
        self.sent.as_ref().map_or(self.id.uuid(), |sent| sent.id().uuid())
    }
}

/// A right first code of an enrolment.
pub struct EnrolmentCode {
    pub(super) factor: FactorId,
    pub(super) number: Option<String>,
    pub(super) proof: Match,
    /// What kind of factor it confirms.
    pub kind: FactorKind,
    /// What the factor's owner calls it.
    pub label: String,
}

impl EnrolmentCode {
    /// How the session names it (RFC 8176).
    #[must_use]
    pub fn amr(&self) -> &'static str {
        self.proof.amr()
    }

    /// The factor that it confirms.
    #[must_use]
    pub fn factor(&self) -> FactorId {
        self.factor
    }
}

/// Why an enrolment was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConfirmed {
    /// It is confirmed or over, or its code was used.
    Over,
    /// The number is a factor of the account already.
    SameNumber,
    /// The account has as many factors as it may.
    TooMany,
}

/// Why a factor was not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRemoved {
    /// The account has no such factor.
    Unknown,
    /// An account keeps one.
    Last,
    /// Recovery codes are replaced, not removed.
    RecoveryCodes,
}
