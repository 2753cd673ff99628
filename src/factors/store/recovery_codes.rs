//! Recovery codes: one set an account.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::ConfirmedFactor;
use super::super::model::FactorKind;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// The set of an account and its salt.
pub(crate) struct CodeSet {
    pub id: FactorId,
    pub salt: Vec<u8>,
}

pub(crate) async fn code_set(conn: impl PgExecutor<'_>, account: AccountId) -> Result<Option<CodeSet>, Internal> {
    Ok(sqlx::query_as!(
        CodeSet,
        r#"SELECT id AS "id: FactorId", salt FROM recovery_code_sets WHERE account_id = $1"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

pub(crate) async fn code_is_unused(conn: impl PgExecutor<'_>, set: FactorId, digest: &[u8]) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM recovery_codes WHERE set_id = $1 AND digest = $2 AND used_at IS NULL) AS "unused!""#,
        set.uuid(),
        digest
    )
    .fetch_one(conn)
    .await?)
}

/// Uses a recovery code up; false when it was used before.
pub(crate) async fn burn_code(
    conn: &mut PgConnection,
    set: FactorId,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let burnt = sqlx::query!(
        "UPDATE recovery_codes SET used_at = $3 WHERE set_id = $1 AND digest = $2 AND used_at IS NULL",
        set.uuid(),
        digest,
        now
    )
    .execute(conn)
    .await?;
    Ok(burnt.rows_affected() == 1)
}

/// Puts a new set in the place of the old one.
pub(crate) async fn replace_codes(
    conn: &mut PgConnection,
    account: &LockedAccount,
    set: FactorId,
    codes: (&[u8], &[Vec<u8>]),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    let (salt, digests) = codes;
    sqlx::query!("DELETE FROM recovery_code_sets WHERE account_id = $1", account.id().uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "INSERT INTO recovery_code_sets (id, account_id, salt, created_at) VALUES ($1, $2, $3, $4)",
        set.uuid(),
        account.id().uuid(),
        salt,
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("INSERT INTO recovery_codes (set_id, digest) SELECT $1, unnest($2::bytea[])", set.uuid(), digests)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many recovery codes are unused.
pub async fn recovery_codes_left(conn: impl PgExecutor<'_>, account: AccountId) -> Result<i64, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "left!" FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
           WHERE s.account_id = $1 AND c.used_at IS NULL"#,
        account.uuid()
    )
    .fetch_one(conn)
    .await?)
}

/// The set as a factor, while any of its codes is left.
pub(super) async fn as_factor(
    conn: impl PgExecutor<'_>,
    account: AccountId,
) -> Result<Option<ConfirmedFactor>, Internal> {
    let row = sqlx::query!(
        r#"SELECT s.id AS "id: FactorId", s.created_at, max(c.used_at) AS last_used_at
           FROM recovery_code_sets s JOIN recovery_codes c ON c.set_id = s.id
           WHERE s.account_id = $1 GROUP BY s.id HAVING count(*) FILTER (WHERE c.used_at IS NULL) > 0"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| ConfirmedFactor {
        id: row.id,
        kind: FactorKind::RecoveryCode,
        label: String::new(),
        number: None,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    }))
}
