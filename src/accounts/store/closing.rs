//! How an account closes: statements that happen once.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::LockedAccount;
use crate::ids::AccountId;
use crate::internal::Internal;

/// Lets an active account close at a time; false when it is not active.
pub async fn begin_closing(
    conn: &mut PgConnection,
    account: &LockedAccount,
    closes_at: DateTime<Utc>,
) -> Result<bool, Internal> {
    let begun = sqlx::query!(
        "UPDATE accounts SET status = 'closing', closes_at = $2, closing_reminded = false
         WHERE id = $1 AND status = 'active'",
        account.id().uuid(),
        closes_at
    )
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Keeps a closing account after all; false when it is not closing, or its time has come.
pub async fn cancel_closing(conn: &mut PgConnection, account: AccountId, now: DateTime<Utc>) -> Result<bool, Internal> {
    let cancelled = sqlx::query!(
        "UPDATE accounts SET status = 'active', closes_at = NULL WHERE id = $1 AND status = 'closing' AND closes_at > $2",
        account.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(cancelled.rows_affected() == 1)
}

/// The accounts, at most `limit`, that close after `now` and before `until` and whose owners are to be told; each one once.
pub async fn remind_closing(
    conn: &mut PgConnection,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<(AccountId, DateTime<Utc>)>, Internal> {
    let rows = sqlx::query!(
        r#"UPDATE accounts SET closing_reminded = true
           WHERE id = ANY(ARRAY(SELECT id FROM accounts WHERE closes_at > $1 AND closes_at < $2 AND NOT closing_reminded
                                ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED))
           RETURNING id AS "id: AccountId", closes_at AS "closes_at!""#,
        now,
        until,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.closes_at)).collect())
}

/// Some accounts whose time has come.
pub(crate) async fn due_to_close(
    conn: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: AccountId" FROM accounts WHERE closes_at <= $1 ORDER BY closes_at LIMIT $2"#,
        now,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// closing → gone, with all that belonged to it; answers what an export called it, and nothing when its time has not come,
/// or not any more.
pub(crate) async fn close(
    conn: &mut PgConnection,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Option<String>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"DELETE FROM accounts WHERE id = $1 AND status = 'closing' AND closes_at <= $2
           RETURNING coalesce(external_id, id::text) AS "name!""#,
        account.uuid(),
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Gives the identifiers of one account to another, where none of them is the primary one.
pub(crate) async fn move_identifiers(
    conn: &mut PgConnection,
    from: &LockedAccount,
    to: &LockedAccount,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE identifiers SET account_id = $2, is_primary = false WHERE account_id = $1",
        from.id().uuid(),
        to.id().uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account is gone, with all that still belonged to it; answers what an export called it.
pub(crate) async fn end(conn: &mut PgConnection, account: &LockedAccount) -> Result<String, Internal> {
    Ok(sqlx::query_scalar!(
        r#"DELETE FROM accounts WHERE id = $1 RETURNING coalesce(external_id, id::text) AS "name!""#,
        account.id().uuid()
    )
    .fetch_one(conn)
    .await?)
}

/// Notes that an account is gone, and where its identifiers went if it was merged.
pub(crate) async fn bury(
    conn: &mut PgConnection,
    (account, merged_into): (AccountId, Option<AccountId>),
    external_mac: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "INSERT INTO closed_accounts (id, closed_at, merged_into, external_mac) VALUES ($1, $2, $3, $4)",
        account.uuid(),
        now,
        merged_into.map(AccountId::uuid),
        external_mac
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Some accounts that are gone and whose audit rows may still name a person.
pub(crate) async fn to_erase(conn: impl PgExecutor<'_>, limit: i64) -> Result<Vec<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: AccountId" FROM closed_accounts WHERE erased_at IS NULL ORDER BY id LIMIT $1"#,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// Notes that the audit rows of an account that is gone name nobody.
pub(crate) async fn erased(conn: impl PgExecutor<'_>, account: AccountId, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!("UPDATE closed_accounts SET erased_at = $2 WHERE id = $1", account.uuid(), now).execute(conn).await?;
    Ok(())
}
