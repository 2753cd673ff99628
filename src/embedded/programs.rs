//! Finds the programs of PostgreSQL and Redis on this machine.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use super::error::EmbeddedError;

/// Folders of which each child that begins so has a `bin` with one version of PostgreSQL.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/usr", "pgsql-"),
];
/// Folders of programs that need not be on PATH.
const PLAIN: [&str; 5] = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/usr/bin", "/usr/sbin"];
const LEAST_POSTGRES: u32 = 15;
const LEAST_REDIS: u32 = 7;

/// The programs to use.
#[derive(Debug)]
pub(super) struct Programs {
    /// The folder of `postgres`, `initdb` and `pg_ctl`, by major version.
    pub(super) postgres: BTreeMap<u32, PathBuf>,
    pub(super) redis_server: PathBuf,
}

impl Programs {
    /// Looks through these folders; of one version the first wins.
    pub(super) fn find(folders: &[PathBuf]) -> Result<Self, EmbeddedError> {
        let mut postgres = BTreeMap::new();
        for folder in folders {
            if folder.join("initdb").is_file()
                && folder.join("pg_ctl").is_file()
                && let Some(major) = major_version(&folder.join("postgres"))
                && major >= LEAST_POSTGRES
            {
                postgres.entry(major).or_insert_with(|| folder.clone());
            }
        }
        if postgres.is_empty() {
            return Err(missing("PostgreSQL", LEAST_POSTGRES));
        }
        let redis_server = folders
            .iter()
            .map(|folder| folder.join("redis-server"))
            .find(|program| major_version(program).is_some_and(|major| major >= LEAST_REDIS))
            .ok_or_else(|| missing("Redis", LEAST_REDIS))?;
        Ok(Self { postgres, redis_server })
    }
}

/// PATH first, then where Debian, Homebrew and the PostgreSQL project put theirs.
pub(super) fn usual_places() -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH is where the system keeps programs, not a setting of Sekisho")]
    let path = env::var_os("PATH").unwrap_or_default();
    let versioned = VERSIONED.iter().flat_map(|(parent, start)| {
        let children = fs::read_dir(parent).into_iter().flatten().flatten();
        children
            .filter(move |child| child.file_name().to_string_lossy().starts_with(start))
            .map(|child| child.path().join("bin"))
    });
    env::split_paths(&path).chain(versioned).chain(PLAIN.iter().map(PathBuf::from)).collect()
}

/// The first number that `PROGRAM --version` prints: `postgres (PostgreSQL) 15.4`, `Redis server v=7.0.15 sha=…`.
fn major_version(program: &Path) -> Option<u32> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
    number.parse().ok()
}

fn missing(program: &'static str, least: u32) -> EmbeddedError {
    let install = match (cfg!(target_os = "macos"), program) {
        (true, "Redis") => "brew install redis",
        (true, _) => "brew install postgresql@17",
        (false, "Redis") => "sudo apt-get install redis-server",
        (false, _) => "sudo apt-get install postgresql",
    };
    EmbeddedError::Missing { program, least, install }
}
