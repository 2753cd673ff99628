//! What is counted, and the text that Prometheus reads (`OpenMetrics` 1.0).
//!
//! One [`Metrics`] belongs to one server, not to the process: several servers of one process, as in the tests, do
//! not mix their figures, for which `metrics-exporter-prometheus` with its one recorder a process would be no help.
//!
//! A label is a word of the source or of the API document, never a value of a caller: no account, no address, no
//! path that is not in the document. What others can be asked for is asked when the text is made ([`Reading`]); asking
//! must not wait.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::DateTime;
use chrono::Utc;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Metric;
use prometheus_client::registry::Registry;

/// From a refusal that needs nothing to a request at its deadline.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Level = Gauge<f64, AtomicU64>;

/// What is looked at when the text is made. `None` is shown as NaN: it is not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Hashes waiting or running.
    pub hash_queue_depth: usize,
    /// Hashes refused since the start.
    pub hash_refused: u64,
    /// Whether limits are decided by this replica alone.
    pub limits_alone: bool,
    /// Whether Redis answers.
    pub redis_up: bool,
    /// How long the message that is most overdue has been due.
    pub outbox_oldest_secs: Option<f64>,
    /// How long the key that signs has been signing.
    pub signing_key_age_secs: Option<f64>,
    /// Our clock minus the database's.
    pub clock_skew_secs: Option<f64>,
}

struct Levels {
    hash_queue_depth: Level,
    hash_refused: Counter,
    limit_fallback: Level,
    redis_up: Level,
    outbox_oldest: Level,
    signing_key_age: Level,
    clock_skew: Level,
}

/// All that one server counts.
#[derive(Clone)]
pub struct Metrics(Arc<Kept>);

struct Kept {
    registry: Registry,
    http_requests: Counters<3>,
    http_request_seconds: Histogram,
    limit_decisions: Counters<2>,
    message_spend: Counters<1>,
    hash_wait_seconds: Histogram,
    sign_ins: Counters<2>,
    recoveries: Counters<2>,
    factor_checks: Counters<2>,
    refreshes: Counters<1>,
    password_changes: Counters<2>,
    purged: Counters<1>,
    janitor_ran: Family<Labels<1>, Level>,
    messages: Counters<3>,
    providers_broken: Family<Labels<2>, Level>,
    db_pool_wait_seconds: Histogram,
    levels: Levels,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sekisho");
        let build: Labels<1> = labels(["version"], [env!("CARGO_PKG_VERSION")]);
        registry.register("build", "The version that runs", Info::new(build));
        let r = &mut registry;
        Self(Arc::new(Kept {
            limit_decisions: made(r, "limit_decisions", "Decisions of the limits"),
            message_spend: made(r, "message_spend", "What messages to phones cost"),
            hash_wait_seconds: durations(r, "hash_wait_seconds", "How long a hash waited for its thread"),
            http_requests: made(r, "http_requests", "Answers"),
            http_request_seconds: durations(r, "http_request_seconds", "From the head of a request to its answer"),
            sign_ins: made(r, "sign_ins", "Steps of sign-ins"),
            recoveries: made(r, "recoveries", "Steps of recoveries"),
            factor_checks: made(r, "factor_checks", "Codes of factors judged"),
            refreshes: made(r, "refreshes", "Refreshes of sessions"),
            password_changes: made(r, "password_changes", "Changes and resets of passwords"),
            purged: made(r, "purged_rows", "Rows that the janitor deleted or changed"),
            janitor_ran: made(
                r,
                "janitor_ran_timestamp_seconds",
                "When a chore of the janitor was last done, to the minute",
            ),
            messages: made(r, "messages", "What became of messages"),
            providers_broken: made(r, "provider_broken", "1 while a provider is left alone because it failed"),
            db_pool_wait_seconds: durations(
                r,
                "db_pool_wait_seconds",
                "How long a transaction waited for its connection",
            ),
            levels: Levels {
                hash_queue_depth: made(r, "hash_queue_depth", "Hashes waiting or running"),
                hash_refused: made(r, "hash_refused", "Hashes refused because of the queue"),
                limit_fallback: made(r, "limit_fallback", "1 while this replica decides limits by itself"),
                redis_up: made(r, "redis_up", "1 while Redis answers"),
                outbox_oldest: made(r, "outbox_oldest_seconds", "How long the most overdue message has been due"),
                signing_key_age: made(r, "signing_key_age_seconds", "How long the key has been signing"),
                clock_skew: made(r, "clock_skew_seconds", "Our clock minus the database's"),
            },
            registry,
        }))
    }
}

impl Metrics {
    /// A request was answered; `route` is a template of the document, or `none`.
    pub fn http_request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let set = labels(["route", "method", "status"], [route, method, &status.to_string()]);
        self.0.http_requests.get_or_create(&set).inc();
        self.0.http_request_seconds.observe(took.as_secs_f64());
    }

    /// A limit was asked.
    pub fn limit_decision(&self, policy: &'static str, admitted: bool) {
        let outcome = if admitted { "admitted" } else { "refused" };
        self.0.limit_decisions.get_or_create(&labels(["policy", "outcome"], [policy, outcome])).inc();
    }

    /// A budget pays for a message to a phone.
    pub fn message_spend(&self, budget: &'static str, cost: i64) {
        let cost = u64::try_from(cost).unwrap_or(0);
        self.0.message_spend.get_or_create(&labels(["budget"], [budget])).inc_by(cost);
    }

    /// A hash waited so long for its thread.
    pub fn hash_wait(&self, waited: Duration) {
        self.0.hash_wait_seconds.observe(waited.as_secs_f64());
    }

    /// A step of a sign-in ended; `outcome` is `ok` or the code of the problem.
    pub fn sign_in(&self, step: &'static str, outcome: &'static str) {
        self.0.sign_ins.get_or_create(&labels(["step", "outcome"], [step, outcome])).inc();
    }

    /// A code of a factor was judged.
    pub fn factor_check(&self, kind: &'static str, outcome: &'static str) {
        self.0.factor_checks.get_or_create(&labels(["kind", "outcome"], [kind, outcome])).inc();
    }

    /// A step of a recovery ended; `outcome` is `ok` or the code of the problem.
    pub fn recovery(&self, step: &'static str, outcome: &'static str) {
        self.0.recoveries.get_or_create(&labels(["step", "outcome"], [step, outcome])).inc();
    }

    /// A refresh ended; `outcome` is `ok` or the code of the problem.
    pub fn refresh(&self, outcome: &'static str) {
        self.0.refreshes.get_or_create(&labels(["outcome"], [outcome])).inc();
    }

    /// A change or a reset of a password ended; `way` is `change`, `link` or `code`.
    pub fn password_change(&self, way: &'static str, outcome: &'static str) {
        self.0.password_changes.get_or_create(&labels(["way", "outcome"], [way, outcome])).inc();
    }

    /// A chore of the janitor touched so many rows.
    pub fn purged(&self, chore: &'static str, rows: u64) {
        self.0.purged.get_or_create(&labels(["kind"], [chore])).inc_by(rows);
    }

    /// A chore of the janitor was done to its end.
    pub fn janitor_ran(&self, chore: &'static str, now: DateTime<Utc>) {
        let secs = i32::try_from(now.timestamp() / 60).map_or(0.0, f64::from) * 60.0;
        self.0.janitor_ran.get_or_create(&labels(["kind"], [chore])).set(secs);
    }

    /// Something became of a message; the provider is a name of the settings, or `none`.
    pub fn message(&self, channel: &'static str, provider: &str, outcome: &'static str) {
        let set = labels(["channel", "provider", "outcome"], [channel, provider, outcome]);
        self.0.messages.get_or_create(&set).inc();
    }

    /// Whether a provider is left alone because it failed.
    pub fn provider_broken(&self, channel: &'static str, provider: &str, broken: bool) {
        let set = labels(["channel", "provider"], [channel, provider]);
        self.0.providers_broken.get_or_create(&set).set(f64::from(u8::from(broken)));
    }

    /// A transaction waited so long for its connection.
    pub fn db_pool_wait(&self, waited: Duration) {
        self.0.db_pool_wait_seconds.observe(waited.as_secs_f64());
    }

    /// The text, with what was just looked at.
    pub fn text(&self, reading: &Reading) -> String {
        let levels = &self.0.levels;
        levels.hash_queue_depth.set(f64::from(u32::try_from(reading.hash_queue_depth).unwrap_or(u32::MAX)));
        levels.hash_refused.inner().store(reading.hash_refused, std::sync::atomic::Ordering::Relaxed);
        levels.limit_fallback.set(f64::from(u8::from(reading.limits_alone)));
        levels.redis_up.set(f64::from(u8::from(reading.redis_up)));
        levels.outbox_oldest.set(reading.outbox_oldest_secs.unwrap_or(f64::NAN));
        levels.signing_key_age.set(reading.signing_key_age_secs.unwrap_or(f64::NAN));
        levels.clock_skew.set(reading.clock_skew_secs.unwrap_or(f64::NAN));
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }
}

/// A metric that stands in the text.
fn made<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let made = M::default();
    registry.register(name, help, made.clone());
    made
}

fn durations(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let made = Histogram::new(SECONDS);
    registry.register(name, help, made.clone());
    made
}

fn labels<const N: usize>(names: [&'static str; N], values: [&str; N]) -> Labels<N> {
    std::array::from_fn(|at| (names[at], values[at].to_owned()))
}
