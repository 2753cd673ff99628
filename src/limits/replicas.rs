//! How many replicas share the limits, from a heartbeat in PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use super::Limits;
use super::store;
use crate::crypto;
use crate::internal::Internal;

/// Nobody knows, because the heartbeat fails.
pub(super) const UNKNOWN: i64 = 0;

const BEAT: Duration = Duration::from_secs(10);
/// A replica that was not seen for so long is gone.
const GONE: TimeDelta = TimeDelta::seconds(30);

/// Says to the other replicas that this one is there, and learns how many they are.
pub struct Heartbeat {
    limits: Arc<Limits>,
    db: PgPool,
    id: Uuid,
}

impl Heartbeat {
    /// Beats for the first time, so that the number is known before the first request.
    pub async fn start(limits: Arc<Limits>, db: PgPool) -> Result<Self, Internal> {
        let heartbeat = Self { id: crypto::new_id(limits.clock.now()), limits, db };
        heartbeat.beat().await?;
        Ok(heartbeat)
    }

    /// Beats until `stopping` becomes true or its sender is gone.
    pub async fn keep(self, mut stopping: watch::Receiver<bool>) {
        while tokio::time::timeout(BEAT, stopping.changed()).await.is_err() {
            if let Err(error) = self.beat().await {
                self.limits.replicas.store(UNKNOWN, Ordering::Relaxed);
                tracing::warn!(%error, "the heartbeat fails");
            }
        }
        // Who leaves in order is not counted any longer.
        let _ = store::leave(&self.db, self.id).await;
    }

    async fn beat(&self) -> Result<(), Internal> {
        let now = self.limits.clock.now();
        let replicas = store::beat(&self.db, self.id, now, now - GONE).await?;
        self.limits.replicas.store(replicas, Ordering::Relaxed);
        Ok(())
    }
}
