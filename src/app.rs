//! The handles that a feature may use. It knows no feature.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::PgPool;

use crate::clock::Clock;
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::crypto::HashingThreads;
use crate::crypto::KeyRing;
use crate::db;
use crate::db::Tx;
use crate::internal::Internal;
use crate::limits::Failures;
use crate::limits::Limits;
use crate::limits::SpendGuard;
use crate::messages::Channels;
use crate::messages::Wake;
use crate::metrics::Metrics;
use crate::password_policy::PasswordPolicy;
use crate::redis::Redis;

/// Workers have more patience than requests.
const BACKGROUND_DEADLINE: Duration = Duration::from_secs(5);

/// Everything that a request or a worker of one server shares.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// PostgreSQL, for requests.
    pub db: PgPool,
    /// PostgreSQL, for workers, so that a flood of requests cannot starve them.
    pub background_db: PgPool,
    /// PostgreSQL, for what is counted whether or not the transaction around it is committed. A request that holds a
    /// connection of `db` waits for one of these only, so requests never wait for each other.
    counting_db: PgPool,
    /// Redis.
    pub redis: Redis,
    /// The hashing threads.
    pub hashing: HashingThreads,
    /// The keys that sign access tokens.
    pub key_ring: KeyRing,
    /// How often anyone may do anything.
    pub limits: Arc<Limits>,
    /// Failures in a row.
    pub failures: Failures,
    /// What messages to phones may cost.
    pub spend: SpendGuard,
    /// What is counted.
    pub metrics: Metrics,
    /// Which passwords may be chosen.
    pub password_policy: PasswordPolicy,
    /// The ways that messages can take.
    pub channels: Channels,
    /// Rung after a commit that may have put a message into the outbox.
    pub outbox_bell: Wake,
    stopping: AtomicBool,
}

impl App {
    /// Prepares every handle; nothing is connected yet.
    ///
    /// # Errors
    /// A URL that cannot be read, or threads that cannot be started.
    pub fn new(config: Config, clock: Clock) -> Result<Self, Internal> {
        let redis = Redis::new(&config.redis)?;
        let metrics = Metrics::default();
        let db = db::pool(&config.database.url, config.database.max_connections, config.http.deadline)?;
        let half = config.database.max_connections / 2;
        let counting_db = db::pool(&config.database.url, half, config.http.deadline)?;
        Ok(Self {
            background_db: db::pool(&config.database.url, 4, BACKGROUND_DEADLINE)?,
            hashing: HashingThreads::start(&config.password.hashing, metrics.clone()).map_err(Internal::bug)?,
            key_ring: KeyRing::default(),
            limits: Arc::new(Limits::new(redis.clone(), clock.clone(), metrics.clone(), &config)),
            spend: SpendGuard::new(counting_db.clone(), clock.clone(), metrics.clone(), &config),
            failures: Failures::new(counting_db.clone(), clock.clone(), &config),
            password_policy: PasswordPolicy::new(&config.service_name, config.password.breached_file.as_deref())
                .map_err(Internal::bug)?,
            channels: Channels::new(&config, &clock),
            outbox_bell: Wake::default(),
            stopping: AtomicBool::new(false),
            counting_db,
            db,
            redis,
            metrics,
            clock,
            config,
        })
    }

    /// Says from now on that this replica wants no more requests.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether this replica is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Begins a transaction; dropped without a commit, it never happened.
    ///
    /// # Errors
    /// No connection was to be had.
    pub async fn begin(&self) -> Result<Tx, Internal> {
        let watch = Stopwatch::start();
        let tx = self.db.begin().await;
        self.metrics.db_pool_wait(watch.elapsed());
        Ok(tx?)
    }

    /// Closes every connection to PostgreSQL.
    pub async fn close(&self) {
        for pool in [&self.db, &self.background_db, &self.counting_db] {
            pool.close().await;
        }
    }

    /// Commits, then wakes the outbox.
    ///
    /// # Errors
    /// The commit failed; nothing has happened.
    pub async fn commit(&self, tx: Tx) -> Result<(), Internal> {
        tx.commit().await?;
        self.outbox_bell.ring();
        Ok(())
    }
}
