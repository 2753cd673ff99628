//! What is lost, and what proves something all the same.

use serde::Deserialize;
use serde::Serialize;
use strum::EnumString;
use strum::IntoStaticStr;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

/// What a person has no more.
#[derive(EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lost {
    /// The mailboxes.
    Email,
    /// The phones, as identifiers and as factors.
    Phone,
    /// Every second factor; recovery codes are none.
    SecondFactor,
    /// The password.
    Password,
}

impl Lost {
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }

    pub(crate) fn from_name(name: &str, recovery: FlowId) -> Result<Self, Internal> {
        name.parse().map_err(|_| Internal::bug(format!("recoveries {recovery}: unknown loss")))
    }
}

/// How something is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProofKind {
    /// The password.
    Password,
    /// One of the ten recovery codes, which is used up.
    RecoveryCode,
    /// A code that an authenticator app shows.
    Factor,
    /// A code that was sent to an identifier or a phone of the account.
    Code,
}

impl ProofKind {
    /// What it proves. Of a code that was sent this depends on where it went, which nobody is told before it was right.
    pub(crate) fn proves(self) -> Option<Proved> {
        match self {
            Self::Password => Some(Proved::Password),
            Self::RecoveryCode => Some(Proved::RecoveryCode),
            Self::Factor => Some(Proved::Factor),
            Self::Code => None,
        }
    }
}

/// What was proved; each kind counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proved {
    /// The password.
    Password,
    /// A recovery code.
    RecoveryCode,
    /// A factor: an authenticator app, or a phone that is no identifier.
    Factor,
    /// An identifier, by a code that was sent there.
    Identifier,
}

impl Proved {
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }

    pub(crate) fn from_name(name: &str, recovery: FlowId) -> Result<Self, Internal> {
        name.parse().map_err(|_| Internal::bug(format!("recovery_proofs {recovery}: unknown kind")))
    }
}

/// A proof that is right, and what it was made of: it counts as long as that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The password, in a version.
    Password(i64),
    /// A recovery code, of a set.
    RecoveryCode(FactorId),
    Factor(FactorId),
    Identifier(IdentifierId),
}

impl Proof {
    pub(crate) fn proved(self) -> Proved {
        match self {
            Self::Password(_) => Proved::Password,
            Self::RecoveryCode(_) => Proved::RecoveryCode,
            Self::Factor(_) => Proved::Factor,
            Self::Identifier(_) => Proved::Identifier,
        }
    }

    /// The version of the password.
    pub(crate) fn password_version(self) -> Option<i64> {
        if let Self::Password(version) = self { Some(version) } else { None }
    }

    /// The set, factor or identifier.
    pub(crate) fn made_of(self) -> Option<Uuid> {
        match self {
            Self::Password(_) => None,
            Self::RecoveryCode(of) | Self::Factor(of) => Some(of.uuid()),
            Self::Identifier(of) => Some(of.uuid()),
        }
    }
}

/// Whether nothing of this kind can be proved when this is lost.
pub(crate) fn is_lost(kind: ProofKind, lost: &[Lost]) -> bool {
    match kind {
        ProofKind::Password => lost.contains(&Lost::Password),
        ProofKind::Factor => lost.contains(&Lost::SecondFactor),
        // Whether a destination is lost depends on the destination.
        ProofKind::RecoveryCode | ProofKind::Code => false,
    }
}

/// What a code at this destination proves, if anything: the destination is one thing, whatever it serves as.
pub(crate) fn proved_by_code(
    address: &str,
    lost: &[Lost],
    (identifier, factor): (Option<IdentifierId>, Option<FactorId>),
) -> Option<Proof> {
    let way = if address.contains('@') { Lost::Email } else { Lost::Phone };
    if lost.contains(&way) {
        return None;
    }
    let factor = factor.filter(|_| !lost.contains(&Lost::SecondFactor));
    identifier.map(Proof::Identifier).or(factor.map(Proof::Factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md 38: what is lost proves nothing, and a destination is one proof whatever it serves as.
    #[test]
    fn a_destination_proves_one_thing_and_nothing_when_it_is_lost() {
        let (mail, phone) = ("taro@example.jp", "+819012345678");
        for (address, lost, serves, proved) in [
            (mail, &[][..], (true, false), Some(Proved::Identifier)),
            (mail, &[Lost::Phone], (true, false), Some(Proved::Identifier)),
            (mail, &[Lost::Email], (true, false), None),
            (phone, &[], (true, true), Some(Proved::Identifier)),
            (phone, &[], (false, true), Some(Proved::Factor)),
            (phone, &[Lost::SecondFactor], (false, true), None),
            (phone, &[Lost::SecondFactor], (true, true), Some(Proved::Identifier)),
            (phone, &[Lost::Phone], (true, true), None),
            (phone, &[], (false, false), None),
        ] {
            let ids = (serves.0.then(|| Uuid::nil().into()), serves.1.then(|| Uuid::nil().into()));
            let found = proved_by_code(address, lost, ids).map(Proof::proved);
            assert_eq!(found, proved, "{address} {lost:?} {serves:?}");
        }
        assert!(is_lost(ProofKind::Password, &[Lost::Password]) && !is_lost(ProofKind::Password, &[Lost::Email]));
        let all = [Lost::Email, Lost::Phone, Lost::SecondFactor, Lost::Password];
        assert!(is_lost(ProofKind::Factor, &[Lost::SecondFactor]) && !is_lost(ProofKind::RecoveryCode, &all));
    }
}
