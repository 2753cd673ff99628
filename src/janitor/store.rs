//! All SQL of the janitor: rows of features that have nothing else to do with their end.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgPool;
use uuid::Uuid;

use super::chore::Step;
use crate::crypto;
use crate::internal::Internal;

/// Sign-ups that nobody verified, and those that made an account.
pub(super) async fn sign_ups(db: &PgPool, now: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM sign_ups
         WHERE id = ANY(ARRAY(SELECT id FROM sign_ups WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        now,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Enrolments whose first code never came.
pub(super) async fn enrolments(db: &PgPool, now: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM factors WHERE id = ANY(ARRAY(SELECT id FROM factors WHERE confirmed_at IS NULL AND expires_at <= $1
                                                  LIMIT $2 FOR UPDATE SKIP LOCKED))",
        now,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Ids that were burnt before `until`.
pub(super) async fn consumed_flows(db: &PgPool, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM consumed_flows
         WHERE flow_id = ANY(ARRAY(SELECT flow_id FROM consumed_flows WHERE consumed_at < $1 LIMIT $2
                                   FOR UPDATE SKIP LOCKED))",
        until,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Requests for a device token that nobody confirmed in time.
pub(super) async fn device_requests(db: &PgPool, now: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM device_requests
         WHERE id = ANY(ARRAY(SELECT id FROM device_requests WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        now,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Wishes for an identifier that nobody proved.
pub(super) async fn pending_identifiers(db: &PgPool, now: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let gone = sqlx::query!(
        "DELETE FROM pending_identifiers
         WHERE id = ANY(ARRAY(SELECT id FROM pending_identifiers WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        now,
        limit
    );
    Ok(gone.execute(db).await?.rows_affected())
}

/// Changes that ended before `before`.
pub(super) async fn changes(db: &PgPool, before: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let gone = sqlx::query!(
        "DELETE FROM pending_changes
         WHERE id = ANY(ARRAY(SELECT id FROM pending_changes WHERE ended_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        before,
        limit
    );
    Ok(gone.execute(db).await?.rows_affected())
}

/// Messages of before `until` that have left, or never will.
pub(super) async fn outbox(db: &PgPool, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE id < $1 AND state <> 'queued'
                                                 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))",
        crypto::least_id::<Uuid>(until),
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Sessions that ended before `until`, among the next `limit` in the order in which they began. No index tells when a
/// session runs out: it would have to be written at every refresh.
pub(super) async fn sessions(db: &PgPool, after: Uuid, until: DateTime<Utc>, limit: i64) -> Result<Step, Internal> {
    let done = sqlx::query!(
        r#"WITH page AS (
               SELECT id FROM sessions WHERE id > $1 AND id < $2 ORDER BY id LIMIT $4
           ), ended AS (
               DELETE FROM sessions WHERE id = ANY(ARRAY(SELECT id FROM page))
               AND least(revoked_at, idle_expires_at, expires_at) < $3 RETURNING id
           )
           SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
                  (SELECT count(*) FROM page) AS "seen!", (SELECT count(*) FROM ended) AS "deleted!""#,
        after,
        crypto::least_id::<Uuid>(until),
        until,
        limit
    )
    .fetch_one(db)
    .await?;
    Ok(Step { rows: done.deleted.unsigned_abs(), next: done.last.filter(|_| done.seen >= limit) })
}
