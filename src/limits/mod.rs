//! How often anyone may do anything.
//!
//! Every public operation under `/v1` names its [`Policy`]; the numbers stand in one table ([`Policy::quota`]) and are shown
//! in the OpenAPI document. The outermost layer counts every request by its network before anything else looks at it;
//! features count by account and by recipient. A decision is GCRA (generic cell rate algorithm) in Redis, with the
//! time as an argument, so replicas share one count.
//!
//! A network is an IPv4 address, or the /64, /56 and /48 of an IPv6 address: one script call each, all in one round
//! trip, and the strictest wins. A refused request counts for nothing: what the others admitted is taken back.
//!
//! Key names are keyed digests: Redis holds no address and no account.
//!
//! When Redis does not answer as it should, each replica decides by itself with its share of the numbers; how many
//! share is known from a heartbeat in PostgreSQL. When the heartbeat fails too, this replica is blind: it refuses
//! what is limited with 503, published documents excepted. Nothing fails open. The memory that stands in for Redis is a
//! table of fixed size; two keys that fall on one place share a count, which callers cannot bring about since they do
//! not know the key.
//!
//! Failures in a row are counted apart, in PostgreSQL: [`Failures`]; so is what messages to phones cost: [`SpendGuard`].

mod failures;
mod gcra;
mod network;
mod policy;
mod replicas;
mod spend;
mod store;
mod subject;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::AsyncCommands;

use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::Mac;
use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::internal::Internal;
use crate::metrics::Metrics;
use crate::redis::Redis;
use gcra::Decision;
use gcra::Rate;

pub use failures::Failing;
pub use failures::Failures;
pub use failures::FailuresError;
pub use failures::Lane;
pub use failures::Raised;
pub use policy::Policy;
pub use policy::Quota;
pub use replicas::Heartbeat;
pub use spend::Budget;
pub use spend::Callee;
pub use spend::MessageRefused;
pub use spend::SpendGuard;
pub use spend::Spent;
pub use subject::Subject;

/// Places in the memory that stands in for Redis: half a megabyte.
const FALLBACK_PLACES: usize = 1 << 16;

/// How long Redis is not asked again after it did not answer.
const PAUSE_MS: i64 = 1000;

/// How long Redis may take before this replica decides by itself.
const PATIENCE: Duration = Duration::from_millis(150);

/// An admitted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which limit.
    pub policy: Policy,
    /// How many more are admitted now.
    pub remaining: u64,
    /// When the whole quota is free again.
    pub reset_secs: u64,
}

/// A refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which limit.
    pub policy: Policy,
    /// When trying again can succeed.
    pub retry_after_secs: u64,
}

/// One key of a request, and its numbers.
struct Cell {
    digest: Mac,
    rate: Rate,
}

/// The limits of one server.
pub struct Limits {
    redis: Redis,
    clock: Clock,
    master_keys: Arc<MasterKeys>,
    enabled: bool,
    fallback: Mutex<Box<[i64]>>,
    metrics: Metrics,
    /// Zero while Redis answers.
    redis_away_until_ms: AtomicI64,
    /// How many replicas there are, or [`replicas::UNKNOWN`].
    replicas: AtomicI64,
}

impl Limits {
    /// Prepares the limits; nothing is asked of Redis yet.
    pub fn new(redis: Redis, clock: Clock, metrics: Metrics, config: &Config) -> Self {
        Self {
            redis,
            clock,
            master_keys: Arc::clone(&config.master_keys),
            enabled: config.limits,
            metrics,
            fallback: Mutex::new(vec![0; FALLBACK_PLACES].into_boxed_slice()),
            redis_away_until_ms: AtomicI64::new(0),
            replicas: AtomicI64::new(replicas::UNKNOWN),
        }
    }

    /// Counts one request of `subject` and says whether it may go on. Without limits there is nothing to tell.
    ///
    /// # Errors
    /// The limit is reached.
    pub async fn admit(&self, policy: Policy, subject: Subject<'_>) -> Result<Option<Standing>, Limited> {
        if !self.enabled {
            return Ok(None);
        }
        let cells = self.cells(policy, subject);
        let now_ms = self.clock.now().timestamp_millis();
        let decisions = self.decide(&cells, now_ms).await;
        let told = cells.iter().zip(&decisions).map(|(cell, decision)| cell.rate.told(policy, *decision, now_ms));
        let told: Result<Vec<Standing>, Limited> = told.collect();
        if told.is_err() {
            self.take_back(&cells, &decisions).await;
        }
        self.metrics.limit_decision(policy.name(), told.is_ok());
        Ok(told?.into_iter().min_by_key(|standing| standing.remaining))
    }

    /// Neither Redis nor PostgreSQL answers, so nobody knows how many requests there are.
    pub fn is_blind(&self) -> bool {
        self.enabled
            && self.redis_away_until_ms.load(Ordering::Relaxed) != 0
            && self.replicas.load(Ordering::Relaxed) == replicas::UNKNOWN
    }

    /// Whether this replica decides by itself.
    pub fn is_alone(&self) -> bool {
        self.redis_away_until_ms.load(Ordering::Relaxed) != 0
    }

    /// Where every key of a subject stands that was used lately, for an operator.
    pub async fn standings(&self, policy: Policy, subject: Subject<'_>) -> Result<Vec<Standing>, Internal> {
        let now_ms = self.clock.now().timestamp_millis();
        let mut standings = Vec::new();
        for cell in self.cells(policy, subject) {
            let arrival_ms: Option<i64> = self.redis.connection().get(self.key(&cell)).await?;
            standings.extend(arrival_ms.map(|arrival_ms| cell.rate.standing(policy, arrival_ms, now_ms)));
        }
        Ok(standings)
    }

    /// Forgets every request of a subject, for an operator.
    pub async fn forget(&self, policy: Policy, subject: Subject<'_>) -> Result<(), Internal> {
        for cell in self.cells(policy, subject) {
            let _: () = self.redis.connection().del(self.key(&cell)).await?;
        }
        Ok(())
    }

    fn cells(&self, policy: Policy, subject: Subject<'_>) -> Vec<Cell> {
        let cell = |(bytes, times): (Vec<u8>, u32)| Cell {
            digest: self.master_keys.mac(MacPurpose::LimitKey, &[policy.name().as_bytes(), &bytes]),
            rate: Rate::of(policy, times),
        };
        subject.keys().into_iter().map(cell).collect()
    }

    async fn decide(&self, cells: &[Cell], now_ms: i64) -> Vec<Decision> {
        if self.may_ask_redis(now_ms) {
            let asked = tokio::time::timeout(PATIENCE, self.ask_redis(cells, now_ms)).await;
            match asked.map_err(Internal::dependency).flatten() {
                Ok(decisions) => {
                    if self.redis_away_until_ms.swap(0, Ordering::Relaxed) != 0 {
                        tracing::info!("limits are shared again");
                    }
                    return decisions;
                }
                Err(error) => {
                    if self.redis_away_until_ms.swap(now_ms + PAUSE_MS, Ordering::Relaxed) == 0 {
                        tracing::warn!(%error, "Redis does not answer: this replica limits by itself");
                    }
                }
            }
        }
        self.ask_fallback(cells, now_ms)
    }

    /// Takes the request back where it was admitted although another network refused it.
    async fn take_back(&self, cells: &[Cell], decisions: &[Decision]) {
        let mut pipe = redis::pipe();
        for (cell, _) in cells.iter().zip(decisions).filter(|(_, decision)| decision.wait_ms == 0) {
            pipe.cmd("EVAL").arg(gcra::REFUND).arg(1).arg(self.key(cell)).arg(cell.rate.interval_ms).ignore();
        }
        // Without it, a network that was refused nearby waits a little longer than it must.
        if !pipe.is_empty() && !self.is_alone() {
            let mut connection = self.redis.connection();
            let taken = tokio::time::timeout(PATIENCE, pipe.query_async::<()>(&mut connection)).await;
            if let Ok(Err(error)) = taken {
                tracing::debug!(%error, "a refused request was not taken back");
            }
        }
    }

    /// While Redis is away, one request after each pause finds out whether it is back; the others do not wait.
    fn may_ask_redis(&self, now_ms: i64) -> bool {
        let until = self.redis_away_until_ms.load(Ordering::Relaxed);
        let next = now_ms + PAUSE_MS;
        until == 0
            || now_ms >= until
                && self.redis_away_until_ms.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    async fn ask_redis(&self, cells: &[Cell], now_ms: i64) -> Result<Vec<Decision>, Internal> {
        let mut pipe = redis::pipe();
        for cell in cells {
            let Rate { interval_ms, window_ms } = cell.rate;
            pipe.cmd("EVAL").arg(gcra::SCRIPT).arg(1).arg(self.key(cell)).arg(now_ms).arg(interval_ms).arg(window_ms);
        }
        let answers: Vec<(i64, i64)> = pipe.query_async(&mut self.redis.connection()).await?;
        Ok(answers.into_iter().map(|(wait_ms, arrival_ms)| Decision { wait_ms, arrival_ms }).collect())
    }

    fn key(&self, cell: &Cell) -> String {
        self.redis.key("limit", &hex(&cell.digest[..16]))
    }

    fn ask_fallback(&self, cells: &[Cell], now_ms: i64) -> Vec<Decision> {
        let mut places = self.fallback.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |cell: &Cell| usize::from(u16::from_be_bytes([cell.digest[0], cell.digest[1]]));
        let share = |cell: &Cell| cell.rate.shared(self.replicas.load(Ordering::Relaxed));
        let decisions: Vec<_> =
            cells.iter().map(|cell| gcra::decide(places[place(cell)], now_ms, share(cell))).collect();
        if decisions.iter().all(|decision| decision.wait_ms == 0) {
            for (cell, decision) in cells.iter().zip(&decisions) {
                places[place(cell)] = decision.arrival_ms;
            }
        }
        decisions
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
