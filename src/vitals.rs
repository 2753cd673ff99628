//! How this replica and its stores are, looked at once a second.
//!
//! A worker looks; whoever asks (health, metrics) is told what was seen last, at once. So strangers who ask cannot load
//! the stores, and a store that hangs makes nobody wait. A look takes at most [`PATIENCE`] for each store.
//!
//! Our clock must agree with the database's, for expiry is judged by ours: 2 seconds apart is told, at 5 the replica
//! is not ready (a test moves its own clock, so there the difference is what was moved).

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::clock::Stopwatch;
use crate::db;
use crate::metrics::Reading;

const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(1);

/// From this difference on it is told, in seconds.
const SKEW_TOLD_SECS: f64 = 2.0;
/// From this difference on the replica is not ready, in seconds.
const SKEW_UNREADY_SECS: f64 = 5.0;

/// What was seen of the database.
#[derive(Clone, Copy, Debug)]
struct DatabaseSeen {
    schema_is_current: bool,
    skew_secs: f64,
    outbox_oldest_secs: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    database: Option<DatabaseSeen>,
    redis_up: bool,
}

/// What was seen last by one server.
#[derive(Default)]
pub struct Vitals(Mutex<Seen>);

impl Vitals {
    fn seen(&self) -> Seen {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why this replica should get no requests; open set.
    pub fn unready(&self, app: &App) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if app.is_stopping() {
            reasons.push("stopping");
        }
        if app.key_ring.signing(app.clock.now()).is_none() {
            reasons.push("no_signing_key");
        }
        match self.seen().database {
            None => reasons.push("database_unavailable"),
            Some(database) if !database.schema_is_current => reasons.push("schema_outdated"),
            Some(database) if database.skew_secs.abs() >= SKEW_UNREADY_SECS => reasons.push("clock_skew"),
            Some(_) => {}
        }
        reasons
    }

    /// What is not as it should be although requests can be answered; open set.
    pub fn degraded(&self) -> Vec<&'static str> {
        let seen = self.seen();
        let mut reasons = Vec::new();
        if !seen.redis_up {
            reasons.push("redis_unavailable");
        }
        if seen.database.is_some_and(|database| database.skew_secs.abs() >= SKEW_TOLD_SECS) {
            reasons.push("clock_skew");
        }
        reasons
    }

    /// What the metrics show of it.
    pub fn reading(&self, app: &App) -> Reading {
        let seen = self.seen();
        let now = app.clock.now();
        Reading {
            hash_queue_depth: app.hashing.queue_depth(),
            hash_refused: app.hashing.refused_total(),
            limits_alone: app.limits.is_alone(),
            redis_up: seen.redis_up,
            outbox_oldest_secs: seen.database.map(|database| database.outbox_oldest_secs),
            signing_key_age_secs: app.key_ring.signing(now).map(|key| (now - key.active_from()).as_seconds_f64()),
            clock_skew_secs: seen.database.map(|database| database.skew_secs),
        }
    }

    /// Looks at both stores.
    pub async fn look(&self, app: &App) {
        let (database, redis) = tokio::join!(tokio::time::timeout(PATIENCE, look_at_database(app)), app.redis.ping());
        let seen = Seen { database: database.ok().flatten(), redis_up: redis.is_ok() };
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), seen);
        let skewed = |seen: Seen| seen.database.is_some_and(|it| it.skew_secs.abs() >= SKEW_TOLD_SECS);
        if skewed(seen) && !skewed(before) {
            let skew_secs = seen.database.map(|database| database.skew_secs);
            tracing::warn!(skew_secs, "the clocks of this replica and of the database differ");
        }
    }
}

async fn look_at_database(app: &App) -> Option<DatabaseSeen> {
    let schema_is_current = db::schema_is_current(&app.background_db).await.ok()?;
    let watch = Stopwatch::start();
    let (theirs, oldest_due) = db::clock_and_oldest_message(&app.background_db).await.ok()?;
    let ours = app.clock.now();
    // What the answer took on its way back counts for no difference.
    let skew_secs = (ours - theirs).as_seconds_f64() - watch.elapsed().as_secs_f64() / 2.0;
    let outbox_oldest_secs = oldest_due.map_or(0.0, |due| (ours - due).as_seconds_f64().max(0.0));
    Some(DatabaseSeen { schema_is_current, skew_secs, outbox_oldest_secs })
}

/// Looks every second until `stop` says true or its sender is gone.
pub async fn watch(app: Arc<App>, vitals: Arc<Vitals>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            changed = stop.changed() => if changed.is_err() { return },
            _ = ticks.tick() => vitals.look(&app).await,
        }
    }
}
