//! Changes that wait.

use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use strum::EnumString;
use strum::IntoStaticStr;
use uuid::Uuid;

use crate::crypto::TokenKind;
use crate::ids::AccountId;
use crate::ids::ChangeId;
use crate::internal::Internal;

/// What will change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An identifier leaves the account.
    IdentifierRemoval,
    /// A number goes to whoever holds it now.
    IdentifierClaim,
    /// Another account of the same person is taken in.
    AccountMerge,
}

impl ChangeKind {
    /// Its name in the database and the API.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub(super) fn from_name(name: &str, change: ChangeId) -> Result<Self, Internal> {
        name.parse().map_err(|_| Internal::bug(format!("pending_changes {change}: unknown kind")))
    }

    /// Whether it was begun from inside the account, so that who cancels it says that a stranger was there.
    pub(super) fn comes_from_inside(self) -> bool {
        match self {
            Self::IdentifierRemoval | Self::AccountMerge => true,
            Self::IdentifierClaim => false,
        }
    }
}

/// How a change ends when its time has come.
#[derive(Clone, Copy)]
pub enum Ended {
    /// It was carried out.
    Applied,
    /// It cannot be.
    GivenUp,
}

impl Ended {
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::GivenUp => "cancelled",
        }
    }
}

/// A change that waits.
pub struct PendingChange {
    /// Its id.
    pub id: ChangeId,
    /// Whose account changes.
    pub account: AccountId,
    /// What kind it is.
    pub kind: ChangeKind,
    /// What will change: an identifier, or the account that is taken in.
    pub subject: Uuid,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it takes effect.
    pub effective_at: DateTime<Utc>,
}

/// `cct_…`: stops a change.
pub(super) struct CancelToken;

impl TokenKind for CancelToken {
    const PREFIX: &'static str = "cct_";
}

/// Why nothing was cancelled.
#[derive(Debug, thiserror::Error)]
pub(super) enum CancelError {
    /// The token is unknown, used or too late.
    #[error("the token is void")]
    TokenInvalid,
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}
