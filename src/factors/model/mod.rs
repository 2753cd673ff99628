//! Factors, enrolments and why they are refused.

mod proof;

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use strum::IntoStaticStr;
use uuid::Uuid;

use crate::crypto::HashingError;
use crate::flows::SentCode;
use crate::ids::FactorId;
use crate::internal::Internal;
use crate::messages::Channel;

pub use proof::Confirmation;
pub(super) use proof::KeptPasskey;
pub use proof::Match;
pub(super) use proof::NewPasskey;
pub(super) use proof::PasskeyChallenge;
pub(super) use proof::PasskeyUse;
pub use proof::Presented;
pub(super) use proof::RegistrationChallenge;
pub use proof::Sent;

/// Confirmed factors of one account.
pub const MOST: usize = 20;

/// What kind of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// An authenticator app (RFC 6238).
    Totp,
    /// A phone that codes are sent to.
    Phone,
    /// A passkey (WebAuthn).
    Passkey,
    /// One-time recovery codes.
    RecoveryCode,
}

impl FactorKind {
    /// Its name in the database and the API.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub(super) fn from_name(name: &str, factor: FactorId) -> Result<Self, Internal> {
        let kind = [Self::Totp, Self::Phone, Self::Passkey].into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| Internal::bug(format!("factors {factor}: unknown kind")))
    }
}

/// A second factor, as it is held.
// It is confirmed, and of recovery codes the id is the set's.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExportedFactor)]
pub struct ConfirmedFactor {
    /// Its id.
    pub id: FactorId,
    /// What kind it is.
    #[schema(inline)]
    pub kind: FactorKind,
    /// What its owner calls it; empty for recovery codes.
    #[schema(example = "My phone")]
    pub label: String,
    /// The number of a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+819012345678")]
    pub number: Option<String>,
    /// When its enrolment began.
    pub created_at: DateTime<Utc>,
    /// When it last proved who somebody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Why a code did not count.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Wrong, or used already.
    #[error("the code is wrong or used")]
    Wrong,
    /// The passkey is another one, or its answer is not to this challenge, or was used already.
    #[error("the passkey is refused")]
    Refused,
    /// The account has no such factor of this kind.
    #[error("no such factor")]
    UnknownFactor,
    /// What was given proves factors of another kind.
    #[error("another method")]
    OtherMethod,
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
            Self::Refused => "refused",
            Self::UnknownFactor => "unknown_factor",
            Self::OtherMethod => "other_method",
            Self::Ambiguous => "ambiguous",
            Self::Hashing(_) => "overloaded",
            Self::Internal(_) => "failed",
        }
    }
}

/// An enrolment that can begin.
pub enum Wanted {
    /// Of an authenticator app.
    Totp {
        /// What its owner calls it.
        label: String,
    },
    /// Of a phone.
    Phone {
        /// What its owner calls it.
        label: String,
        /// In E.164.
        number: String,
        /// How its first code travels.
        channel: Channel,
    },
    /// Of a passkey.
    Passkey {
        /// What its owner calls it.
        label: String,
    },
}

/// An enrolment that has begun.
pub struct Begun {
    /// The factor that the first code, or the passkey, will confirm.
    pub factor: FactorId,
    /// What its beginner needs.
    pub setup: Setup,
}

/// What the beginner of an enrolment needs; shown once.
pub enum Setup {
    /// Of an authenticator app.
    Totp(TotpSetup),
    /// Of a phone: its first code is on its way.
    Phone {
        /// In E.164.
        number: String,
        /// How the code travels.
        channel: Channel,
    },
    /// Of a passkey: `PublicKeyCredentialCreationOptionsJSON` (WebAuthn Level 3).
    Passkey(serde_json::Value),
}

/// The shared secret, three times.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TotpSetup {
    /// To type in (base32).
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    /// To open on the same device.
    #[schema(
        example = "otpauth://totp/Sekisho:taro%40example.jp?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Sekisho"
    )]
    pub otpauth_uri: String,
    /// To scan: an SVG image.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>")]
    pub qr_svg: String,
}

/// An enrolment that waits for its first code, or for its passkey.
pub struct PendingFactor {
    pub(super) id: FactorId,
    /// What kind it will be.
    pub kind: FactorKind,
    pub(super) label: String,
    /// Of a phone: where its code goes.
    pub number: Option<String>,
    /// Of a phone: its newest code.
    pub(super) sent: Option<SentCode>,
    /// Of a passkey: its challenge.
    pub(super) challenge: Option<RegistrationChallenge>,
}

impl PendingFactor {
    /// What its tries are counted by: the newest code, or the enrolment itself.
    pub fn counter(&self) -> Uuid {
        self.sent.as_ref().map_or(self.id.uuid(), |sent| sent.id().uuid())
    }
}

/// The right answer to an enrolment.
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
    pub fn amr(&self) -> &'static [&'static str] {
        self.proof.amr()
    }

    /// The factor that it confirms.
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
    /// The passkey is somebody's already.
    SamePasskey,
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
