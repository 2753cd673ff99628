//! Every setting: its name, its default, its bounds.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use reqwest::Url;
use secrecy::ExposeSecret;
use secrecy::SecretString;

use super::ClientConfig;
use super::Config;
use super::ConfigFaults;
use super::DatabaseConfig;
use super::ForwardedHeader;
use super::HttpConfig;
use super::Mode;
use super::PasswordConfig;
use super::RedisConfig;
use super::Settings;
use super::TokenConfig;
use super::messages::phone;
use super::pages::pages;
use super::passkeys::passkeys;
use super::providers::messages;
use super::retention::retention;
use super::settings::Reader;
use crate::crypto::HashingConfig;
use crate::crypto::MAX_WORK_KIB;
use crate::crypto::MasterKeys;

/// The least work of the sets that OWASP's Password Storage Cheat Sheet calls equal (m=7168, t=5).
const MIN_WORK_KIB: u64 = 35_840;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Config {
    /// Reads every setting.
    ///
    /// # Errors
    /// All faults together, none of which repeats a secret.
    pub fn from_settings(mode: Mode, settings: Settings) -> Result<Self, ConfigFaults> {
        let mut read = Reader::new(settings);
        let config = Self::read(mode, &mut read);
        read.finish().map(|()| config)
    }

    pub(super) fn read(mode: Mode, read: &mut Reader) -> Self {
        let issuer = issuer(read, mode);
        let service_name = read.text("service.name").unwrap_or_else(|| "Sekisho".to_owned());
        let client = client(read, mode, &issuer);
        Self {
            mode,
            passkeys: passkeys(read, &service_name, &issuer, &client),
            service_name,
            support_url: read.value("service.support_url", None, |text| web_address(text).map(Some)),
            http: http(read, mode),
            database: database(read),
            redis: redis(read, mode),
            pages: pages(read, mode, &client.origins),
            client,
            issuer,
            master_keys: Arc::new(master_keys(read)),
            password: password(read, mode),
            phone: phone(read, mode),
            tokens: tokens(read),
            metrics: metrics(read, mode),
            retention: retention(read),
            messages: messages(read, mode),
            failure_step: read.millis("sign_in.failure_step_ms", 500, failure_steps(mode)),
            limits: limits(read, mode),
            docs: read.flag("docs.enabled", mode == Mode::Development),
            log_json: read.flag("log.json", mode == Mode::Production),
            log_filter: read.text("log.filter").unwrap_or_else(|| "info,sqlx=warn".to_owned()),
        }
    }
}

/// `https://host[:port]`, or `http` in development.
fn issuer(read: &mut Reader, mode: Mode) -> String {
    let text = read.required("service.issuer", "the public address of this service, e.g. https://auth.example.com");
    if text.is_empty() {
        return text;
    }
    let text = text.strip_suffix('/').unwrap_or(&text).to_owned();
    match web_address(&text) {
        Ok(_) if text.matches('/').count() > 2 || text.contains(['?', '#', '@']) => {
            read.fault("`service.issuer` must be scheme and host, without a path".to_owned());
        }
        Ok(_) if mode == Mode::Production && !text.starts_with("https://") => {
            read.fault("`service.issuer` must begin with https://".to_owned());
        }
        Ok(_) => {}
        Err(fault) => read.fault(format!("`service.issuer`: {fault}")),
    }
    text
}

pub(super) fn web_address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fine = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.is_ascii()
        && !text.contains([' ', '\\', '"', '<']);
    if fine { Ok(text.to_owned()) } else { Err("must be an http:// or https:// address".to_owned()) }
}

fn http(read: &mut Reader, mode: Mode) -> HttpConfig {
    let listen = read.parsed_list("http.listen", |item| {
        item.parse::<SocketAddr>().map_err(|_| format!("{item:?} is not an address and port such as 0.0.0.0:8080"))
    });
    let cores = available_parallelism().map_or(2, usize::from);
    HttpConfig {
        listen: if listen.is_empty() { vec![SocketAddr::from(([127, 0, 0, 1], 8080))] } else { listen },
        workers: read.number("http.workers", cores, 1..=1024),
        trusted_proxies: read.parsed_list("http.trusted_proxies", trusted_network),
        forwarded_header: read.value("http.forwarded_header", ForwardedHeader::default(), |text| match text {
            "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
            "forwarded" => Ok(ForwardedHeader::Forwarded),
            _ => Err("must be x-forwarded-for or forwarded".to_owned()),
        }),
        // Only the tests, whose machine is busy with many servers at once, have more patience.
        deadline: read.millis("http.deadline_ms", 2000, deadlines(mode)),
        drain: read.secs("http.drain_secs", 5, 0..=300),
    }
}

/// A request waits for a hash for a second at most and for a connection for another; more is a store that hangs.
fn deadlines(mode: Mode) -> RangeInclusive<u64> {
    if mode == Mode::Production { 1000..=5000 } else { 1000..=60_000 }
}

/// Two development servers may run on one machine, so there it is served only when it is asked for.
fn metrics(read: &mut Reader, mode: Mode) -> Option<SocketAddr> {
    let default = (mode == Mode::Production).then(|| SocketAddr::from(([127, 0, 0, 1], 9464)));
    read.value("metrics.listen", default, |text| match text {
        "off" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| "must be an address and port such as 127.0.0.1:9464, or off".to_owned())
        }
    })
}

/// A network of proxies. One that holds nearly everybody would let everybody invent their address.
fn trusted_network(item: &str) -> Result<ipnet::IpNet, String> {
    let host = item.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
    let network: ipnet::IpNet =
        item.parse().or(host).map_err(|_| format!("{item:?} is not a network such as 10.0.0.0/8"))?;
    let narrowest = if network.addr().is_ipv4() { 8 } else { 7 };
    if network.prefix_len() < narrowest { Err(format!("{item:?} is too wide to be trusted")) } else { Ok(network) }
}

fn database(read: &mut Reader) -> DatabaseConfig {
    let url = read.secret("database.url", "postgres://user:password@host/database");
    let scheme = url.expose_secret().split_once("://").map(|(scheme, _)| scheme);
    if !url.expose_secret().is_empty() && !matches!(scheme, Some("postgres" | "postgresql")) {
        read.fault("`database.url` must begin with postgres://".to_owned());
    }
    DatabaseConfig {
        direct_url: read.text("database.direct_url").map_or_else(|| url.clone(), SecretString::from),
        url,
        max_connections: read.number("database.max_connections", 20, 2..=1000),
    }
}

fn redis(read: &mut Reader, mode: Mode) -> RedisConfig {
    let url = read.secret("redis.url", "redis://:password@host:6379/");
    let address = Url::parse(url.expose_secret()).ok();
    match address.filter(|address| matches!(address.scheme(), "redis" | "rediss")) {
        _ if url.expose_secret().is_empty() => {}
        None => read.fault("`redis.url` must be an address that begins with redis:// or rediss://".to_owned()),
        Some(address)
            if mode == Mode::Production && address.password().is_none_or(str::is_empty) && !is_loopback(&address) =>
        {
            read.fault("`redis.url` has no password: a Redis on another host must ask for one".to_owned());
        }
        Some(_) => {}
    }
    RedisConfig { url, prefix: read.text("redis.prefix").unwrap_or_else(|| "sekisho".to_owned()) }
}

/// Whether an address leads to this machine.
pub(super) fn is_loopback(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn master_keys(read: &mut Reader) -> MasterKeys {
    let text = read.secret("keys.master", "1:<the output of `openssl rand -base64 32`>");
    if text.expose_secret().is_empty() {
        return MasterKeys::throw_away();
    }
    MasterKeys::parse(text.expose_secret()).unwrap_or_else(|fault| {
        read.fault(format!("`keys.master`: {fault}"));
        // Never used: a fault ends the start. A fresh random key keeps even that path harmless.
        MasterKeys::throw_away()
    })
}

fn client(read: &mut Reader, mode: Mode, issuer: &str) -> ClientConfig {
    let origins = read.parsed_list("client.origins", |item| {
        let origin = web_address(item)?;
        if mode == Mode::Production && !origin.starts_with("https://") {
            return Err(format!("{item:?} must begin with https://"));
        }
        if origin.matches('/').count() == 2 {
            Ok(origin)
        } else {
            Err(format!("{item:?} is not an origin: scheme, host and port only"))
        }
    });
    ClientConfig {
        id: read.text("client.id").unwrap_or_else(|| "first-party".to_owned()),
        origins: if origins.is_empty() { vec![issuer.to_owned()] } else { origins },
        audiences: read.list("client.audiences"),
        idle_lifetime: read.secs("client.idle_lifetime_secs", 14 * DAY, MINUTE..=365 * DAY),
        absolute_lifetime: read.secs("client.absolute_lifetime_secs", 90 * DAY, MINUTE..=365 * DAY),
    }
}

fn password(read: &mut Reader, mode: Mode) -> PasswordConfig {
    let default = HashingConfig::default();
    // OWASP's smallest set of parameters is the floor in production; the tests may go lower.
    let floor = if mode == Mode::Production { 7168 } else { 8 };
    let hashing = HashingConfig {
        memory_kib: read.number("password.memory_kib", default.memory_kib, floor..=65_536),
        passes: read.number("password.passes", default.passes, 1..=10),
        lanes: read.number("password.lanes", default.lanes, 1..=4),
        threads: read.number("password.threads", default.threads, 1..=256),
        queue: read.number("password.queue", default.queue, 1..=100_000),
        deadline: read.millis("password.deadline_ms", 1000, 100..=10_000),
    };
    let work = u64::from(hashing.memory_kib) * u64::from(hashing.passes);
    if work > MAX_WORK_KIB || (mode == Mode::Production && work < MIN_WORK_KIB) {
        read.fault(format!("`password.memory_kib` times `password.passes` must be {MIN_WORK_KIB} to {MAX_WORK_KIB}"));
    }
    PasswordConfig { hashing, breached_file: read.text("password.breached_file").map(PathBuf::from) }
}

fn tokens(read: &mut Reader) -> TokenConfig {
    TokenConfig {
        access_lifetime: read.secs("tokens.access_lifetime_secs", 300, 60..=3600),
        typ: read.value("tokens.typ", "at+jwt".to_owned(), |text| match text {
            "at+jwt" | "JWT" => Ok(text.to_owned()),
            _ => Err("must be at+jwt or JWT".to_owned()),
        }),
        rotation: read.secs("tokens.rotation_secs", 30 * DAY, HOUR..=365 * DAY),
        publish_ahead: read.secs("tokens.publish_ahead_secs", 48 * HOUR, 10 * MINUTE..=30 * DAY),
    }
}

/// Without steps a refusal would tell by its time whether there is an account; only the tests may be impatient.
fn failure_steps(mode: Mode) -> RangeInclusive<u64> {
    if mode == Mode::Production { 100..=5000 } else { 0..=5000 }
}

fn limits(read: &mut Reader, mode: Mode) -> bool {
    let on = read.flag("limits.enabled", true);
    if !on && mode == Mode::Production {
        read.fault("`limits.enabled` cannot be false here".to_owned());
    }
    on
}
