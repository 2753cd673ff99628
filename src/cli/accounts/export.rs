//! `sekisho accounts export FILE`: every active account that has an identifier, in the form that `import` reads.

use std::path::PathBuf;

use super::super::Failure;
use super::super::FromFile;
use super::super::app;
use super::super::operator;
use super::super::say;
use super::new_file::NewFile;
use crate::imports;
use crate::imports::Exported;

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
    let mut file = NewFile::begin(file)?;
    let exported = imports::export(&app, &operator(&app, "sekisho accounts"), &mut file.out).await?;
    file.keep()?;
    let Exported { written, without_identifier, inactive } = exported;
    say(&format!(
        "{written} exported; left out: {without_identifier} without an identifier, {inactive} that are not active"
    ));
    Ok(())
}
