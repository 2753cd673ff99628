//! Redis: one connection that reconnects by itself, and the names of keys.
//!
//! Redis holds only what expires and may be lost. Names carry a hash tag, so that everything that one script
//! touches lies on one node of a cluster. Values carry their own `expires_at`, judged by our clock; the time to
//! live only collects rubbish.

use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::aio::ConnectionManagerConfig;
use secrecy::ExposeSecret;

use crate::config::RedisConfig;
use crate::internal::Internal;

/// No request waits longer than this for Redis.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(500);

/// The connection of one server.
#[derive(Clone)]
pub struct Redis {
    manager: ConnectionManager,
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
        let settings = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECTION_TIMEOUT))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let manager = ConnectionManager::new_lazy_with_config(client, settings)?;
        Ok(Self { manager, prefix: config.prefix.clone() })
    }

    /// A handle for commands.
    #[must_use]
    pub fn connection(&self) -> ConnectionManager {
        self.manager.clone()
    }

    /// The name of a key: `prefix:kind:{tag}`, with `tag` as the hash tag of Redis Cluster.
    #[must_use]
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
