//! What goes wrong inside, as opposed to what a caller did wrong.
//!
//! Every feature's error has one variant for it. The cause is logged once, at the edge, and never reaches a
//! caller: they learn `internal_error`, or `dependency_unavailable` when a store did not answer.
//! A function that fails with `Internal` alone has no `# Errors` section.

use std::error::Error;
use std::fmt;

/// A failure that no caller can mend.
#[derive(Debug)]
pub struct Internal {
    kind: InternalKind,
    cause: Box<dyn Error + Send + Sync>,
}

/// Read-only transaction, lock not available, deadlock, serialization failure: a later try can succeed.
const BUSY: [&str; 4] = ["25006", "55P03", "40P01", "40001"];

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InternalKind {
    /// A store or provider did not answer in time; trying again may help.
    Dependency,
    /// Sekisho broke one of its own rules.
    Bug,
}

impl Internal {
    /// A broken rule of our own, told in one sentence that names table and id but no secret.
    pub fn bug(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: InternalKind::Bug, cause: cause.into() }
    }

    /// A store or provider that did not answer.
    pub fn dependency(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: InternalKind::Dependency, cause: cause.into() }
    }

    /// Who is to blame.
    pub fn kind(&self) -> InternalKind {
        self.kind
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for Internal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

impl From<sqlx::Error> for Internal {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::dependency(error),
            // Class 57 is "operator intervention": the server is shutting down or starting; 53 "insufficient resources".
            sqlx::Error::Database(ref db)
                if db.code().is_some_and(|code| {
                    code.starts_with("57") || code.starts_with("53") || BUSY.contains(&code.as_ref())
                }) =>
            {
                Self::dependency(error)
            }
            other => Self::bug(other),
        }
    }
}

impl From<redis::RedisError> for Internal {
    fn from(error: redis::RedisError) -> Self {
        Self::dependency(error)
    }
}

impl From<serde_json::Error> for Internal {
    fn from(error: serde_json::Error) -> Self {
        // serde_json quotes the value in its message, which may be a secret: keep the place only.
        Self::bug(format!("a stored document cannot be read (line {}, column {})", error.line(), error.column()))
    }
}
