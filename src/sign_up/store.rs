//! All SQL of pending sign-ups.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::model::NewSignUp;
use super::model::SENDS;
use super::model::SignUpToken;
use super::model::TRIES;
use crate::crypto::TokenDigest;
use crate::ids::FlowId;
use crate::internal::Internal;

/// A row to insert, beside what the person gave.
pub(super) struct NewRow<'a> {
    pub id: FlowId,
    pub digest: &'a TokenDigest<SignUpToken>,
    pub hash_sealed: &'a [u8],
    pub code: Code<'a>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A code and its times.
pub(super) struct Code<'a> {
    pub mac: &'a [u8],
    pub expires_at: DateTime<Utc>,
    pub resend_after: DateTime<Utc>,
}

pub(super) async fn insert(conn: &mut PgConnection, new: &NewSignUp, row: &NewRow<'_>) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO sign_ups (id, token_digest, kind, value, lookup_key, hash_sealed, display_name, locale, client_id,
                               code_mac, code_expires_at, resend_after, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        row.id.uuid(),
        row.digest.as_bytes(),
        new.identifier.kind().name(),
        new.identifier.value(),
        new.identifier.lookup_key(),
        row.hash_sealed,
        new.display_name,
        new.locale,
        new.client_id,
        row.code.mac,
        row.code.expires_at,
        row.code.resend_after,
        row.now,
        row.expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A sign-up that still waits.
pub(super) struct Pending {
    pub id: FlowId,
    pub value: String,
    pub lookup_key: String,
    pub locale: String,
    pub tries: i32,
    pub sends: i32,
    pub resend_after: DateTime<Utc>,
}

pub(super) async fn find(
    conn: impl PgExecutor<'_>,
    digest: &TokenDigest<SignUpToken>,
    now: DateTime<Utc>,
) -> Result<Option<Pending>, Internal> {
    Ok(sqlx::query_as!(
        Pending,
        r#"SELECT id AS "id: FlowId", value, lookup_key, locale, tries, sends, resend_after FROM sign_ups
           WHERE token_digest = $1 AND consumed_at IS NULL AND expires_at > $2"#,
        digest.as_bytes(),
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Puts a new code in the place of the old one; false when it is too soon or there were enough.
pub(super) async fn replace_code(
    conn: &mut PgConnection,
    id: FlowId,
    code: &Code<'_>,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let replaced = sqlx::query!(
        "UPDATE sign_ups SET code_mac = $2, code_expires_at = $3, resend_after = $4, tries = 0, sends = sends + 1
         WHERE id = $1 AND consumed_at IS NULL AND expires_at > $5 AND resend_after <= $5 AND sends < $6",
        id.uuid(),
        code.mac,
        code.expires_at,
        code.resend_after,
        now,
        SENDS
    )
    .execute(conn)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

/// A sign-up at the moment of a try that was counted.
pub(super) struct Tried {
    pub id: FlowId,
    pub lookup_key: String,
    pub tries: i32,
    pub code_mac: Vec<u8>,
    pub code_expires_at: DateTime<Utc>,
}

/// Counts a try before it is looked at; `None` when there is no such sign-up or no try is left.
pub(super) async fn count_try(
    conn: impl PgExecutor<'_>,
    digest: &TokenDigest<SignUpToken>,
    now: DateTime<Utc>,
) -> Result<Option<Tried>, Internal> {
    Ok(sqlx::query_as!(
        Tried,
        r#"UPDATE sign_ups SET tries = tries + 1
           WHERE token_digest = $1 AND consumed_at IS NULL AND expires_at > $2 AND tries < $3
           RETURNING id AS "id: FlowId", lookup_key, tries, code_mac, code_expires_at"#,
        digest.as_bytes(),
        now,
        TRIES
    )
    .fetch_optional(conn)
    .await?)
}

/// What an account is made of.
pub(super) struct Verified {
    pub kind: String,
    pub value: String,
    pub lookup_key: String,
    pub hash_sealed: Vec<u8>,
    pub display_name: Option<String>,
    pub locale: String,
    pub client_id: String,
}

/// Ends a sign-up by its right code; `None` when someone was faster or the code was replaced meanwhile.
pub(super) async fn consume(
    conn: &mut PgConnection,
    id: FlowId,
    code_mac: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Verified>, Internal> {
    Ok(sqlx::query_as!(
        Verified,
        "UPDATE sign_ups SET consumed_at = $3 WHERE id = $1 AND code_mac = $2 AND consumed_at IS NULL
         RETURNING kind, value, lookup_key, hash_sealed, display_name, locale, client_id",
        id.uuid(),
        code_mac,
        now
    )
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn is_pending(conn: &mut PgConnection, id: FlowId, now: DateTime<Utc>) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM sign_ups WHERE id = $1 AND consumed_at IS NULL AND expires_at > $2) AS "pending!""#,
        id.uuid(),
        now
    )
    .fetch_one(conn)
    .await?)
}
