//! All SQL of devices.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::model::DEVICES;
use super::model::DeviceToken;
use super::model::KnownDevice;
use super::model::Recognised;
use super::model::RequestToken;
use crate::accounts::LockedAccount;
use crate::crypto::TokenDigest;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// The device of a token, if it belongs to this account, and whether it was made known by a message alone; no account has
/// none.
pub(super) async fn find(
    conn: impl PgExecutor<'_>,
    account: Option<AccountId>,
    digest: &TokenDigest<DeviceToken>,
) -> Result<Option<Recognised>, Internal> {
    Ok(sqlx::query_as!(
        Recognised,
        r#"SELECT id AS "id: DeviceId", account_id AS "account: AccountId", by_message FROM devices
           WHERE token_hash = $1 AND account_id = $2"#,
        digest.as_bytes(),
        account.map(AccountId::uuid)
    )
    .fetch_optional(conn)
    .await?)
}

/// Adds a device; those beyond the bound go, the longest unused first.
pub(super) async fn insert(
    conn: &mut PgConnection,
    account: &LockedAccount,
    (id, by_message): (DeviceId, bool),
    digest: &TokenDigest<DeviceToken>,
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO devices (id, account_id, token_hash, created_at, last_used_at, by_message)
         VALUES ($1, $2, $3, $4, $4, $5)",
        id.uuid(),
        account.id().uuid(),
        digest.as_bytes(),
        now,
        by_message
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM devices WHERE account_id = $1
         AND id IN (SELECT id FROM devices WHERE account_id = $1 ORDER BY last_used_at DESC, id DESC OFFSET $2)",
        account.id().uuid(),
        DEVICES
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The devices of an account, newest first.
pub async fn known(conn: &mut PgConnection, account: AccountId) -> Result<Vec<KnownDevice>, Internal> {
    Ok(sqlx::query_as!(
        KnownDevice,
        r#"SELECT id AS "id: DeviceId", created_at, last_used_at FROM devices WHERE account_id = $1 ORDER BY id DESC"#,
        account.uuid()
    )
    .fetch_all(conn)
    .await?)
}

/// Somebody has signed in on a device, however it became known.
pub(super) async fn touch(conn: &mut PgConnection, id: DeviceId, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!("UPDATE devices SET last_used_at = $2, by_message = false WHERE id = $1", id.uuid(), now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the device of an account that a message alone has made known.
pub(super) async fn delete_by_message(conn: &mut PgConnection, account: &LockedAccount) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM devices WHERE account_id = $1 AND by_message", account.id().uuid()).execute(conn).await?;
    Ok(())
}

pub(super) async fn delete(conn: impl PgExecutor<'_>, id: DeviceId) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM devices WHERE id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

pub(super) async fn insert_request(
    conn: &mut PgConnection,
    id: FlowId,
    lookup_key: &str,
    digest: &TokenDigest<RequestToken>,
    expires_at: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO device_requests (id, lookup_key, token_hash, expires_at) VALUES ($1, $2, $3, $4)",
        id.uuid(),
        lookup_key,
        digest.as_bytes(),
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses the token of a message up; whose identifier it went to.
pub(super) async fn consume_request(
    conn: &mut PgConnection,
    digest: &TokenDigest<RequestToken>,
    now: DateTime<Utc>,
) -> Result<Option<String>, Internal> {
    Ok(sqlx::query_scalar!(
        "UPDATE device_requests SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
         RETURNING lookup_key",
        digest.as_bytes(),
        now
    )
    .fetch_optional(conn)
    .await?)
}
