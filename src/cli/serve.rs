//! `sekisho serve`: production. It never migrates by itself.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use super::Failure;
use super::serve_until_signal;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::Mode;
use crate::config::Settings;
use crate::internal::InternalKind;
use crate::server::Server;
use crate::telemetry;

pub(super) async fn run(file: Option<&Path>) -> Result<(), Failure> {
    let config = Config::from_settings(Mode::Production, Settings::load(file)?)?;
    telemetry::init(&config)?;
    telemetry::log_panics();
    let listeners = config
        .http
        .listen
        .iter()
        .map(|address| TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}")))
        .collect::<Result<Vec<_>, _>>()?;
    let app = Arc::new(App::new(config, Clock::system())?);
    let server = Server::start(app, listeners).await.map_err(|error| match error.kind() {
        InternalKind::Dependency => format!("cannot start: PostgreSQL does not answer at `database.url`: {error}"),
        InternalKind::Bug => format!("cannot start: {error}"),
    })?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), addresses = ?server.addresses(), metrics = ?server.metrics_address(), "serving");
    serve_until_signal(server).await
}
