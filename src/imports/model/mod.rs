//! What an import counts, finds and refuses.

mod read;
mod record;

use std::io;

use serde::Serialize;
use strum::EnumString;
use strum::IntoStaticStr;

use crate::crypto::HashingError;
use crate::internal::Internal;

pub(super) use read::Candidate;
pub(super) use read::Refused;
#[cfg(any(test, fuzzing))]
pub use read::import_line_property;
pub(super) use read::read;
pub(super) use record::Record;

/// What became of the lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Made an account.
    pub imported: u64,
    /// Were imported before.
    pub skipped: u64,
    /// Claim what somebody else has.
    pub parked: u64,
    /// Cannot be imported as they are.
    pub refused: u64,
}

impl Counts {
    /// Of all lines.
    pub fn total(&self) -> u64 {
        self.imported + self.skipped + self.parked + self.refused
    }
}

/// Why a line made no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody else has what it claims; a later run tries it again.
    Parked,
    /// It can never be imported as it is.
    Refused,
}

impl Outcome {
    /// Its name in the database and in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub(super) fn from_name(name: &str) -> Result<Self, Internal> {
        name.parse().map_err(|_| Internal::bug("import_findings: unknown outcome"))
    }
}

/// A line that made no account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its number, from 1.
    pub line: u64,
    /// Whom it is about, where it could be read.
    pub external_id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Which member, and what is wrong with it; never its value.
    pub reason: String,
}

/// Why a run ended before its file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
    /// No run of this file was interrupted.
    #[error("there is nothing to resume: no run of this very file was interrupted")]
    NothingToResume,
    /// This is not the format.
    #[error("{0} lines made no account: see the report, mend the file, and start again")]
    TooManyFindings(usize),
    /// Others kept taking what a batch claims.
    #[error("other processes are importing the same accounts")]
    Contended,
    /// No hashing thread.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}
