//! `sekisho dev`: everything on this machine, without configuration.
//!
//! It starts a private PostgreSQL and Redis, keeps its data in `.sekisho/`, listens on loopback, catches every message
//! in an inbox and shows the API as a page. It takes no database from outside, so that no real one is ever served
//! with an inbox open beside it. What an operator's command needs to act beside it (`--dev DIR`) stands in the folder,
//! for its owner alone.

use std::collections::BTreeMap;
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

/// The file in the data folder by which other commands find the stores.
const SETTINGS: &str = "settings.json";

/// Settings by name.
type Own = BTreeMap<String, String>;

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
    let settings = from_environment()?;
    // Before the stores, so that a busy port is told at once.
    let listeners = listen(arguments.port)?;
    let embedded = Embedded::start(Data::Kept(arguments.data)).await?;
    let outcome = serve(&arguments.limits, settings, listeners, &embedded).await;
    embedded.stop().await?;
    outcome
}

/// The settings of the environment, which may name no stores.
fn from_environment() -> Result<Settings, Failure> {
    let settings = Settings::load(None)?;
    for name in ["database.url", "database.direct_url", "redis.url"] {
        if settings.get(name).is_some() {
            return Err(format!(
                "`{name}` is set, but `sekisho dev` uses its own stores: unset it, or use `sekisho serve`"
            )
            .into());
        }
    }
    Ok(settings)
}

/// The settings of the `sekisho dev` that runs with this folder.
pub(super) fn settings(folder: &Path) -> Result<Settings, Failure> {
    let path = folder.join(SETTINGS);
    let text = std::fs::read(&path).map_err(|error| {
        format!(
            "cannot read {}: {error} (`sekisho dev` tells its folder behind \"Data\" when it starts)",
            path.display()
        )
    })?;
    Ok(with(from_environment()?, serde_json::from_slice(&text)?))
}

/// What `dev` decides by itself, laid over the environment.
fn with(settings: Settings, own: Own) -> Settings {
    own.into_iter().fold(settings, |settings, (name, value)| settings.with(&name, value))
}

async fn serve(
    limits: &str,
    settings: Settings,
    listeners: Vec<TcpListener>,
    embedded: &Embedded,
) -> Result<(), Failure> {
    let port = listeners.first().ok_or("no listener")?.local_addr()?.port();
    let url = format!("http://localhost:{port}");
    let own = [
        ("service.issuer", url.clone()),
        ("client.origins", format!("{url},http://127.0.0.1:{port},http://[::1]:{port}")),
        ("database.url", embedded.database_url().to_owned()),
        ("redis.url", embedded.redis_url().to_owned()),
        ("keys.master", master_key(embedded.folder())?.as_str().to_owned()),
        ("limits.enabled", (limits == "on").to_string()),
        ("http.drain_secs", "0".to_owned()),
    ];
    let own: Own = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    write_settings(embedded.folder(), &own)?;
    let config = Config::from_settings(Mode::Development, with(settings, own))?;
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
    write_private(&path, key.as_bytes())?;
    Ok(key)
}

/// Written anew at each start, for the ports and passwords of the stores are others.
fn write_settings(folder: &Path, own: &Own) -> Result<(), Failure> {
    let path = folder.join(SETTINGS);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("cannot write {}: {error}", path.display()).into())
        }
        _ => write_private(&path, &Zeroizing::new(serde_json::to_vec(own)?)),
    }
}

/// Writes a file that is not there yet, for its owner's eyes alone.
fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, content)?;
    Ok(file.sync_all()?)
}
