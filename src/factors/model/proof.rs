//! What somebody gives, and what a right answer uses up.

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;
use webauthn_rs::prelude::DiscoverableAuthentication;
use webauthn_rs::prelude::PasskeyRegistration;
use webauthn_rs::prelude::PublicKeyCredential;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::CheckError;
use super::ConfirmedFactor;
use super::FactorKind;
use crate::flows::SentCode;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::ids::SessionId;
use crate::messages::Channel;

/// What someone gave.
pub enum Presented {
    /// A code of an authenticator app, or one that was sent to a phone, as it was typed.
    Code(String),
    /// One of the ten, as it was typed.
    RecoveryCode(String),
    /// What a passkey made of its challenge.
    Passkey(Box<PublicKeyCredential>),
}

impl Presented {
    fn can_be_of(&self, kind: FactorKind) -> bool {
        match self {
            Self::Code(_) => matches!(kind, FactorKind::Totp | FactorKind::Phone),
            Self::RecoveryCode(_) => kind == FactorKind::RecoveryCode,
            Self::Passkey(_) => kind == FactorKind::Passkey,
        }
    }

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
        let mut fitting =
            factors.iter().filter(|factor| self.can_be_of(factor.kind) && named.is_none_or(|named| named == factor.id));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (None, _) if recovery && named.is_none() => Err(CheckError::Wrong),
            (None, _) => Err(CheckError::UnknownFactor),
            _ => Err(CheckError::Ambiguous),
        }
    }
}

/// What confirms an enrolment.
pub enum Confirmation {
    /// The first code of an app or a phone, as it was typed.
    Code(String),
    /// What an authenticator made of the creation options.
    Passkey(Box<RegisterPublicKeyCredential>),
}

/// A challenge that waits for its answer, as Redis keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// Burnt by the one answer that counts; tries are counted by it.
    pub(crate) id: FlowId,
    /// The passkey that may answer; none in a sign-in by passkey alone, where whichever answers says who it is.
    pub(crate) factor: Option<FactorId>,
    pub(crate) state: DiscoverableAuthentication,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A challenge that a new passkey answers, as Redis keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct RegistrationChallenge {
    pub id: FlowId,
    /// In the account: the session that it was asked in.
    pub session: Option<SessionId>,
    pub user_handle: Uuid,
    pub state: PasskeyRegistration,
    pub expires_at: DateTime<Utc>,
}

/// What a flow waits for: a code on its way, or the answer to a challenge.
pub enum Sent {
    /// A code on its way to a phone.
    Code(SentCode),
    /// A challenge to a passkey.
    Challenge(PasskeyChallenge),
}

impl Sent {
    /// What its tries are counted by.
    pub fn id(&self) -> FlowId {
        match self {
            Self::Code(code) => code.id(),
            Self::Challenge(challenge) => challenge.id,
        }
    }
}

/// A passkey as its row keeps it.
pub(crate) struct KeptPasskey {
    pub factor: FactorId,
    pub user_handle: Uuid,
    pub credential_sealed: Vec<u8>,
}

/// What a right answer leaves behind in a passkey's row.
pub struct PasskeyUse {
    pub(crate) challenge: FlowId,
    pub(crate) factor: FactorId,
    pub(crate) credential_sealed: Vec<u8>,
    pub(crate) sign_count: i64,
}

/// A passkey that was made just now.
pub struct NewPasskey {
    pub(crate) challenge: FlowId,
    pub(crate) factor: FactorId,
    pub(crate) user_handle: Uuid,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) credential_sealed: Vec<u8>,
}

/// A code or an answer that is right; to be burnt in the transaction of its effect.
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
    /// The answer of a passkey to its challenge.
    Passkey(Box<PasskeyUse>),
    /// A new passkey.
    NewPasskey(Box<NewPasskey>),
}

impl Match {
    /// How the session names it (RFC 8176).
    pub fn amr(&self) -> &'static [&'static str] {
        match self {
            Self::TotpStep { .. } | Self::RecoveryCode { .. } => &["otp"],
            Self::Sent { code, .. } if code.channel() == Channel::Voice => &["tel"],
            Self::Sent { .. } => &["sms"],
            Self::Passkey(_) | Self::NewPasskey(_) => &["pop", "user"],
        }
    }

    /// The factor that it is of, or the set of recovery codes.
    pub fn of(&self) -> FactorId {
        match self {
            Self::TotpStep { factor, .. } | Self::Sent { factor, .. } => *factor,
            Self::RecoveryCode { set, .. } => *set,
            Self::Passkey(used) => used.factor,
            Self::NewPasskey(new) => new.factor,
        }
    }

    /// Whether it was a recovery code.
    pub fn is_recovery_code(&self) -> bool {
        matches!(self, Self::RecoveryCode { .. })
    }

    /// What to tell whoever came second.
    pub fn spent(&self) -> CheckError {
        match self {
            Self::TotpStep { .. } | Self::Sent { .. } | Self::RecoveryCode { .. } => CheckError::Wrong,
            Self::Passkey(_) | Self::NewPasskey(_) => CheckError::Refused,
        }
    }
}
