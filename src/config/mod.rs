//! Settings: raw text in, finished values out, every fault reported at once.
//!
//! A setting has one name, `section.key`. It comes from the TOML file, or from the environment as
//! `SEKISHO_SECTION__KEY`, or from a file named by `SEKISHO_SECTION__KEY_FILE` (for mounted secrets); the
//! environment wins. An unknown name is a fault, so that a typing error cannot switch a rule off. Lists are
//! TOML arrays or comma-separated text.
//!
//! This is the only reader of the environment. `sekisho dev` and the tests build the same [`Settings`] by hand
//! and take the same way through [`Config::from_settings`].

mod carriers;
mod messages;
mod pages;
mod passkeys;
mod providers;
mod retention;
mod settings;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use ipnet::IpNet;
use rlibphonenumber::Region;
use secrecy::SecretString;
use webauthn_rs::Webauthn;

use crate::crypto::HashingConfig;
use crate::crypto::MasterKeys;

pub use carriers::CarrierConfig;
pub use carriers::TwilioConfig;
pub use carriers::WebhookConfig;
pub use messages::country;
pub use pages::Page;
pub use pages::PagesConfig;
pub use providers::MessagesConfig;
pub use providers::ProviderConfig;
pub use settings::ConfigFaults;
pub use settings::Settings;

/// Which command the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `sekisho dev`: loopback only, development inbox, documentation page.
    Development,
    /// `sekisho serve`: everything explicit.
    Production,
}

/// All settings, checked.
pub struct Config {
    /// Which command runs.
    pub mode: Mode,
    /// The issuer: scheme and host (and port), no path, no trailing slash.
    pub issuer: String,
    /// What the service calls itself towards people.
    pub service_name: String,
    /// Where people find help outside Sekisho, if anywhere.
    pub support_url: Option<String>,
    /// The listener.
    pub http: HttpConfig,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Redis.
    pub redis: RedisConfig,
    /// The master keys.
    pub master_keys: Arc<MasterKeys>,
    /// The first-party client.
    pub client: ClientConfig,
    /// The pages in front of this service.
    pub pages: PagesConfig,
    /// Hashing and password policy.
    pub password: PasswordConfig,
    /// Phone numbers.
    pub phone: PhoneConfig,
    /// Passkeys, where the service has a domain that they can belong to.
    pub passkeys: Option<PasskeyConfig>,
    /// Access tokens.
    pub tokens: TokenConfig,
    /// Where `/metrics` is served, if anywhere.
    pub metrics: Option<SocketAddr>,
    /// How long what is kept.
    pub retention: RetentionConfig,
    /// What leaves, and by whom; in development what nobody carries goes to the inbox.
    pub messages: MessagesConfig,
    /// Failed sign-ins answer at multiples of this after arrival; zero answers at once.
    pub failure_step: Duration,
    /// Whether limits hold; off only for load and fuzz tools on a developer's machine.
    pub limits: bool,
    /// Whether `/docs` is served.
    pub docs: bool,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// The filter of log lines, as `tracing_subscriber::EnvFilter` reads it.
    pub log_filter: String,
}

/// The listener.
pub struct HttpConfig {
    /// The addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// Worker threads.
    pub workers: usize,
    /// The proxies whose forwarded header is believed, and no others.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header that those proxies write.
    pub forwarded_header: ForwardedHeader,
    /// How long a request may take.
    pub deadline: Duration,
    /// How long a stopping server keeps accepting after it has said that it is not ready.
    pub drain: Duration,
}

/// Where a trusted proxy writes down whom it heard. Only this one is read: the other passes most proxies untouched,
/// so anybody could write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// PostgreSQL.
pub struct DatabaseConfig {
    /// Where the service connects; may be a pooler.
    pub url: SecretString,
    /// Where migrations connect: not through a pooler. The same when not set.
    pub direct_url: SecretString,
    /// Connections of the HTTP pool.
    pub max_connections: u32,
}

/// Redis.
pub struct RedisConfig {
    /// `redis://` or `rediss://`, with its password.
    pub url: SecretString,
    /// Stands before every key.
    pub prefix: String,
}

/// The first-party client: the default of every flow.
#[derive(Clone)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// The exact origins of its pages.
    pub origins: Vec<String>,
    /// What stands in `aud` beside the issuer.
    pub audiences: Vec<String>,
    /// A session ends after this long without a refresh.
    pub idle_lifetime: Duration,
    /// A session ends after this long whatever happens.
    pub absolute_lifetime: Duration,
}

/// Hashing and password policy.
pub struct PasswordConfig {
    /// Argon2id and its threads.
    pub hashing: HashingConfig,
    /// A sorted file of SHA-1 digests of breached passwords, if the operator supplies one.
    pub breached_file: Option<PathBuf>,
}

/// Phone numbers.
pub struct PhoneConfig {
    /// The countries whose numbers are served; empty for all.
    pub countries: Vec<Region>,
    /// What may be spent on them.
    pub spend: SpendConfig,
}

/// What messages to phones may cost a day, in whatever unit the prices are told.
#[derive(Clone)]
pub struct SpendConfig {
    /// What one message costs, by the two letters of the country; one where nothing is told.
    pub prices: BTreeMap<String, i64>,
    /// For all numbers that nobody has proved.
    pub unproved_per_day: i64,
    /// For those of one country.
    pub country_per_day: i64,
    /// For the codes of all numbers that somebody has proved.
    pub proved_per_day: i64,
    /// For what owners are told at their phones.
    pub notices_per_day: i64,
}

impl SpendConfig {
    /// What one message to this country costs.
    pub fn price(&self, country: &str) -> i64 {
        self.prices.get(country).copied().unwrap_or(1)
    }
}

impl PhoneConfig {
    /// Whether numbers of this country are served.
    pub fn serves(&self, country: Region) -> bool {
        self.countries.is_empty() || self.countries.contains(&country)
    }
}

/// Passkeys.
pub struct PasskeyConfig {
    /// The domain that they belong to.
    pub rp_id: String,
    /// What judges them.
    pub relying_party: Webauthn,
}

/// Access tokens.
pub struct TokenConfig {
    /// How long an access token lives.
    pub access_lifetime: Duration,
    /// The `typ` header: `at+jwt`, or `JWT` for stacks that refuse it.
    pub typ: String,
    /// How long a key signs.
    pub rotation: Duration,
    /// How long a key is published before it signs.
    pub publish_ahead: Duration,
}

/// How long what is kept, after it has served.
pub struct RetentionConfig {
    /// Ended sessions.
    pub sessions: TimeDelta,
    /// Events, which are the audit log.
    pub events: TimeDelta,
    /// The whole address of an event; later its network.
    pub addresses: TimeDelta,
    /// That a message was sent, and how.
    pub messages: TimeDelta,
}
