//! The command line: one file a subcommand. `main` parses and calls [`run`].

mod accounts;
mod dev;
mod janitor;
mod keys;
mod limits;
mod messages;
mod migrate;
mod openapi;
mod recoveries;
mod serve;

use std::io::Write;
use std::path::PathBuf;

use chrono::DateTime;
use chrono::Utc;
use clap::Parser;
use clap::Subcommand;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::app::App;
use crate::audit::Caller;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::Mode;
use crate::config::Settings;
use crate::server::Server;

/// Sekisho, an authentication service whose second factor cannot be skipped.
#[derive(Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run on this machine without any configuration: private database, inbox for mails, API page
    Dev(dev::Arguments),
    /// Run in production; everything is configured explicitly
    Serve(ConfigFile),
    /// Bring the schema of the database up to date
    Migrate(ConfigFile),
    /// Print the OpenAPI document of `serve`
    Openapi,
    /// People's accounts
    #[command(subcommand)]
    Accounts(accounts::Action),
    /// The keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Action),
    /// How often anyone may do anything
    #[command(subcommand)]
    Limits(limits::Action),
    /// Messages that left, wait, or could not leave
    #[command(subcommand)]
    Messages(messages::Action),
    /// People who have lost the usual way into their account
    #[command(subcommand)]
    Recoveries(recoveries::Action),
    /// Purge what has served its time, which `serve` does once an hour
    Janitor(janitor::Arguments),
}

#[derive(clap::Args)]
struct ConfigFile {
    /// TOML file with settings; the environment (`SEKISHO_SECTION__KEY`) wins over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Whose settings a command takes that acts beside a running service: those of `serve`, or of a `sekisho dev`.
#[derive(clap::Args)]
struct FromFile {
    #[command(flatten)]
    file: ConfigFile,
    /// Act beside the `sekisho dev` that runs with this data folder
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dev: Option<PathBuf>,
}

/// What ends a command; its text is for the operator.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a command to its end.
///
/// # Errors
/// What the operator must mend, in words.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Dev(arguments) => dev::run(arguments).await,
        Command::Serve(from) => serve::run(from.config.as_deref()).await,
        Command::Migrate(from) => migrate::run(from.config.as_deref()).await,
        Command::Openapi => openapi::run(),
        Command::Accounts(action) => accounts::run(action).await,
        Command::Keys(action) => keys::run(action).await,
        Command::Limits(action) => limits::run(action).await,
        Command::Messages(action) => messages::run(action).await,
        Command::Recoveries(action) => recoveries::run(action).await,
        Command::Janitor(arguments) => janitor::run(arguments).await,
    }
}

/// The handles of `serve` or `dev`, for a command that acts beside it.
fn app(from: &FromFile) -> Result<App, Failure> {
    let config = match &from.dev {
        Some(folder) => Config::from_settings(Mode::Development, dev::settings(folder)?)?,
        None => Config::from_settings(Mode::Production, Settings::load(from.file.config.as_deref())?)?,
    };
    Ok(App::new(config, Clock::system())?)
}

/// Whom the audit log names: somebody at the command line of this machine.
fn operator(app: &App, command: &str) -> Caller {
    Caller::on_this_machine(&app.clock, command)
}

/// A time, or a dash where there is none.
fn shown(time: impl Into<Option<DateTime<Utc>>>) -> String {
    time.into().map_or_else(|| "-".to_owned(), |time| time.format("%FT%TZ").to_string())
}

/// Writes to the standard output; a reader that has gone is no fault of ours.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Serves until SIGTERM or SIGINT, then stops in order. A second signal ends the wait at once.
async fn serve_until_signal(server: Server) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    tokio::select! {
        () = server.stop() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
