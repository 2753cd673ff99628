//! A private PostgreSQL and a private Redis, started from the machine's own programs, for `sekisho dev` and the tests.
//!
//! Rules:
//! * Both listen on a random free port of 127.0.0.1 only and demand a random password. No Unix sockets: their paths
//!   have a length limit that a deep checkout passes.
//! * A folder belongs to one process at a time: an operating-system lock, which even `kill -9` gives back, says so.
//!   Two folders never meet, so two checkouts run side by side.
//! * Whatever ends this process ends both servers: each runs under a small shell that waits on a pipe from here
//!   (`supervisor.sh`). They sit in process groups of their own, so that Ctrl-C reaches them only through
//!   [`Embedded::stop`]. If even the shell was killed, the next start stops what it left, after making sure that the
//!   process really serves this folder.
//! * Kept data survives any crash of Sekisho: PostgreSQL runs with its safe defaults. Throw-away data trades all
//!   safety for speed and is removed at the end.
//! * As root both run as another user, for PostgreSQL refuses root: the folder's owner if it has one already, else
//!   `postgres` or `nobody`; and under `/var/lib/sekisho-dev/` where that user cannot reach the wanted folder.
//!
//! It refuses PostgreSQL below 15 and Redis below 7, a folder in use, and data of another PostgreSQL version. Every
//! [`EmbeddedError`] is one line that says what to do.

mod error;
mod folder;
mod postgres;
mod programs;
mod redis;
mod supervised;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::path::PathBuf;

pub use error::EmbeddedError;

use folder::Folder;
use programs::Programs;
use supervised::Supervised;

/// Where the data lives, and for how long.
#[derive(Debug, Clone)]
pub enum Data {
    /// In this folder, for the next run to find.
    Kept(PathBuf),
    /// In a new folder of the system's temporary folder, removed at the end, and without any safety against a crash.
    ThrowAway,
}

/// The two running servers. Dropping it stops them too, but blocks for as long as they take.
#[derive(Debug)]
pub struct Embedded {
    postgres: Running,
    redis: Running,
    /// Last, so that the folder's lock is given back after both have ended.
    folder: Folder,
}

/// One server that answers, and how to reach it.
#[derive(Debug)]
struct Running {
    process: Supervised,
    url: String,
}

impl Embedded {
    /// Starts both side by side and returns once both answer.
    ///
    /// # Errors
    /// A program is missing or too old, the folder is in use or cannot be used, or a server does not come up.
    pub async fn start(data: Data) -> Result<Self, EmbeddedError> {
        let programs = Programs::find(&programs::usual_places())?;
        let folder = Folder::open(data)?;
        let (postgres, redis) =
            tokio::try_join!(postgres::start(&programs, &folder), redis::start(&programs, &folder))?;
        Ok(Self { postgres, redis, folder })
    }

    /// URL of the database `sekisho`, password included. Its role is a superuser of this server.
    pub fn database_url(&self) -> &str {
        &self.postgres.url
    }

    /// URL of Redis, password included.
    pub fn redis_url(&self) -> &str {
        &self.redis.url
    }

    /// The folder in use: the wanted one, or its stand-in under `/var/lib/sekisho-dev/`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops both, data safe, and gives the folder back.
    ///
    /// # Errors
    /// A server that has not ended after 30 s.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        self.postgres.process.let_go();
        self.redis.process.let_go();
        let redis = self.redis.process.ended().await;
        self.postgres.process.ended().await.and(redis)
    }
}
