//! What owners are told, and the tokens by which they answer.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::CancelToken;
use super::super::model::LIFETIME;
use crate::crypto::TokenDigest;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// The recovery whose owner has waited longest to be told; it is held until the transaction ends.
pub(in super::super) async fn next_to_tell(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<FlowId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: FlowId" FROM recoveries WHERE notice_due_at <= $1
           ORDER BY notice_due_at LIMIT 1 FOR UPDATE SKIP LOCKED"#,
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Says when an owner is told again.
pub(in super::super) async fn tell_again_at(
    conn: &mut PgConnection,
    id: FlowId,
    at: Option<DateTime<Utc>>,
) -> Result<(), Internal> {
    sqlx::query!("UPDATE recoveries SET notice_due_at = $2 WHERE id = $1 AND ended_at IS NULL", id.uuid(), at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Claims the notice of this day; false when there was one.
pub(in super::super) async fn claim_day(
    conn: &mut PgConnection,
    account: AccountId,
    digest: &TokenDigest<CancelToken>,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let claimed = sqlx::query!(
        "INSERT INTO recovery_notices (account_id, on_day, cancel_digest, sent_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, on_day) DO NOTHING",
        account.uuid(),
        now.date_naive(),
        digest.as_bytes(),
        now
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Uses a token of a notice up; answers whose it is, or `None` when it is unknown, used or too old.
pub(in super::super) async fn use_cancel_token(
    conn: &mut PgConnection,
    digest: &TokenDigest<CancelToken>,
    now: DateTime<Utc>,
) -> Result<Option<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"UPDATE recovery_notices SET used_at = $2 WHERE cancel_digest = $1 AND used_at IS NULL AND sent_at > $3
           RETURNING account_id AS "account: AccountId""#,
        digest.as_bytes(),
        now,
        now - LIFETIME
    )
    .fetch_optional(conn)
    .await?)
}
