//! A program that ends when this process does, and its log.
//!
//! Ending is asked for by closing a pipe, which the kernel does for us whatever becomes of this process.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;

use super::error::EmbeddedError;
use super::folder::Folder;

/// How often anything is looked at while waiting for it.
pub(super) const POLL: Duration = Duration::from_millis(25);
/// 60 s of polls: recovery after a power cut takes its time.
const POLLS_TO_ANSWER: u32 = 2400;
/// 30 s of polls: how long a program may take to end.
const POLLS_TO_END: u32 = 1200;
/// 5 s of polls: how long a drop may block.
const POLLS_IN_DROP: u32 = 200;

/// What to run, and how it wants to be stopped.
pub(super) struct Job<'a> {
    /// As it is called in an error message.
    pub(super) name: &'static str,
    pub(super) program: &'a Path,
    /// The signal that stops it gracefully.
    pub(super) signal: &'static str,
    /// The folder to work in: it holds the log and the program runs there.
    pub(super) place: &'a Path,
    /// Whether the place goes when the program ends.
    pub(super) remove_place: bool,
}

/// A program under its supervisor.
#[derive(Debug)]
pub(super) struct Supervised {
    name: &'static str,
    shell: Child,
    /// Open for as long as the program shall run.
    pipe: Option<ChildStdin>,
    log: PathBuf,
}

impl Supervised {
    pub(super) fn start(
        job: &Job<'_>,
        folder: &Folder,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<Self, EmbeddedError> {
        let log = job.place.join("log");
        let output = folder.create_private(&log)?;
        let errors = output.try_clone();
        let errors = errors.map_err(|cause| EmbeddedError::folder(&log, cause))?;
        let remove = if job.remove_place { job.place.as_os_str() } else { OsStr::new("") };
        let mut shell = folder
            .command("sh")
            .args(["-c", include_str!("supervisor.sh"), "sh", job.signal])
            .arg(remove)
            .arg(job.program)
            .args(arguments)
            .current_dir(job.place)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|cause| EmbeddedError::run(job.name, cause))?;
        Ok(Self { name: job.name, pipe: shell.stdin.take(), shell, log })
    }

    /// Whether the program has ended, and how.
    pub(super) fn exit(&mut self) -> Result<Option<ExitStatus>, EmbeddedError> {
        let status = self.shell.try_wait();
        status.map_err(|cause| EmbeddedError::run(self.name, cause))
    }

    /// Waits until the program answers.
    pub(super) async fn until(&mut self, answers: impl AsyncFn() -> bool) -> Result<(), EmbeddedError> {
        for _ in 0..POLLS_TO_ANSWER {
            if self.exit()?.is_some() {
                return Err(self.failed());
            }
            if answers().await {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(self.failed())
    }

    /// Waits until the program has ended by itself or been let go.
    pub(super) async fn ended(&mut self) -> Result<(), EmbeddedError> {
        for _ in 0..POLLS_TO_END {
            match self.exit()? {
                Some(status) if self.pipe.is_none() || status.success() => return Ok(()),
                Some(_) => return Err(self.failed()),
                None => tokio::time::sleep(POLL).await,
            }
        }
        Err(EmbeddedError::Stuck { name: self.name, process: self.shell.id().to_string() })
    }

    /// Asks the program to end.
    pub(super) fn let_go(&mut self) {
        self.pipe = None;
    }

    #[cfg(test)]
    pub(super) fn shell_id(&self) -> u32 {
        self.shell.id()
    }

    /// What it has written since it was started.
    pub(super) fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The error of a program that ended too soon or does not answer.
    pub(super) fn failed(&self) -> EmbeddedError {
        EmbeddedError::Failed { name: self.name, reason: reason(&self.log()), log: self.log.clone() }
    }
}

impl Drop for Supervised {
    /// Waits a little, so that the folder's lock outlives the program.
    fn drop(&mut self) {
        self.let_go();
        for _ in 0..POLLS_IN_DROP {
            if !matches!(self.shell.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// The line of a log that says why the program ended: the last fatal one, else the last.
fn reason(log: &str) -> String {
    // What PostgreSQL tells those who knock too early says nothing.
    let early = ["the database system is", "database \"sekisho\" does not exist"];
    let fatal = ["FATAL:", "PANIC:", "error:"];
    let has = |line: &str, words: &[&str]| words.iter().any(|word| line.contains(word));
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty() && !has(line, &early));
    let line = lines().rfind(|line| has(line, &fatal)).or_else(|| lines().next_back());
    line.unwrap_or("it wrote nothing to its log").to_owned()
}
