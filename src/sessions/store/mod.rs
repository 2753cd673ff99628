//! All SQL of sessions.

mod manage;

pub use manage::*;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::model::EndReason;
use super::model::GRACE_SECS;
use super::model::Standing;
use crate::accounts::AccountStatus;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// A row to insert.
pub(super) struct NewRow<'a> {
    pub id: SessionId,
    pub account: AccountId,
    pub client_id: &'a str,
    pub label: Option<&'a str>,
    pub amr: &'a [String],
    pub secret_hash: &'a [u8],
    pub now: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ip: std::net::IpAddr,
    pub user_agent: &'a str,
}

pub(super) async fn insert(conn: &mut PgConnection, row: &NewRow<'_>) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO sessions (id, account_id, client_id, label, amr, secret_hash, rotated_at, created_at, auth_time,
                               last_used_at, idle_expires_at, expires_at, ip, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7, $7, $8, $9, $10, $11)",
        row.id.uuid(),
        row.account.uuid(),
        row.client_id,
        row.label,
        row.amr,
        row.secret_hash,
        row.now,
        row.idle_expires_at,
        row.expires_at,
        ipnet::IpNet::from(row.ip),
        row.user_agent,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a rotation answers.
pub(super) struct Rotated {
    pub account: AccountId,
    pub client_id: String,
    pub auth_time: DateTime<Utc>,
    pub amr: Vec<String>,
    pub idle_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The hand-out was repeated after the silent grace.
    pub late: bool,
}

/// A presented refresh token and when.
pub(super) struct Presented<'a> {
    pub session: SessionId,
    pub generation: i64,
    pub secret_hash: &'a [u8],
    pub now: DateTime<Utc>,
}

/// The rotation of a refresh token, whole: see the table in the feature's documentation. Under READ COMMITTED the
/// condition is judged again after a wait for the row, so racers meet the row as the winner left it.
pub(super) async fn rotate(
    conn: impl PgExecutor<'_>,
    shown: &Presented<'_>,
    idle_expires_at: DateTime<Utc>,
) -> Result<Option<Rotated>, Internal> {
    let silent_after = shown.now - TimeDelta::seconds(GRACE_SECS);
    Ok(sqlx::query_as!(
        Rotated,
        r#"UPDATE sessions SET
             late_generation = CASE WHEN generation > $3 AND rotated_at <= $5 THEN generation ELSE late_generation END,
             rotated_at = CASE WHEN generation <= $3 OR rotated_at <= $5 THEN $4 ELSE rotated_at END,
             generation = greatest(generation, $3 + 1),
             last_used_at = $4,
             idle_expires_at = least($6, expires_at)
           WHERE id = $1 AND secret_hash = $2 AND revoked_at IS NULL AND $4 < least(idle_expires_at, expires_at)
             AND (generation <= $3 OR (generation = $3 + 1 AND (rotated_at > $5 OR late_generation < generation)))
           RETURNING account_id AS "account: AccountId", client_id, auth_time, amr, idle_expires_at, expires_at,
             (late_generation = $3 + 1 AND rotated_at = $4) AS "late!""#,
        shown.session.uuid(),
        shown.secret_hash,
        shown.generation,
        shown.now,
        silent_after,
        idle_expires_at,
    )
    .fetch_optional(conn)
    .await?)
}

/// Whose session it is and how it stands, if the secret is its own.
pub(super) async fn find_by_secret(
    conn: impl PgExecutor<'_>,
    shown: &Presented<'_>,
) -> Result<Option<(AccountId, Standing)>, Internal> {
    let row = sqlx::query!(
        r#"SELECT account_id AS "account_id: AccountId", revoked_at IS NOT NULL AS "revoked!", idle_expires_at, expires_at
           FROM sessions WHERE id = $1 AND secret_hash = $2"#,
        shown.session.uuid(),
        shown.secret_hash
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.account_id, Standing::judge(shown.now, row.revoked, row.idle_expires_at, row.expires_at))))
}

/// Ends a session because generation `below` of its tokens, or an older one, came back. False when a racer has
/// ended it before, or when it was no theft after all.
pub(super) async fn end_reused(conn: &mut PgConnection, shown: &Presented<'_>) -> Result<bool, Internal> {
    let done = sqlx::query!(
        "UPDATE sessions SET revoked_at = $4, revoked_reason = $5
         WHERE id = $1 AND secret_hash = $2 AND generation > $3 AND revoked_at IS NULL",
        shown.session.uuid(),
        shown.secret_hash,
        shown.generation,
        shown.now,
        EndReason::RefreshTokenReused.name()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends one session of an account; false when there is none alive.
pub(super) async fn end(
    conn: &mut PgConnection,
    account: AccountId,
    session: SessionId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let done = sqlx::query!(
        "UPDATE sessions SET revoked_at = $3, revoked_reason = $4
         WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL AND least(idle_expires_at, expires_at) > $3",
        session.uuid(),
        account.uuid(),
        now,
        reason.name()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends every session of an account, but for `kept`; answers their ids.
pub(super) async fn end_all(
    conn: &mut PgConnection,
    account: AccountId,
    (kept, reason): (Option<SessionId>, EndReason),
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"UPDATE sessions SET revoked_at = $3, revoked_reason = $4
           WHERE account_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL
           RETURNING id AS "id: SessionId""#,
        account.uuid(),
        kept.map(SessionId::uuid),
        now,
        reason.name()
    )
    .fetch_all(conn)
    .await?)
}

/// Ends every session of an account but for the `kept` that were used last, what has run out before all; answers their ids.
pub(super) async fn end_oldest(
    conn: &mut PgConnection,
    account: AccountId,
    (kept, reason): (i64, EndReason),
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"UPDATE sessions SET revoked_at = $3, revoked_reason = $4
           WHERE revoked_at IS NULL AND id = ANY(ARRAY(
               SELECT id FROM sessions WHERE account_id = $1 AND revoked_at IS NULL
               ORDER BY least(idle_expires_at, expires_at) > $3 DESC, last_used_at DESC, id DESC OFFSET $2))
           RETURNING id AS "id: SessionId""#,
        account.uuid(),
        kept,
        now,
        reason.name()
    )
    .fetch_all(conn)
    .await?)
}

/// Whether somebody has signed in to an account, or gone on using a session of it, since then.
pub async fn used_since(conn: &mut PgConnection, id: AccountId, at: DateTime<Utc>) -> Result<bool, Internal> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sessions WHERE account_id = $1 AND last_used_at > $2) AS "used!""#,
        id.uuid(),
        at
    );
    Ok(found.fetch_one(conn).await?)
}

/// What the extractor needs of a session.
pub(super) struct Live {
    pub standing: Standing,
    pub account: AccountStatus,
}

pub(super) async fn standing(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<Option<Live>, Internal> {
    let row = sqlx::query!(
        r#"SELECT s.revoked_at IS NOT NULL AS "revoked!", s.idle_expires_at, s.expires_at, a.status, a.closes_at
           FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1 AND s.account_id = $2"#,
        session.uuid(),
        account.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Live {
        standing: Standing::judge(now, row.revoked, row.idle_expires_at, row.expires_at),
        account: AccountStatus::of_row(&row.status, account, (row.closes_at, now))?,
    }))
}

/// What a token set tells of the account besides the session.
pub(super) struct AccountFacts {
    pub status: AccountStatus,
    pub closes_at: Option<DateTime<Utc>>,
    pub roles: Vec<String>,
    pub recovery_codes_left: i64,
}

/// `None` when there is no such account.
pub(super) async fn account_facts(
    conn: impl PgExecutor<'_>,
    (account, now): (AccountId, DateTime<Utc>),
) -> Result<Option<AccountFacts>, Internal> {
    let row = sqlx::query!(
        r#"SELECT a.status, a.closes_at, a.roles,
             (SELECT count(*) FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
              WHERE s.account_id = a.id AND c.used_at IS NULL) AS "recovery_codes_left!"
           FROM accounts a WHERE a.id = $1"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let status = AccountStatus::of_row(&row.status, account, (row.closes_at, now))?;
    let (closes_at, roles) = (row.closes_at, row.roles);
    Ok(Some(AccountFacts { status, closes_at, roles, recovery_codes_left: row.recovery_codes_left }))
}
