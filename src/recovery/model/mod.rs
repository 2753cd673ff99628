//! A recovery: its states, what counts as a proof, what it refuses.

mod proof;
mod state;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

pub(super) use proof::Lost;
pub(super) use proof::Proof;
pub(super) use proof::ProofKind;
pub(super) use proof::Proved;
pub(super) use proof::is_lost;
pub(super) use proof::proved_by_code;
pub(super) use state::Ending;
pub(super) use state::State;
pub(super) use state::Told;
pub(super) use state::suffice;

use crate::accounts::AccountStatus;
use crate::accounts::Identifier;
use crate::crypto::TokenKind;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::messages::Channel;

/// How long a recovery waits for the code of its contact.
pub(super) const PENDING: TimeDelta = TimeDelta::hours(24);
/// How long its owner has to stop it (design.md §5.8).
pub(super) const WAIT: TimeDelta = TimeDelta::hours(72);
/// How long its owner has to stop it once enough was proved.
pub(super) const NOTICE: TimeDelta = TimeDelta::hours(24);
/// How long it lives once the contact is proved.
pub(super) const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long it is remembered (design.md §5.15).
pub(super) const REMEMBERED: TimeDelta = TimeDelta::days(90);
/// Wrong tries at one code that are answered; the next one is not even looked at.
pub(super) const CODE_TRIES: i32 = 5;
/// Wrong codes of authenticator apps that one recovery answers: these can be guessed.
pub(super) const APP_TRIES: i32 = 5;
/// Wrong proofs of one recovery that are answered.
pub(super) const PROOF_TRIES: i32 = 20;
/// Codes that one recovery may send.
pub(super) const SENDS: i32 = 20;

/// Recoveries of one identifier that wait or are open at a time; beyond them the newest displaces another.
pub(super) const MOST: i64 = 50;

/// `rec_…`: names a recovery for the person who began it.
pub(super) struct RecoveryToken;

impl TokenKind for RecoveryToken {
    const PREFIX: &'static str = "rec_";
}

/// `rcc_…`: ends the recoveries of an account that its notice told of.
pub(super) struct CancelToken;

impl TokenKind for CancelToken {
    const PREFIX: &'static str = "rcc_";
}

/// What a recovery begins with, all of it read.
pub(super) struct NewRecovery {
    pub identifier: Identifier,
    pub contact: Identifier,
    pub channel: Channel,
    pub lost: Vec<Lost>,
    pub message: Option<String>,
    pub client_id: String,
}

/// What was typed, as the row keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Typed {
    /// Look-up key of the identifier.
    pub identifier: String,
    /// The contact as messages go there, and its look-up key.
    pub contact: String,
    pub contact_key: String,
    /// The language of messages to the contact.
    pub language: String,
    /// For the operator.
    pub message: Option<String>,
}

/// A recovery as its row has it.
pub(super) struct Recovery {
    pub id: FlowId,
    pub account: Option<AccountId>,
    pub state: State,
    pub lost: Vec<Lost>,
    pub proofs: Vec<Proved>,
    pub typed_sealed: Vec<u8>,
    pub client_id: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub sends: i32,
    pub resend_after: DateTime<Utc>,
    pub proof_tries: i32,
}

impl Recovery {
    /// Whether it can only be completed with a new password: the old one is lost, or nobody has shown that they know it.
    pub(super) fn needs_password(&self) -> bool {
        self.lost.contains(&Lost::Password) || !self.proofs.contains(&Proved::Password)
    }

    /// What the person in it is told.
    pub(super) fn told(&self, now: DateTime<Utc>) -> Told {
        self.state.told(now, &self.proofs)
    }

    /// Whose proofs are asked for. Where there is no account, one that nobody has: the same is looked for, and not found.
    pub(super) fn subject(&self) -> AccountId {
        self.account.unwrap_or(self.id.uuid().into())
    }
}

/// Why a step was refused.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The token is unknown or too old, or the recovery has ended.
    #[error("the recovery is over")]
    Expired,
    /// A new password is needed: the old one is lost, or was not proved.
    #[error("a new password is needed")]
    PasswordNeeded,
    /// The account may do nothing.
    #[error("the account is {0:?}")]
    Inactive(AccountStatus),
    /// The token of the notice is unknown, used or too old.
    #[error("the token of the notice is void")]
    CancelTokenInvalid,
    /// Another step comes first.
    #[error("another step comes first")]
    WrongStep,
    /// What was declared lost proves nothing.
    #[error("this was declared lost")]
    Lost,
    /// What every flow may refuse.
    #[error(transparent)]
    Step(StepError),
}

impl<E: Into<StepError>> From<E> for RecoveryError {
    fn from(error: E) -> Self {
        Self::Step(error.into())
    }
}
