//! `sekisho accounts import FILE`: see `imports` for what it does. Progress goes to the standard error, the report to
//! the standard output or a file.

use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::path::PathBuf;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

use super::super::Failure;
use super::super::FromFile;
use super::super::app;
use super::super::operator;
use super::super::say;
use super::new_file::NewFile;
use crate::crypto;
use crate::imports;
use crate::imports::Counts;
use crate::imports::Finding;
use crate::imports::Options;
use crate::imports::Progress;

/// A line of progress for every so many lines of the file, where there is no terminal.
const LINES_PER_NOTE: u64 = 10_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The file; its form is in the README
    file: PathBuf,
    /// Judge every line, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on where a run of the same file was interrupted
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
    /// Write the lines that made no account into a file that is not there yet, as JSON, one a line
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, dry_run, resume, report, from } = arguments;
    // Before the hashing threads start, which inherit it. Without it the import is as good, only less modest.
    let _ = crypto::stand_back();
    let app = app(&from)?;
    // Begun first, so that nothing is imported of which no report could be given.
    let report = report.map(NewFile::begin).transpose()?;
    let caller = operator(&app, "sekisho accounts");
    let mut shown = Shown::new();
    let outcome = imports::import(&app, &caller, &file, Options { dry_run, resume }, |progress| shown.show(progress));
    let outcome = outcome.await;
    shown.end();
    let done = outcome?;
    match report {
        Some(mut file) => {
            write_findings(&mut file.out, &done.findings)?;
            file.keep()?;
        }
        None => done.findings.iter().for_each(|finding| say(&told(finding))),
    }
    let counted = counted(&done.counts);
    say(&if dry_run { format!("nothing was changed; an import would end with: {counted}") } else { counted });
    let Counts { imported, skipped, .. } = done.counts;
    // Some lines that cannot be are usual; none that can mean another file than was thought.
    if imported + skipped == 0 {
        return Err("not one line of the file has an account now".into());
    }
    Ok(())
}

fn write_findings(file: &mut impl Write, findings: &[Finding]) -> Result<(), Failure> {
    for finding in findings {
        serde_json::to_writer(&mut *file, finding)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

fn told(finding: &Finding) -> String {
    let Finding { line, external_id, outcome, reason } = finding;
    let whose = external_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("line {line}{whose} {}: {reason}", outcome.name())
}

fn counted(counts: &Counts) -> String {
    let Counts { imported, skipped, parked, refused } = counts;
    format!("{imported} imported, {skipped} skipped, {parked} parked, {refused} refused")
}

/// A bar on a terminal, lines elsewhere.
struct Shown {
    bar: Option<ProgressBar>,
    noted: u64,
}

impl Shown {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_bar} {percent:>3}% {eta} left · {msg}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, noted: 0 }
    }

    fn show(&mut self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total_bytes);
            bar.set_position(progress.bytes);
            bar.set_message(counted(&progress.counts));
        } else if progress.counts.total() >= self.noted + LINES_PER_NOTE {
            self.noted = progress.counts.total();
            let _ = writeln!(io::stderr().lock(), "{}", counted(&progress.counts));
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
