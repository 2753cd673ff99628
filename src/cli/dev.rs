//! `sekisho dev`: everything on this machine, without configuration.
//!
//! It starts a private PostgreSQL and Redis, keeps its data in `.sekisho/`, listens on loopback, catches every message
//! in an inbox and shows the API as a page. It takes no database from outside, so that no real one is ever served
//! with an inbox open beside it.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Failure;
use super::say;
use super::serve_until_signal;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::Mode;
use crate::config::Settings;
use crate::crypto::MasterKeys;
use crate::db;
use crate::embedded::Data;
use crate::embedded::Embedded;
use crate::server::Server;
use crate::telemetry;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Port on `127.0.0.1` and `::1`
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder for data that is kept between runs
    #[arg(long, default_value = ".sekisho", value_name = "DIR")]
    data: PathBuf,
    /// `off` lets load and fuzz tools do as they like
    #[arg(long, default_value = "on", value_name = "on|off", value_parser = ["on", "off"])]
    limits: String,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(None)?;
    for name in ["database.url", "database.direct_url", "redis.url"] {
        if settings.get(name).is_some() {
            return Err(format!(
                "`{name}` is set, but `sekisho dev` uses its own stores: unset it, or use `sekisho serve`"
            )
            .into());
        }
    }
    // Before the stores, so that a busy port is told at once.
    let listeners = listen(arguments.port)?;
    let embedded = Embedded::start(Data::Kept(arguments.data)).await?;
    let outcome = serve(&arguments.limits, settings, listeners, &embedded).await;
    embedded.stop().await?;
    outcome
}

async fn serve(
    limits: &str,
    settings: Settings,
    listeners: Vec<TcpListener>,
    embedded: &Embedded,
) -> Result<(), Failure> {
    let port = listeners.first().ok_or("no listener")?.local_addr()?.port();
    let url = format!("http://localhost:{port}");
    let settings = settings
        .with("service.issuer", &url)
        .with("client.origins", format!("{url},http://127.0.0.1:{port},http://[::1]:{port}"))
        .with("database.url", embedded.database_url())
        .with("redis.url", embedded.redis_url())
        .with("keys.master", master_key(embedded.folder())?.as_str())
        .with("limits.enabled", (limits == "on").to_string())
        .with("http.drain_secs", "0");
    let config = Config::from_settings(Mode::Development, settings)?;
    telemetry::init(&config)?;
    telemetry::log_panics();
    db::migrate(&config.database.direct_url).await?;
    let app = Arc::new(App::new(config, Clock::system())?);
    let server = Server::start(app, listeners).await?;
    say(&format!(
        "\n  API    {url}\n  Docs   {url}/docs\n  Inbox  {url}/dev/inbox\n\n  Data   {}\n  Ctrl-C stops everything.\n",
        embedded.folder().display()
    ));
    serve_until_signal(server).await
}

/// `127.0.0.1`, and `::1` on the same port where the machine has it.
fn listen(port: u16) -> Result<Vec<TcpListener>, Failure> {
    let bind = |address: IpAddr, port: u16| TcpListener::bind((address, port));
    let v4 = bind(Ipv4Addr::LOCALHOST.into(), port).map_err(|error| busy(port, &error))?;
    match bind(Ipv6Addr::LOCALHOST.into(), v4.local_addr()?.port()) {
        Ok(v6) => Ok(vec![v4, v6]),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(busy(port, &error).into()),
        Err(_) => Ok(vec![v4]),
    }
}

fn busy(port: u16, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} is in use: stop what listens there, or choose another with --port")
        }
        _ => format!("cannot listen on port {port}: {error}"),
    }
}

/// The key of this data folder, made at the first start; only its owner can read it.
fn master_key(folder: &Path) -> Result<Zeroizing<String>, Failure> {
    let path = folder.join("master.key");
    match std::fs::read_to_string(&path) {
        Ok(key) => return Ok(Zeroizing::new(key.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
    }
    let key = MasterKeys::generate();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut file, key.as_bytes())?;
    file.sync_all()?;
    Ok(key)
}
