//! The rows of the key ring.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ids::KeyId;

/// The one advisory lock under which the ring is changed; the number is ours and means nothing.
const RING_LOCK: i64 = 0x5345_4b49_0001;

/// One stored key, still sealed.
pub(super) struct KeyRow {
    pub(super) id: KeyId,
    pub(super) private_sealed: Vec<u8>,
    pub(super) active_from: DateTime<Utc>,
}

/// Keeps other replicas from changing the ring until the transaction ends.
pub(super) async fn lock_ring(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(RING_LOCK).execute(conn).await?;
    Ok(())
}

/// Every key, the oldest first.
pub(super) async fn all(conn: &mut PgConnection) -> Result<Vec<KeyRow>, sqlx::Error> {
    sqlx::query_as!(KeyRow, "SELECT id, private_sealed, active_from FROM signing_keys ORDER BY active_from")
        .fetch_all(conn)
        .await
}

/// Every key for an operator, the oldest first: id, algorithm, when it was made, when it begins to sign.
pub(super) async fn described(
    conn: &mut PgConnection,
) -> Result<Vec<(Uuid, String, DateTime<Utc>, DateTime<Utc>)>, sqlx::Error> {
    sqlx::query_as("SELECT id, algorithm, created_at, active_from FROM signing_keys ORDER BY active_from")
        .fetch_all(conn)
        .await
}

/// Adds a key.
pub(super) async fn insert(conn: &mut PgConnection, row: &KeyRow, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO signing_keys (id, algorithm, private_sealed, created_at, active_from)
         VALUES ($1, 'ES256', $2, $3, $4)",
        row.id.uuid(),
        row.private_sealed,
        now,
        row.active_from,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets keys for good.
pub(super) async fn delete(conn: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM signing_keys WHERE id = ANY($1)", ids).execute(conn).await?;
    Ok(())
}
