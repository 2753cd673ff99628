//! How often anyone may do anything.
//!
//! Every public operation under `/v1` names its [`Policy`]; the numbers stand in one table ([`Policy::quota`]) and are shown
//! in the OpenAPI document. A decision is GCRA (generic cell rate algorithm) in Redis, one script call, with the
//! time as an argument, so replicas share one count. A refused request counts for nothing.
//!
//! Key names are keyed digests: Redis holds no address and no account. An IPv6 caller is its /64, which is what
//! one home or phone is given.
//!
//! When Redis does not answer, each replica decides by itself with the same numbers: limits grow by the number of
//! replicas, but nothing fails open and nobody is shut out. That memory is a table of fixed size; two keys
//! that fall on one place share a count, which callers cannot bring about since they do not know the key.

mod failures;
mod gcra;
mod policy;
mod store;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use redis::Script;

use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::metrics::LimitDecisions;
use crate::redis::Redis;
use gcra::Rate;

pub use failures::Failing;
pub use failures::Failures;
pub use failures::FailuresError;
pub use failures::Lane;
pub use failures::Raised;
pub use policy::Policy;
pub use policy::Quota;

/// Places in the memory that stands in for Redis: half a megabyte.
const FALLBACK_PLACES: usize = 1 << 16;

/// How long Redis is not asked again after it did not answer.
const PAUSE_MS: i64 = 1000;

/// A refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which limit.
    pub policy: Policy,
    /// When trying again can succeed.
    pub retry_after_secs: u64,
}

/// Whose requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The caller's IPv4 address or IPv6 /64.
    Network(IpAddr),
    /// An account.
    Account(AccountId),
    /// The limit key of an identifier.
    Recipient(&'a str),
}

impl Subject<'_> {
    /// What the key is made of; the first byte keeps the kinds apart.
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Network(ip) => match ip.to_canonical() {
                IpAddr::V4(ip) => [b"4".as_slice(), &ip.octets()].concat(),
                IpAddr::V6(ip) => [b"6".as_slice(), &ip.octets()[..8]].concat(),
            },
            Self::Account(id) => [b"a".as_slice(), id.uuid().as_bytes()].concat(),
            Self::Recipient(key) => [b"r".as_slice(), key.as_bytes()].concat(),
        }
    }
}

/// The limits of one server.
pub struct Limits {
    redis: Redis,
    clock: Clock,
    master_keys: Arc<MasterKeys>,
    enabled: bool,
    script: Script,
    fallback: Mutex<Box<[i64]>>,
    decisions: LimitDecisions,
    /// Zero while Redis answers.
    redis_away_until_ms: AtomicI64,
}

impl Limits {
    /// Prepares the limits; nothing is asked of Redis yet.
    #[must_use]
    pub fn new(redis: Redis, clock: Clock, config: &Config) -> Self {
        Self {
            redis,
            clock,
            master_keys: Arc::clone(&config.master_keys),
            enabled: config.limits,
            script: Script::new(gcra::SCRIPT),
            decisions: LimitDecisions::default(),
            fallback: Mutex::new(vec![0; FALLBACK_PLACES].into_boxed_slice()),
            redis_away_until_ms: AtomicI64::new(0),
        }
    }

    /// Counts one request of `subject` and says whether it may go on.
    ///
    /// # Errors
    /// The limit is reached.
    pub async fn admit(&self, policy: Policy, subject: Subject<'_>) -> Result<(), Limited> {
        if !self.enabled {
            return Ok(());
        }
        let digest = self.master_keys.mac(MacPurpose::LimitKey, &[policy.name().as_bytes(), &subject.bytes()]);
        let now_ms = self.clock.now().timestamp_millis();
        let rate = Rate::of(policy);
        let decided = gcra::admitted(policy, self.wait_ms(&digest, now_ms, rate).await);
        self.decisions.count(policy.name(), decided.is_ok());
        decided
    }

    /// What was decided, for the metric `limit_decisions_total`.
    #[must_use]
    pub fn decisions(&self) -> LimitDecisions {
        self.decisions.clone()
    }

    async fn wait_ms(&self, digest: &[u8; 32], now_ms: i64, rate: Rate) -> i64 {
        if self.may_ask_redis(now_ms) {
            match self.ask_redis(digest, now_ms, rate).await {
                Ok(wait_ms) => {
                    if self.redis_away_until_ms.swap(0, Ordering::Relaxed) != 0 {
                        tracing::info!("limits are shared again");
                    }
                    return wait_ms;
                }
                Err(error) => {
                    if self.redis_away_until_ms.swap(now_ms + PAUSE_MS, Ordering::Relaxed) == 0 {
                        tracing::warn!(%error, "Redis does not answer: this replica limits by itself");
                    }
                }
            }
        }
        self.ask_fallback(digest, now_ms, rate)
    }

    /// While Redis is away, one request after each pause finds out whether it is back; the others do not wait.
    fn may_ask_redis(&self, now_ms: i64) -> bool {
        let until = self.redis_away_until_ms.load(Ordering::Relaxed);
        let next = now_ms + PAUSE_MS;
        until == 0
            || now_ms >= until
                && self.redis_away_until_ms.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    async fn ask_redis(&self, digest: &[u8; 32], now_ms: i64, rate: Rate) -> Result<i64, Internal> {
        let key = self.redis.key("limit", &hex(&digest[..16]));
        let mut call = self.script.key(key);
        call.arg(now_ms).arg(rate.interval_ms).arg(rate.window_ms);
        Ok(call.invoke_async(&mut self.redis.connection()).await?)
    }

    fn ask_fallback(&self, digest: &[u8; 32], now_ms: i64, rate: Rate) -> i64 {
        let place = usize::from(u16::from_be_bytes([digest[0], digest[1]]));
        let mut places = self.fallback.lock().unwrap_or_else(PoisonError::into_inner);
        match gcra::decide(places[place], now_ms, rate) {
            Ok(arrival) => {
                places[place] = arrival;
                0
            }
            Err(wait_ms) => wait_ms,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(ip: &str) -> Vec<u8> {
        Subject::Network(ip.parse().unwrap()).bytes()
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_64() {
        // security.md 9
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
