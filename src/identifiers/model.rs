//! Identifiers that are not proved yet, and what is refused.

use crate::flows::Refusal;
use crate::flows::StepError;
use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::IdentifierKind;
use crate::ids::IdentifierId;

/// How long an identifier waits to be proved.
pub(super) const PENDING_SECS: i64 = 24 * 60 * 60;
/// How long a removal waits.
pub(super) const REMOVAL_HOURS: i64 = 72;
/// Identifiers of one account; as many may wait to be proved.
pub const MOST: usize = 10;

/// An identifier that an account wants and has not proved yet.
pub(super) struct PendingIdentifier {
    /// Its id, also when it is proved.
    pub id: IdentifierId,
    pub kind: IdentifierKind,
    pub value: String,
    pub lookup_key: String,
}

/// An identifier that is not proved.
#[derive(Serialize, ToSchema)]
#[schema(as = UnprovedIdentifier)]
pub struct WantedIdentifier {
    /// What kind it is.
    #[schema(inline)]
    pub kind: IdentifierKind,
    /// The address or number.
    #[schema(example = "taro@example.jp")]
    pub value: String,
    /// When it was last asked for.
    pub created_at: DateTime<Utc>,
}

/// Why an identifier was not changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentifierChangeError {
    /// The account has no such identifier.
    #[error("no such identifier")]
    Unknown,
    /// It is proved already.
    #[error("it is proved already")]
    AlreadyVerified,
    /// It is proved already, and about to leave.
    #[error("it is proved already, and about to leave")]
    AlreadyLeaving,
    /// Another account was faster.
    #[error("it belongs to another account")]
    Taken,
    /// The account has as many as it may.
    #[error("too many identifiers")]
    TooMany,
    /// An account keeps one.
    #[error("the last identifier stays")]
    Last,
    /// It is about to leave.
    #[error("it is about to leave")]
    Leaving,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for IdentifierChangeError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}

impl Refusal for IdentifierChangeError {
    fn step(&self) -> Option<&StepError> {
        if let Self::Step(error) = self { Some(error) } else { None }
    }
}
