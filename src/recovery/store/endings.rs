//! How recoveries end that nobody completes, and how they are forgotten.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgPool;

use super::super::model::REMEMBERED;
use super::super::model::WAIT;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// A recovery that was ended, as its event names it.
pub(crate) struct Cancelled {
    pub id: FlowId,
    pub account: Option<AccountId>,
    pub client_id: String,
}

/// Which recoveries of an account; all, by default.
#[derive(Default)]
pub(crate) struct Which {
    /// Those whose wait, reckoned back from its end, began after this.
    pub waiting_from: Option<DateTime<Utc>>,
    /// Those whose contact was proved by then.
    pub standing_at: Option<DateTime<Utc>>,
}

/// Cancels recoveries of an account whose contact is proved.
pub(crate) async fn cancel(
    conn: &mut PgConnection,
    (account, which): (AccountId, &Which),
    now: DateTime<Utc>,
) -> Result<Vec<Cancelled>, Internal> {
    Ok(sqlx::query_as!(
        Cancelled,
        r#"UPDATE recoveries SET state = 'cancelled', ended_at = $2, notice_due_at = NULL, contact_due_at = $2
           WHERE account_id = $1 AND ended_at IS NULL AND state IN ('waiting', 'approved') AND expires_at > $2
             AND ($3::timestamptz IS NULL OR opens_at > $3) AND ($4::timestamptz IS NULL OR contact_proved_at <= $4)
           RETURNING id AS "id: FlowId", account_id AS "account: AccountId", client_id"#,
        account.uuid(),
        now,
        which.waiting_from.map(|from| from + WAIT),
        which.standing_at
    )
    .fetch_all(conn)
    .await?)
}

/// Cancels another recovery of the same identifier, if there are `most` of them that wait or are open: the one with the
/// fewest proofs, of these the one that has waited longest. What somebody else works on is passed over, so that nobody
/// waits here, and each of several that come at once displaces one of its own.
pub(crate) async fn displace(
    conn: &mut PgConnection,
    newest: FlowId,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Option<Cancelled>, Internal> {
    Ok(sqlx::query_as!(
        Cancelled,
        r#"WITH others AS (
               SELECT other.id FROM recoveries other JOIN recoveries newest USING (identifier_mac)
               WHERE newest.id = $1 AND other.id <> $1 AND other.state = 'waiting' AND other.expires_at > $2
           ), least AS (
               SELECT r.id FROM recoveries r
               WHERE (SELECT count(*) FROM others) >= $3 AND r.id IN (SELECT id FROM others) AND r.state = 'waiting'
               ORDER BY (SELECT count(*) FROM recovery_proofs p WHERE p.recovery_id = r.id), r.opens_at, r.id
               LIMIT 1 FOR UPDATE SKIP LOCKED
           )
           UPDATE recoveries SET state = 'cancelled', ended_at = $2, notice_due_at = NULL, contact_due_at = $2
           WHERE id = (SELECT id FROM least) AND state = 'waiting'
           RETURNING id AS "id: FlowId", account_id AS "account: AccountId", client_id"#,
        newest.uuid(),
        now,
        most
    )
    .fetch_optional(conn)
    .await?)
}

/// Forgets up to `limit` recoveries that are over, and as many days and tokens of notices: at once what never had its contact
/// proved, after ninety days the others.
pub(crate) async fn purge(db: &PgPool, now: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let recoveries = sqlx::query!(
        "DELETE FROM recoveries
         WHERE id = ANY(ARRAY(SELECT id FROM recoveries WHERE expires_at <= $1 AND (opens_at IS NULL OR created_at <= $2)
                              LIMIT $3 FOR UPDATE SKIP LOCKED))",
        now,
        now - REMEMBERED,
        limit
    )
    .execute(db)
    .await?;
    let notices = sqlx::query!(
        "DELETE FROM recovery_notices
         WHERE ctid = ANY(ARRAY(SELECT ctid FROM recovery_notices WHERE sent_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        now - REMEMBERED,
        limit
    )
    .execute(db)
    .await?;
    Ok(recoveries.rows_affected() + notices.rows_affected())
}
