//! All SQL of limits: counts of failures, heartbeats of replicas.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgPool;
use uuid::Uuid;

use crate::crypto::Mac;
use crate::internal::Internal;

/// When a count is raised: now, since when it is remembered, and until when it would close.
pub(super) struct Times {
    pub now: DateTime<Utc>,
    pub remembered_since: DateTime<Utc>,
    pub closed_until: DateTime<Utc>,
}

/// Counts one more; `None` while the lane is closed.
pub(super) async fn raise(
    db: &PgPool,
    (key, lane): (&Mac, &str),
    most: i32,
    times: &Times,
) -> Result<Option<i32>, Internal> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO failures AS f (key, lane, count, last_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (key, lane) DO UPDATE SET last_at = $3,
             count = CASE WHEN f.closed_until IS NOT NULL OR f.last_at < $4 THEN 1 ELSE f.count + 1 END,
             closed_until = CASE WHEN f.closed_until IS NULL AND f.last_at >= $4 AND f.count + 1 >= $5 THEN $6::timestamptz END
         WHERE f.closed_until IS NULL OR f.closed_until <= $3
         RETURNING count",
        key.as_slice(),
        lane,
        times.now,
        times.remembered_since,
        most,
        times.closed_until
    )
    .fetch_optional(db)
    .await?)
}

/// The count and until when its lane is closed.
pub(super) async fn find(db: &PgPool, key: &Mac, lane: &str) -> Result<Option<(i32, Option<DateTime<Utc>>)>, Internal> {
    let row =
        sqlx::query!("SELECT count, closed_until FROM failures WHERE key = $1 AND lane = $2", key.as_slice(), lane)
            .fetch_optional(db)
            .await?;
    Ok(row.map(|row| (row.count, row.closed_until)))
}

pub(super) async fn lower(db: &PgPool, key: &Mac, lane: &str) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE failures SET count = count - 1, closed_until = NULL WHERE key = $1 AND lane = $2 AND count > 0",
        key.as_slice(),
        lane
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn delete(db: &PgPool, key: &Mac, lane: &str) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM failures WHERE key = $1 AND lane = $2", key.as_slice(), lane).execute(db).await?;
    Ok(())
}

pub(super) async fn purge(db: &PgPool, remembered_since: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM failures
         WHERE ctid = ANY(ARRAY(SELECT ctid FROM failures WHERE last_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        remembered_since,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Notes that a replica lives, forgets those that do not, and counts the rest.
pub(super) async fn beat(
    db: &PgPool,
    id: Uuid,
    now: DateTime<Utc>,
    gone_since: DateTime<Utc>,
) -> Result<i64, Internal> {
    sqlx::query!(
        "INSERT INTO replicas (id, seen_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen_at = $2",
        id,
        now
    )
    .execute(db)
    .await?;
    sqlx::query!("DELETE FROM replicas WHERE seen_at < $1", gone_since).execute(db).await?;
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM replicas"#).fetch_one(db).await?)
}

pub(super) async fn leave(db: &PgPool, id: Uuid) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM replicas WHERE id = $1", id).execute(db).await?;
    Ok(())
}
