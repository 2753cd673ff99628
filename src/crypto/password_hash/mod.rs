//! Password hashing: argon2id on threads of its own, with admission control.
//!
//! Hashing is the cost of the service, so it is managed here and nowhere else. [`HashingThreads`] is a fixed
//! set of OS threads, each of which owns its argon2 memory for life, so a flood changes neither the memory
//! (threads × `memory_kib`) nor the speed of one hash. On Linux they run at a lower priority than the HTTP
//! workers, so that cheap requests stay fast meanwhile.
//!
//! A password try goes in two steps, because a refusal must cost the caller nothing: first
//! [`HashingThreads::reserve`], then whatever counts the try, then the work on the [`HashingSlot`].
//!
//! ```text
//! let slot = threads.reserve()?;              // 503 here, before any failure is counted
//! failures.raise(...).await?;
//! let verified = slot.verify(&password, &phc).await?;
//! ```
//!
//! Rules
//! * A slot that has been given is served: what would wait longer than `deadline`, judged by the measured cost
//!   of a hash and the slots given before it, is refused at once with the seconds to wait.
//! * A job whose caller has gone is skipped. A job that panics fails alone; its thread lives on.
//! * Stored parameters are bounded *before* they run ([`MAX_MEMORY_KIB`], [`MAX_PASSES`], [`MAX_LANES`],
//!   [`MAX_WORK_KIB`]): hashes are imported, and `m=4194304` in one of them would take 4 GiB and ten seconds
//!   of every sign-in try. Out of bounds is an internal error.
//! * A hash that needs more memory than its thread owns gets it for that one job and gives it back.
//! * Comparison is constant-time. Secrets are wiped after use; the argon2 memory is not (wiping 19 MiB costs a
//!   tenth of the hash), it is overwritten by the next job.
//!
//! Hashes that other systems made are verified here too, each as it stands until its owner signs in (`stored`,
//! `legacy`).
//!
//! It knows no policy: which passwords are good is for `password_policy` to say.

mod algorithm;
mod legacy;
mod priority;
mod secret;
mod slot;
mod stored;
#[cfg(test)]
mod tests;
mod threads;

use std::io;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

pub use algorithm::MAX_LANES;
pub use algorithm::MAX_MEMORY_KIB;
pub use algorithm::MAX_PASSES;
pub use algorithm::MAX_WORK_KIB;
pub use algorithm::Verified;
pub use priority::stand_back;
pub use secret::MAX_PASSWORD_CODE_POINTS;
pub use secret::NormalisedPassword;
pub use slot::HashingSlot;
pub use stored::ImportedHash;
pub use stored::WeakHash;
#[cfg(any(test, fuzzing))]
pub use stored::stored_hash_property;
pub use threads::HashingThreads;

use crate::internal::Internal;

/// How new hashes are made, and how much hashing there may be at once.
#[derive(Clone, Debug)]
pub struct HashingConfig {
    /// Memory of one hash in KiB (argon2 `m`).
    pub memory_kib: u32,
    /// Passes over that memory (argon2 `t`).
    pub passes: u32,
    /// Lanes (argon2 `p`); they run one after another.
    pub lanes: u32,
    /// OS threads that hash.
    pub threads: usize,
    /// How many slots may be given at once, whatever the deadline says.
    pub queue: usize,
    /// How long a job may be expected to wait.
    pub deadline: Duration,
}

/// argon2id m=19456 t=2 p=1 (OWASP Password Storage Cheat Sheet), one thread a core, one second of waiting.
impl Default for HashingConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            queue: 1_000,
            deadline: Duration::from_secs(1),
        }
    }
}

/// Why a hash was not computed.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// More is waiting than can be served in time. Nothing was counted or computed.
    #[error("too much hashing is waiting already")]
    Overloaded {
        /// When the queue is expected to have been worked off.
        retry_after_secs: u64,
    },
    /// A stored hash that cannot or must not run, or a job that was lost.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// Why the threads did not start.
#[derive(Debug, thiserror::Error)]
pub enum HashingStartError {
    /// The configured parameters are outside what is ever run.
    #[error("argon2 parameters m={memory_kib} t={passes} p={lanes} are refused: {reason}")]
    Parameters {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
        /// Which bound they break.
        reason: &'static str,
    },
    /// No thread is configured.
    #[error("at least one hashing thread and one place in the queue are needed")]
    NoThreads,
    /// The system gave no thread.
    #[error("a hashing thread could not be started")]
    Thread(#[from] io::Error),
}
