//! All SQL of changes that wait.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::model::CancelToken;
use super::model::ChangeKind;
use super::model::Ended;
use super::model::PendingChange;
use crate::accounts::LockedAccount;
use crate::crypto::TokenDigest;
use crate::ids::AccountId;
use crate::ids::ChangeId;
use crate::internal::Internal;

struct Row {
    id: ChangeId,
    account: AccountId,
    kind: String,
    subject: Uuid,
    created_at: DateTime<Utc>,
    effective_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<PendingChange, Internal> {
        let Self { id, account, kind, subject, created_at, effective_at } = self;
        Ok(PendingChange { id, account, kind: ChangeKind::from_name(&kind, id)?, subject, created_at, effective_at })
    }
}

/// False when one of this kind and subject waits already.
pub(super) async fn insert(conn: &mut PgConnection, new: &PendingChange) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO pending_changes (id, account_id, kind, subject_id, created_at, effective_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, subject_id) WHERE state = 'waiting' DO NOTHING",
        new.id.uuid(),
        new.account.uuid(),
        new.kind.name(),
        new.subject,
        new.created_at,
        new.effective_at
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn insert_token(
    conn: &mut PgConnection,
    digest: &TokenDigest<CancelToken>,
    change: ChangeId,
    account: AccountId,
) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO cancel_tokens (token_digest, change_id, account_id) VALUES ($1, $2, $3)",
        digest.as_bytes(),
        change.uuid(),
        account.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whose owner got this token.
pub(super) async fn holder(
    conn: &mut PgConnection,
    digest: &TokenDigest<CancelToken>,
) -> Result<Option<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT account_id AS "id: AccountId" FROM cancel_tokens WHERE token_digest = $1"#,
        digest.as_bytes()
    )
    .fetch_optional(conn)
    .await?)
}

/// Cancels the change of a token, if it still waits and its time has not come.
pub(super) async fn cancel(
    conn: &mut PgConnection,
    digest: &TokenDigest<CancelToken>,
    now: DateTime<Utc>,
) -> Result<Option<PendingChange>, Internal> {
    let row = sqlx::query_as!(
        Row,
        r#"UPDATE pending_changes c SET state = 'cancelled', ended_at = $2
           FROM cancel_tokens t
           WHERE t.token_digest = $1 AND c.id = t.change_id AND c.state = 'waiting' AND c.effective_at > $2
           RETURNING c.id AS "id: ChangeId", c.account_id AS "account: AccountId", c.kind, c.subject_id AS subject,
                     c.created_at, c.effective_at"#,
        digest.as_bytes(),
        now
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Ends a change whose time has come; false when it has ended before.
pub(super) async fn end(
    conn: &mut PgConnection,
    account: &LockedAccount,
    (change, ended): (ChangeId, Ended),
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let done = sqlx::query!(
        "UPDATE pending_changes SET state = $4, ended_at = $3
         WHERE id = $1 AND account_id = $2 AND state = 'waiting' AND effective_at <= $3",
        change.uuid(),
        account.id().uuid(),
        now,
        ended.state()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a change that waits, its time come or not; false when it has ended before.
pub(super) async fn withdraw(conn: &mut PgConnection, change: ChangeId, now: DateTime<Utc>) -> Result<bool, Internal> {
    let done = sqlx::query!(
        "UPDATE pending_changes SET state = 'cancelled', ended_at = $2 WHERE id = $1 AND state = 'waiting'",
        change.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The changes of an account that wait, oldest first; also the merge by which it is taken in.
pub async fn waiting(conn: &mut PgConnection, account: AccountId) -> Result<Vec<PendingChange>, Internal> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: ChangeId", account_id AS "account: AccountId", kind, subject_id AS subject, created_at,
                  effective_at
           FROM pending_changes
           WHERE state = 'waiting' AND (account_id = $1 OR (subject_id = $1 AND kind = 'account_merge')) ORDER BY id"#,
        account.uuid()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Changes of a kind whose time has come.
pub(super) async fn due(
    conn: impl PgExecutor<'_>,
    kind: ChangeKind,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<PendingChange>, Internal> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: ChangeId", account_id AS "account: AccountId", kind, subject_id AS subject, created_at,
                  effective_at
           FROM pending_changes WHERE kind = $1 AND state = 'waiting' AND effective_at <= $2
           ORDER BY effective_at LIMIT $3"#,
        kind.name(),
        now,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Whether a change of this kind and subject was cancelled after `since`; remembered for ninety days.
pub async fn cancelled_since(
    conn: &mut PgConnection,
    (kind, subject): (ChangeKind, Uuid),
    since: DateTime<Utc>,
) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pending_changes
             WHERE kind = $1 AND subject_id = $2 AND state = 'cancelled' AND ended_at > $3) AS "found!""#,
        kind.name(),
        subject,
        since
    )
    .fetch_one(conn)
    .await?)
}
