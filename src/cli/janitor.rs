//! `sekisho janitor --once`: what every replica does once an hour, now.
//!
//! For whoever wants to see it done, or keeps replicas that live shorter than an hour. It needs the settings of `serve`.

use super::Failure;
use super::FromFile;
use super::say;
use crate::janitor;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Do every chore once, and end; `serve` does them by itself
    #[arg(long, required = true)]
    once: bool,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let app = super::app(&arguments.from)?;
    say(&format!("{:<20} {:>10}", "kind", "rows"));
    for (chore, rows) in janitor::purge(&app).await? {
        say(&format!("{chore:<20} {rows:>10}"));
    }
    Ok(())
}
