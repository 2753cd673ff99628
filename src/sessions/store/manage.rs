//! Lists of sessions, for their owner.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::HeldSession;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// A page of the sessions that are alive, newest first; `before` is the last id of the page before.
pub(crate) async fn list(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<HeldSession>, Internal> {
    Ok(sqlx::query_as!(
        HeldSession,
        r#"SELECT id AS "id: SessionId", client_id, label, amr, created_at, last_used_at, expires_at, revoked_at, ip, user_agent
           FROM sessions
           WHERE account_id = $1 AND revoked_at IS NULL AND least(idle_expires_at, expires_at) > $2 AND ($3::uuid IS NULL OR id < $3)
           ORDER BY id DESC LIMIT $4"#,
        account.uuid(),
        now,
        before.map(SessionId::uuid),
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Names a session that is alive; answers it, or `None` when there is none.
pub(crate) async fn rename(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    session: SessionId,
    label: &str,
    now: DateTime<Utc>,
) -> Result<Option<HeldSession>, Internal> {
    Ok(sqlx::query_as!(
        HeldSession,
        r#"UPDATE sessions SET label = $3
           WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL AND least(idle_expires_at, expires_at) > $4
           RETURNING id AS "id: SessionId", client_id, label, amr, created_at, last_used_at, expires_at, revoked_at,
                     ip, user_agent"#,
        session.uuid(),
        account.uuid(),
        label,
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// All sessions that are held of an account, ended ones too, newest first.
pub async fn held(conn: &mut PgConnection, account: AccountId) -> Result<Vec<HeldSession>, Internal> {
    Ok(sqlx::query_as!(
        HeldSession,
        r#"SELECT id AS "id: SessionId", client_id, label, amr, created_at, last_used_at, expires_at, revoked_at, ip, user_agent
           FROM sessions WHERE account_id = $1 ORDER BY id DESC"#,
        account.uuid()
    )
    .fetch_all(conn)
    .await?)
}
