//! What owners are told, and the tokens by which they answer; what contacts are told.

use chrono::DateTime;
use chrono::NaiveDate;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::CancelToken;
use super::super::model::LIFETIME;
use super::endings::Which;
use crate::crypto::TokenDigest;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// The recovery whose owner has waited longest to be told; it is held until the transaction ends.
pub(crate) async fn next_to_tell(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<FlowId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: FlowId" FROM recoveries WHERE notice_due_at <= $1
           ORDER BY notice_due_at LIMIT 1 FOR UPDATE SKIP LOCKED"#,
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Says when an owner is told again.
pub(crate) async fn tell_again_at(
    conn: &mut PgConnection,
    id: FlowId,
    at: Option<DateTime<Utc>>,
) -> Result<(), Internal> {
    sqlx::query!("UPDATE recoveries SET notice_due_at = $2 WHERE id = $1 AND ended_at IS NULL", id.uuid(), at)
        .execute(conn)
        .await?;
    Ok(())
}

/// When the last of an account's recoveries that wait or are open opens, or opened; `None` when there are none.
pub(crate) async fn last_opens_at(
    conn: &mut PgConnection,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Internal> {
    Ok(sqlx::query_scalar!(
        "SELECT max(opens_at) FROM recoveries
         WHERE account_id = $1 AND ended_at IS NULL AND state IN ('waiting', 'approved') AND expires_at > $2",
        account.uuid(),
        now
    )
    .fetch_one(conn)
    .await?)
}

/// Writes down that the owner of an account is told on a day; false when they were.
pub(crate) async fn take_day(
    conn: &mut PgConnection,
    (account, on_day): (AccountId, NaiveDate),
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO recovery_notices (account_id, on_day, sent_at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, on_day) DO NOTHING",
        account.uuid(),
        on_day,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes down the token of one message, which ends recoveries whose wait began after `ends_from`.
pub(crate) async fn insert_token(
    conn: &mut PgConnection,
    account: AccountId,
    (digest, ends_from): (&TokenDigest<CancelToken>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO recovery_notices (account_id, cancel_digest, ends_from, sent_at) VALUES ($1, $2, $3, $4)",
        account.uuid(),
        digest.as_bytes(),
        ends_from,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a token of a notice up; answers whose it is and what it ends, or `None` when it is unknown, used or too old.
pub(crate) async fn use_cancel_token(
    conn: &mut PgConnection,
    digest: &TokenDigest<CancelToken>,
    now: DateTime<Utc>,
) -> Result<Option<(AccountId, Which)>, Internal> {
    let used = sqlx::query!(
        r#"UPDATE recovery_notices SET used_at = $2 WHERE cancel_digest = $1 AND used_at IS NULL AND sent_at > $3
           RETURNING account_id AS "account: AccountId", ends_from, sent_at"#,
        digest.as_bytes(),
        now,
        now - LIFETIME
    )
    .fetch_optional(conn)
    .await?;
    Ok(used.map(|row| (row.account, Which { waiting_from: row.ends_from, standing_at: Some(row.sent_at) })))
}

/// The recovery whose contact has waited longest to be told, and what it was told; it is held until the transaction ends.
pub(crate) async fn next_contact_to_tell(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<(FlowId, Vec<String>)>, Internal> {
    let next = sqlx::query!(
        r#"SELECT id AS "id: FlowId", contact_told FROM recoveries WHERE contact_due_at <= $1
           ORDER BY contact_due_at LIMIT 1 FOR UPDATE SKIP LOCKED"#,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(next.map(|row| (row.id, row.contact_told)))
}

/// Says when a contact is told next.
pub(crate) async fn tell_contact_at(conn: &mut PgConnection, id: FlowId, at: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!("UPDATE recoveries SET contact_due_at = $2 WHERE id = $1", id.uuid(), at).execute(conn).await?;
    Ok(())
}

/// Writes down what a contact was told, if anything, and when there is something to tell it again.
pub(crate) async fn contact_was_told(
    conn: &mut PgConnection,
    id: FlowId,
    (new, next_at): (Option<&str>, Option<DateTime<Utc>>),
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE recoveries SET contact_due_at = $3, contact_told = array_remove(array_append(contact_told, $2), NULL)
         WHERE id = $1",
        id.uuid(),
        new,
        next_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whoever began many that were cancelled at once is told it once: the others with this one's contact have nothing to tell.
/// What another replica tells of at this moment is passed over.
pub(crate) async fn spare_contact(conn: &mut PgConnection, id: FlowId, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE recoveries SET contact_due_at = NULL WHERE id = ANY(ARRAY(
             SELECT other.id FROM recoveries other JOIN recoveries told USING (contact_mac)
             WHERE told.id = $1 AND other.id <> $1 AND other.state = 'cancelled' AND other.contact_due_at <= $2
             FOR UPDATE OF other SKIP LOCKED))",
        id.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}
