//! Accounts as another system had them.

use std::fmt;

use chrono::DateTime;
use chrono::Utc;
use zeroize::Zeroizing;

use super::identifier::Identifier;
use crate::ids::AccountId;
use crate::text::fold_width;

/// Longest old user name, in characters.
const LEGACY_LOGIN_MAX: usize = 200;

/// An account to be made of what another system knew.
pub struct ImportedAccount {
    /// Its id here.
    pub id: AccountId,
    /// What the other system calls it.
    pub external_id: String,
    /// The hash, in a form that may be stored; without one the password is chosen by a reset.
    pub hash: Option<Zeroizing<String>>,
    /// Whether the next sign-in asks for another password.
    pub must_change_password: bool,
    /// What its owner signs in with; exactly one is the primary one.
    pub identifiers: Vec<ImportedIdentifier>,
    /// What its owner signed in with before.
    pub legacy_login: Option<LegacyLogin>,
    /// What messages call its owner.
    pub display_name: Option<String>,
    /// The language of messages.
    pub locale: &'static str,
    /// The time zone of times in messages.
    pub time_zone: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it was made there.
    pub created_at: DateTime<Utc>,
}

/// An identifier that another system knew.
pub struct ImportedIdentifier {
    /// The identifier.
    pub identifier: Identifier,
    /// When its owner proved it there, if ever.
    pub verified_at: Option<DateTime<Utc>>,
    /// Whether notices go there.
    pub primary: bool,
}

/// Who has what a line claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// An account that is there.
    Account(AccountId),
    /// What another line of the file becomes.
    Line(u64),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account {id}"),
            Self::Line(number) => write!(f, "line {number}"),
        }
    }
}

/// A user name of another system: good for one sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyLogin {
    written: String,
    lookup_key: String,
}

impl LegacyLogin {
    /// Reads one: full-width forms are folded, spaces around are dropped, and case makes no difference. `None` when it
    /// is empty, too long, or what an identifier looks like.
    pub fn parse(typed: &str) -> Option<Self> {
        let written = typed.trim();
        let lookup_key = fold_width(written).trim().to_lowercase();
        let length = lookup_key.chars().count();
        let fits = (1..=LEGACY_LOGIN_MAX).contains(&length) && !written.chars().any(char::is_control);
        (fits && Identifier::parse(&lookup_key, None).is_err())
            .then(|| Self { written: written.to_owned(), lookup_key })
    }

    /// As the other system wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// What decides whose it is.
    pub fn lookup_key(&self) -> &str {
        &self.lookup_key
    }
}
