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

/// Nobody knows, because the heartbeat fails; counted as one.
pub(super) const UNKNOWN: i64 = 0;

const BEAT: Duration = Duration::from_secs(10);
/// A replica that was not seen for so long is gone.
const GONE: TimeDelta = TimeDelta::seconds(30);
/// Beats that may fail in a row before the number counts as unknown.
const MISSED: u32 = 3;

/// Beats until `stopping` becomes true or its sender is gone.
pub async fn keep_replicas(limits: Arc<Limits>, db: PgPool, mut stopping: watch::Receiver<bool>) {
    let id: Uuid = crypto::new_id(limits.clock.now());
    let mut missed = 0;
    loop {
        match beat(&limits, &db, id).await {
            Ok(replicas) => {
                missed = 0;
                limits.replicas.store(replicas, Ordering::Relaxed);
            }
            Err(error) => {
                missed += 1;
                if missed == MISSED {
                    tracing::warn!(%error, "the heartbeat fails");
                    limits.replicas.store(UNKNOWN, Ordering::Relaxed);
                }
            }
        }
        tokio::select! {
            _ = stopping.changed() => break,
            () = tokio::time::sleep(BEAT) => {}
        }
    }
    // Who leaves in order is not counted any longer.
    let _ = store::leave(&db, id).await;
}

async fn beat(limits: &Limits, db: &PgPool, id: Uuid) -> Result<i64, Internal> {
    let now = limits.clock.now();
    store::beat(db, id, now, now - GONE).await
}
