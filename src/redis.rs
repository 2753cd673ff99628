//! Redis: one connection that reconnects by itself, and the names of keys.
//!
//! Redis holds only what expires and may be lost. Names carry a hash tag, so that everything that one script
//! touches lies on one node of a cluster. Values carry their own `expires_at`, judged by our clock; the time to
//! live only collects rubbish.
//!
//! When Redis does not answer, nobody waits for it twice: for [`PAUSE`] every call fails at once, then one call
//! finds out whether it is back. So a request that needs Redis several times stays within its deadline.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::Client;
use redis::Cmd;
use redis::ErrorKind;
use redis::Pipeline;
use redis::RedisError;
use redis::RedisFuture;
use redis::RedisResult;
use redis::Value;
use redis::aio::ConnectionLike;
use redis::aio::ConnectionManager;
use redis::aio::ConnectionManagerConfig;
use secrecy::ExposeSecret;

use crate::clock::Stopwatch;
use crate::config::RedisConfig;
use crate::internal::Internal;

/// No call waits longer than this for Redis.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(500);

/// How long Redis is left alone after it did not answer.
const PAUSE: Duration = Duration::from_millis(500);

/// The connection of one server.
#[derive(Clone)]
pub struct Redis {
    connection: Connection,
    prefix: String,
}

impl Redis {
    /// Prepares the connection; it is made when it is first used, and made anew when it breaks.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn new(config: &RedisConfig) -> Result<Self, Internal> {
        let client = redis::Client::open(config.url.expose_secret())
            .map_err(|_| Internal::bug("the Redis URL cannot be read"))?;
        let manager = RwLock::new(manager(&client)?);
        let connection = Connection(Arc::new(Shared { client, manager, absence: Absence::new() }));
        Ok(Self { connection, prefix: config.prefix.clone() })
    }

    /// A handle for commands.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// The name of a key: `prefix:kind:{tag}`, with `tag` as the hash tag of Redis Cluster.
    pub fn key(&self, kind: &str, tag: &str) -> String {
        format!("{}:{kind}:{{{tag}}}", self.prefix)
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Internal> {
        Ok(redis::cmd("PING").query_async(&mut self.connection()).await?)
    }
}

fn manager(client: &Client) -> RedisResult<ConnectionManager> {
    let settings = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(client.clone(), settings)
}

/// The shared connection, which fails fast while Redis is known to be away.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

struct Shared {
    client: Client,
    manager: RwLock<ConnectionManager>,
    absence: Absence,
}

impl Connection {
    fn manager(&self) -> ConnectionManager {
        self.0.manager.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note<T>(&self, outcome: &RedisResult<T>) {
        self.0.absence.note(outcome);
        // A manager that was refused for its password never connects again.
        if let Err(error) = outcome
            && error.kind() == ErrorKind::AuthenticationFailed
            && let Ok(fresh) = manager(&self.0.client)
        {
            *self.0.manager.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

struct Absence {
    since_start: Stopwatch,
    /// Until when nobody asks; zero while Redis answers.
    until_ms: AtomicU64,
}

impl Absence {
    fn new() -> Self {
        Self { since_start: Stopwatch::start(), until_ms: AtomicU64::new(0) }
    }

    fn next_ms(now: Duration) -> u64 {
        u64::try_from((now + PAUSE).as_millis()).unwrap_or(u64::MAX)
    }

    /// Lets a call through, or after each pause the one that asks again.
    fn admit(&self) -> Result<(), RedisError> {
        let (until, now) = (self.until_ms.load(Ordering::Relaxed), self.since_start.elapsed());
        let may_ask = until == 0
            || now.as_millis() >= u128::from(until)
                && self
                    .until_ms
                    .compare_exchange(until, Self::next_ms(now), Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok();
        if may_ask { Ok(()) } else { Err(RedisError::from((ErrorKind::Io, "Redis did not answer a moment ago"))) }
    }

    fn note<T>(&self, outcome: &Result<T, RedisError>) {
        let away = matches!(outcome, Err(error) if error.is_timeout() || error.is_unrecoverable_error());
        let until = if away { Self::next_ms(self.since_start.elapsed()) } else { 0 };
        self.until_ms.store(until, Ordering::Relaxed);
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            self.0.absence.admit()?;
            let outcome = self.manager().req_packed_command(cmd).await;
            self.note(&outcome);
            outcome
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            self.0.absence.admit()?;
            let outcome = self.manager().req_packed_commands(pipeline, offset, count).await;
            self.note(&outcome);
            outcome
        })
    }

    fn get_db(&self) -> i64 {
        self.manager().get_db()
    }
}
