//! What can go wrong, each in one line that says what to do.

use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Why the private servers are not running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No program, or only old ones.
    #[error("{program} {least} or newer was not found: `make run` installs it, or run `{install}`")]
    Missing {
        /// The product that is missing.
        program: &'static str,
        /// The lowest version that will do.
        least: u32,
        /// The command that installs it on this system.
        install: &'static str,
    },
    /// Another process runs on this folder.
    #[error("another sekisho is using {}: stop it, or choose another folder with --data", folder.display())]
    InUse {
        /// The folder with the lock.
        folder: PathBuf,
    },
    /// A file or folder that could not be read, made or written.
    #[error("{}: {cause}; {}", path.display(), advice(&cause.to_string()))]
    Folder {
        /// The one that could not be used.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The data was written by a PostgreSQL that is not installed.
    #[error(
        "{} was made by PostgreSQL {made_by}, which was not found (only {found}): install it, choose another folder with --data, or delete this one",
        folder.display()
    )]
    OtherVersion {
        /// The folder of the data.
        folder: PathBuf,
        /// The major version in its `PG_VERSION`.
        made_by: String,
        /// The newest major version found.
        found: u32,
    },
    /// Running as root, and nobody to become.
    #[error(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run this as an ordinary user"
    )]
    NoUser,
    /// A program that could not be run at all.
    #[error("{name} cannot be run: {cause}; check that its program is installed and may be executed")]
    Run {
        /// The program.
        name: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// A server that ended too soon or does not answer.
    #[error("{name} does not start: {reason}; {} (log: {})", advice(reason), log.display())]
    Failed {
        /// The program.
        name: &'static str,
        /// The line of its log that says why.
        reason: String,
        /// Its log.
        log: PathBuf,
    },
    /// A process that was asked to end and has not.
    #[error("{name} (process {process}) does not stop: end it with `kill -9 {process}` and start again")]
    Stuck {
        /// The program.
        name: &'static str,
        /// The process to end.
        process: String,
    },
}

impl EmbeddedError {
    pub(super) fn folder(path: &Path, cause: io::Error) -> Self {
        Self::Folder { path: path.to_owned(), cause }
    }

    pub(super) fn run(name: &'static str, cause: io::Error) -> Self {
        Self::Run { name, cause }
    }
}

/// What to do about a message of the system or of a server.
fn advice(message: &str) -> &'static str {
    let says = |words: &str| message.contains(words);
    if says("No space left") || says("Disk quota") {
        "free some disk space and start again"
    } else if says("Permission denied") || says("Read-only") || says("not permitted") {
        "give this user the right to read and write it, or choose another folder with --data"
    } else if says("Address already in use") {
        "start again for another port"
    } else {
        "mend that and start again, or choose another folder with --data"
    }
}
