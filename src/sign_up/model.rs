//! A pending sign-up and what it refuses.

use crate::accounts::Identifier;
use crate::crypto::TokenKind;
use crate::flows::StepError;
use crate::messages::Channel;
use crate::password_policy::AcceptedPassword;

/// How long a sign-up waits for its code.
pub(super) const PENDING_SECS: i64 = 24 * 60 * 60;
/// Wrong codes that are answered; the next one is not even looked at.
pub(super) const TRIES: i32 = 5;
/// Codes that one sign-up may send: 10 × 5 guesses at a million are nobody's chance.
pub(super) const SENDS: i32 = 10;

/// `sup_…`: names a pending sign-up for the person who began it.
pub(super) struct SignUpToken;

impl TokenKind for SignUpToken {
    const PREFIX: &'static str = "sup_";
}

/// What a sign-up begins with, all of it judged.
pub(super) struct NewSignUp {
    pub identifier: Identifier,
    pub channel: Channel,
    pub password: AcceptedPassword,
    pub display_name: Option<String>,
    pub locale: String,
    pub client_id: String,
}

/// Why a step was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignUpError {
    /// The token is unknown or used, the sign-up too old, or its address has an account by now.
    #[error("the sign-up is over")]
    Expired,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for SignUpError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}
