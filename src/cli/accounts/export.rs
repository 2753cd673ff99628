//! `sekisho accounts export FILE`: every active account, in the form that `import` reads.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::super::Failure;
use super::super::FromFile;
use super::super::app;
use super::super::operator;
use super::super::say;
use crate::imports;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file that is not there yet; it will hold password hashes and secrets, for its owner's eyes alone
    file: PathBuf,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, from } = arguments;
    let app = app(&from)?;
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    let mut out = BufWriter::new(out.map_err(|error| format!("cannot write {}: {error}", file.display()))?);
    let count = imports::export(&app, &operator(&app, "sekisho accounts"), &mut out).await?.written;
    out.flush()?;
    say(&format!("{count} exported"));
    Ok(())
}
