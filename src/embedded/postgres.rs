//! The private PostgreSQL: made once, started, known to answer, stopped if an earlier run left it.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sqlx::Connection;
use sqlx::Executor;
use sqlx::PgConnection;

use crate::crypto::random_bytes;

use super::Running;
use super::error::EmbeddedError;
use super::folder::Folder;
use super::folder::unique;
use super::programs::Programs;
use super::supervised::Job;
use super::supervised::Supervised;

const NAME: &str = "PostgreSQL";
/// Role and database.
const SEKISHO: &str = "sekisho";
/// SQLSTATE `invalid_catalog_name`: the server is up but was never given its database.
const NO_SUCH_DATABASE: &str = "3D000";
/// Tries against what passes by itself: a port taken between choosing and using it, remains of a killed server.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);
/// Longest wait for one connection attempt.
const ANSWER: Duration = Duration::from_secs(2);

/// What one PostgreSQL is made of.
struct Server<'a> {
    folder: &'a Folder,
    bin: PathBuf,
    place: PathBuf,
    data: PathBuf,
    password: String,
}

pub(super) async fn start(programs: &Programs, folder: &Folder) -> Result<Running, EmbeddedError> {
    let place = folder.place("postgres")?;
    let data = place.join("data");
    let mut server = Server { bin: bin(programs, &data)?, password: String::new(), folder, place, data };
    if exists(&server.data)? {
        server.stop_remains().await?;
        let file = server.place.join("password");
        let password = fs::read_to_string(&file);
        server.password = password.map_err(|cause| EmbeddedError::folder(&file, cause))?;
    } else {
        server.create().await?;
    }
    let mut tries = 0;
    loop {
        let port = free_port()?;
        let mut process = server.run("postgres", "INT", &server.options(port))?;
        let url = server.url(port, SEKISHO);
        let answered = process.until(async || server.answers(port, &url).await).await;
        let Err(error) = answered else {
            return Ok(Running { process, url });
        };
        tries += 1;
        if tries == TRIES || !passes(&process.log()) {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A port that is free now.
pub(super) fn free_port() -> Result<u16, EmbeddedError> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let address = address.map_err(|cause| EmbeddedError::run("a server on 127.0.0.1", cause))?;
    Ok(address.port())
}

impl Server<'_> {
    /// Makes the cluster under another name, so that what has the right name is whole.
    async fn create(&mut self) -> Result<(), EmbeddedError> {
        self.remove_unfinished()?;
        self.password = HEXLOWER.encode(&random_bytes::<24>());
        let file = self.place.join("password");
        let mut handle = self.folder.create_private(&file)?;
        let written = handle.write_all(self.password.as_bytes());
        written.map_err(|cause| EmbeddedError::folder(&file, cause))?;

        let unfinished = self.place.join(unique("unfinished"));
        let mut process = self.run("initdb", "TERM", &self.initdb(&unfinished, "C.UTF-8"))?;
        let mut made = process.ended().await;
        if made.is_err() && process.log().contains("locale") {
            // macOS knows C.UTF-8 since version 15 only.
            process = self.run("initdb", "TERM", &self.initdb(&unfinished, "C"))?;
            made = process.ended().await;
        }
        made?;
        let renamed = fs::rename(&unfinished, &self.data);
        renamed.map_err(|cause| EmbeddedError::folder(&self.data, cause))
    }

    fn remove_unfinished(&self) -> Result<(), EmbeddedError> {
        let failed = |cause| EmbeddedError::folder(&self.place, cause);
        for entry in fs::read_dir(&self.place).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.to_string_lossy().contains("/unfinished-") {
                fs::remove_dir_all(&path).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn initdb(&self, target: &Path, locale: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "--username".into(),
            SEKISHO.into(),
            "--auth=scram-sha-256".into(),
            "--encoding=UTF8".into(),
            format!("--locale={locale}").into(),
            "--no-instructions".into(),
            "--pwfile".into(),
            self.place.join("password").into(),
            "--pgdata".into(),
            target.into(),
        ];
        if !self.folder.is_kept() {
            arguments.push("--no-sync".into());
        }
        arguments
    }

    fn options(&self, port: u16) -> Vec<OsString> {
        let mut settings = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "logging_collector=off".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        if !self.folder.is_kept() {
            let fast = ["fsync", "full_page_writes", "synchronous_commit"];
            settings.extend(fast.map(|name| format!("{name}=off")));
            settings.push("max_connections=300".to_owned());
        }
        let mut arguments = vec![OsString::from("-D"), self.data.clone().into()];
        for setting in settings {
            arguments.extend([OsString::from("-c"), setting.into()]);
        }
        arguments
    }

    fn run(&self, program: &str, signal: &'static str, arguments: &[OsString]) -> Result<Supervised, EmbeddedError> {
        let serves = program == "postgres";
        let job = Job {
            name: NAME,
            program: &self.bin.join(program),
            signal: if serves && !self.folder.is_kept() { "QUIT" } else { signal },
            place: &self.place,
            remove_place: serves && !self.folder.is_kept(),
        };
        Supervised::start(&job, self.folder, arguments)
    }

    fn url(&self, port: u16, database: &str) -> String {
        let password = &self.password;
        format!("postgres://{SEKISHO}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    /// Whether the server lets us in; the first time it is given its database.
    async fn answers(&self, port: u16, url: &str) -> bool {
        match tokio::time::timeout(ANSWER, PgConnection::connect(url)).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                return true;
            }
            Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(NO_SUCH_DATABASE) => {
                self.create_database(port).await;
            }
            _ => {}
        }
        false
    }

    /// Best effort: the next poll tells whether it is there.
    async fn create_database(&self, port: u16) {
        if let Ok(mut server) = PgConnection::connect(&self.url(port, "postgres")).await {
            let _ = server.execute("CREATE DATABASE sekisho").await;
            let _ = server.close().await;
        }
    }

    /// Stops the server that an earlier run left behind, if its process really serves this data.
    async fn stop_remains(&self) -> Result<(), EmbeddedError> {
        let file = self.data.join("postmaster.pid");
        let Ok(text) = fs::read_to_string(&file) else {
            return Ok(());
        };
        let process = text.lines().next().unwrap_or_default().trim().to_owned();
        let Some(command) = command_line(&process) else {
            // Dead. PostgreSQL itself finds that out and cleans up.
            return Ok(());
        };
        if !command.contains(&*self.data.to_string_lossy()) {
            // The number was given to a stranger, whom PostgreSQL would take for itself.
            return fs::remove_file(&file).map_err(|cause| EmbeddedError::folder(&file, cause));
        }
        let fast_stop = ["stop", "-m", "fast", "-w", "-t", "25", "-D"];
        let mut arguments: Vec<OsString> = fast_stop.iter().map(OsString::from).collect();
        arguments.push(self.data.clone().into());
        let stopped = self.run("pg_ctl", "TERM", &arguments)?.ended().await;
        if stopped.is_err() && command_line(&process).is_some() {
            return Err(EmbeddedError::Stuck { name: NAME, process });
        }
        Ok(())
    }
}

/// The programs of the version that made the data, or the newest for new data.
fn bin(programs: &Programs, data: &Path) -> Result<PathBuf, EmbeddedError> {
    let versions = &programs.postgres;
    let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
    let made_by = made_by.as_deref().map(str::trim);
    let chosen = match made_by {
        Some(version) => version.parse().ok().and_then(|major| versions.get(&major)),
        None => versions.values().next_back(),
    };
    chosen.cloned().ok_or_else(|| EmbeddedError::OtherVersion {
        folder: data.to_owned(),
        made_by: made_by.unwrap_or_default().to_owned(),
        found: versions.keys().next_back().copied().unwrap_or_default(),
    })
}

fn exists(path: &Path) -> Result<bool, EmbeddedError> {
    let found = path.try_exists();
    found.map_err(|cause| EmbeddedError::folder(path, cause))
}

/// Whether a start failed for a reason that goes away.
fn passes(log: &str) -> bool {
    log.contains("Address already in use")
        || log.contains("still in use")
        || log.contains("\"postmaster.pid\" already exists")
}

/// How a living process was called; `ps` where there is no `/proc`.
pub(super) fn command_line(process: &str) -> Option<String> {
    let bytes = if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{process}/cmdline")).ok()?
    } else {
        let mut ps = Command::new("ps");
        let ps = ps.args(["-ww", "-o", "command=", "-p", process]);
        ps.output().ok()?.stdout
    };
    // A process that has ended but was not waited for has no command line any more.
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
