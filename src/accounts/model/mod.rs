//! Accounts and what is known of them.

mod identifier;
mod imported;
mod misspelt;
mod phone;

use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

pub use identifier::Identifier;
pub use identifier::IdentifierError;
pub use identifier::IdentifierKind;
pub use identifier::identifier_hint;
#[cfg(any(test, fuzzing))]
pub use identifier::identifier_property;
pub use identifier::limit_key;
pub use imported::Holder;
pub use imported::ImportedAccount;
pub use imported::ImportedIdentifier;
pub use imported::LegacyLogin;
pub(super) use misspelt::probably_meant;
pub use phone::phone_country;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Everything.
    Active,
    /// Nothing until an operator reinstates it.
    Suspended,
    /// Nothing but to be kept after all, and to be exported, until its time has come; its owner closes it.
    Closing,
    /// Nothing.
    Closed,
}

impl AccountStatus {
    pub(super) fn from_name(name: &str, account: AccountId) -> Result<Self, Internal> {
        match name {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            "closing" => Ok(Self::Closing),
            "closed" => Ok(Self::Closed),
            _ => Err(Internal::bug(format!("accounts {account}: unknown status"))),
        }
    }

    /// The status of a row at a time: an account whose time to close has come is closed, purged or not.
    ///
    /// # Errors
    /// The row has none that is known.
    pub fn of_row(
        name: &str,
        account: AccountId,
        (closes_at, now): (Option<DateTime<Utc>>, DateTime<Utc>),
    ) -> Result<Self, Internal> {
        Ok(Self::from_name(name, account)?.at(closes_at, now))
    }

    fn at(self, closes_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        if self == Self::Closing && closes_at.is_none_or(|at| at <= now) { Self::Closed } else { self }
    }

    /// Whether its owner may sign in: also to take a closure back.
    pub fn admits_sign_in(self) -> bool {
        matches!(self, Self::Active | Self::Closing)
    }
}

/// What is held of an account beside its profile. Whoever is signed in has no old user name any more.
pub struct AccountRemainder {
    /// What the system that it was imported from calls it.
    pub external_id: Option<String>,
    /// When its password was set; `None` when it has none.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// Whether the next sign-in asks for another password.
    pub must_change_password: bool,
    /// When it closes, once its owner has said so.
    pub closes_at: Option<DateTime<Utc>>,
}

/// The row of an account, locked until the transaction ends: the first lock of whatever opens a session or
/// changes password, factors, identifiers or status.
pub struct LockedAccount {
    pub(super) id: AccountId,
    pub(super) status: AccountStatus,
    pub(super) closes_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) roles: Vec<String>,
    pub(super) password: PasswordStanding,
}

impl LockedAccount {
    /// Whose row.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// What the account may do.
    pub fn status(&self) -> AccountStatus {
        self.status
    }

    /// What the account may do at a time: see [`AccountStatus::of_row`].
    pub fn status_at(&self, now: DateTime<Utc>) -> AccountStatus {
        self.status.at(self.closes_at, now)
    }

    /// When it was made.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// Its roles.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Raised by every change of the password.
    pub fn password_version(&self) -> i64 {
        self.password.version
    }

    /// How its password stands.
    pub fn password(&self) -> &PasswordStanding {
        &self.password
    }
}

/// How the password of an account stands.
#[derive(Clone)]
pub struct PasswordStanding {
    /// Raised by every change of the password.
    pub version: i64,
    /// Look-up key of the identifier that carried the last reset, until something else was used; see
    /// [`super::may_answer`].
    pub reset_carrier: Option<String>,
    /// A sign-in asks for a new one.
    pub must_change: bool,
}

/// A reset of a password, bound to what it may change.
#[derive(Clone, Serialize, Deserialize)]
pub struct BoundReset {
    /// Whose password.
    pub account: AccountId,
    /// The identifier that it was sent to.
    pub identifier: IdentifierId,
    /// The version of the password that it replaces.
    pub(super) version: i64,
    /// Which of the account's resets it is.
    pub(super) reset_seq: i64,
}

/// Someone who gave the right password, which opens nothing by itself.
pub struct Authenticated {
    /// Whose password it is.
    pub account: AccountId,
    /// The version of the password that was given.
    pub password_version: i64,
}

/// Why a password did not open the way to the second factor.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// No such identifier, no password or another one: one answer for all.
    #[error("wrong identifier or password")]
    Wrong {
        /// Whose password it was not, for the audit log alone.
        account: Option<AccountId>,
    },
    /// The password was right, the account is closed.
    #[error("the account is closed")]
    Closed {
        /// Whose it is, for the audit log alone.
        account: AccountId,
    },
    /// The password was right, the account is suspended.
    #[error("the account is suspended")]
    Suspended {
        /// Whose it is, for the audit log alone.
        account: AccountId,
    },
    /// No hashing thread would have had time.
    #[error(transparent)]
    Hashing(#[from] crate::crypto::HashingError),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// An account as its owner sees it.
pub struct Profile {
    /// Its id.
    pub id: AccountId,
    /// What it may do.
    pub status: AccountStatus,
    /// What messages call its owner.
    pub display_name: Option<String>,
    /// The language of messages.
    pub locale: String,
    /// The time zone of times in messages.
    pub time_zone: String,
    /// Roles of operators.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// What its owner signs in with, the primary one first.
    pub identifiers: Vec<OwnIdentifier>,
}

/// An identifier of an account.
#[derive(Clone)]
pub struct OwnIdentifier {
    /// Its id.
    pub id: IdentifierId,
    /// What kind it is.
    pub kind: IdentifierKind,
    /// The form that messages are sent to.
    pub value: String,
    /// The canonical form.
    pub lookup_key: String,
    /// When its owner proved it; when it came here, if they have not.
    pub verified_at: DateTime<Utc>,
    /// False for an imported one of which there is no proof: it signs in, and only the code that proves it goes there.
    pub proved: bool,
    /// Whether notices go there.
    pub primary: bool,
}

/// What a new account begins with.
pub struct NewAccount<'a> {
    /// The proved identifier.
    pub identifier: VerifiedIdentifier<'a>,
    /// The hash of the password (PHC string).
    pub password_hash: &'a str,
    /// What messages call its owner.
    pub display_name: Option<&'a str>,
    /// The language of messages.
    pub locale: &'a str,
}

/// An identifier whose code was given back.
pub struct VerifiedIdentifier<'a> {
    /// What kind it is.
    pub kind: IdentifierKind,
    /// The form that messages are sent to.
    pub value: &'a str,
    /// The canonical form.
    pub lookup_key: &'a str,
}
