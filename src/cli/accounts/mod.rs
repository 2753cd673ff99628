//! `sekisho accounts`: what an operator does with accounts; one file a verb. It needs the settings of `serve`.

mod export;
mod import;
mod new_file;
mod require_password_change;

use super::Failure;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Bring accounts of another system over from a file, one JSON object a line
    Import(import::Arguments),
    /// Write all active accounts that have an identifier into such a file, secrets included
    Export(export::Arguments),
    /// Let the next sign-in of somebody ask for a new password
    RequirePasswordChange(require_password_change::Arguments),
}

pub(super) async fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::Import(arguments) => import::run(arguments).await,
        Action::Export(arguments) => export::run(arguments).await,
        Action::RequirePasswordChange(arguments) => require_password_change::run(arguments).await,
    }
}
