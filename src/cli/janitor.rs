//! `sekisho janitor --once`: the purge that every replica does once an hour, now.
//!
//! For whoever wants to see it done, or keeps replicas that live shorter than an hour. Changes whose time has come are not
//! its business: every replica carries them out within a minute. It needs the settings of `serve`.

use super::Failure;
use super::FromFile;
use super::say;
use crate::janitor;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Purge once, and end. `serve` purges by itself, and it alone carries out the changes that are due
    #[arg(long, required = true)]
    once: bool,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let app = super::app(&arguments.from)?;
    let purged = janitor::purge(&app).await?;
    say(&format!("{:<20} {:>10}", "kind", "rows"));
    for (chore, rows) in purged {
        say(&format!("{chore:<20} {rows:>10}"));
    }
    Ok(())
}
