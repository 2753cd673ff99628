//! Confirmed factors.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::ConfirmedFactor;
use super::super::model::FactorKind;
use super::recovery_codes;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// The confirmed factors of an account, the oldest first; recovery codes, if any are left, come last as one.
pub async fn confirmed(conn: &mut PgConnection, account: AccountId) -> Result<Vec<ConfirmedFactor>, Internal> {
    let rows = sqlx::query!(
        r#"SELECT f.id AS "id: FactorId", f.kind, f.label, f.created_at, f.last_used_at, p.number AS "number?"
           FROM factors f LEFT JOIN phone_factors p ON p.factor_id = f.id
           WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL ORDER BY f.id"#,
        account.uuid()
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut factors = Vec::with_capacity(rows.len() + 1);
    for row in rows {
        factors.push(ConfirmedFactor {
            id: row.id,
            kind: FactorKind::from_name(&row.kind, row.id)?,
            label: row.label,
            number: row.number,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        });
    }
    factors.extend(recovery_codes::as_factor(conn, account).await?);
    Ok(factors)
}

/// Gives the confirmed factors of one account to another; recovery codes stay with their own. Of a label that is there already
/// `origin` tells the one that comes from the one that was there.
pub async fn move_confirmed(
    conn: &mut PgConnection,
    (from, origin): (&LockedAccount, &str),
    to: &LockedAccount,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE factors f SET account_id = $2, flow_id = NULL,
             label = CASE WHEN EXISTS (SELECT FROM factors same WHERE same.account_id = $2 AND same.label = f.label
                                         AND same.confirmed_at IS NOT NULL)
                          THEN left(f.label || ' (' || $3 || ')', 100) ELSE f.label END
         WHERE account_id = $1 AND confirmed_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM phone_factors own JOIN phone_factors other ON other.number = own.number
                           JOIN factors theirs ON theirs.id = other.factor_id AND theirs.account_id = $2
                             AND theirs.confirmed_at IS NOT NULL
                           WHERE own.factor_id = f.id)",
        from.id().uuid(),
        to.id().uuid(),
        origin
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The accounts that have one of these numbers as a confirmed factor.
pub async fn holders(conn: &mut PgConnection, numbers: &[String]) -> Result<Vec<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT DISTINCT f.account_id AS "id: AccountId" FROM phone_factors p JOIN factors f ON f.id = p.factor_id
           WHERE p.number = ANY($1) AND f.confirmed_at IS NOT NULL"#,
        numbers
    )
    .fetch_all(conn)
    .await?)
}

/// Notes that a factor was used; false when it was removed meanwhile.
pub(crate) async fn touch(conn: &mut PgConnection, factor: FactorId, now: DateTime<Utc>) -> Result<bool, Internal> {
    let touched = sqlx::query!(
        "UPDATE factors SET last_used_at = $2 WHERE id = $1 AND confirmed_at IS NOT NULL",
        factor.uuid(),
        now
    );
    Ok(touched.execute(conn).await?.rows_affected() == 1)
}

/// Gives a factor another name; false when the account has no such factor.
pub async fn rename(
    conn: &mut PgConnection,
    account: &LockedAccount,
    factor: FactorId,
    label: &str,
) -> Result<bool, Internal> {
    let renamed = sqlx::query!(
        "UPDATE factors SET label = $3 WHERE id = $1 AND account_id = $2 AND confirmed_at IS NOT NULL",
        factor.uuid(),
        account.id().uuid(),
        label
    )
    .execute(conn)
    .await?;
    Ok(renamed.rows_affected() == 1)
}

/// Removes every factor of an account, or those of one kind, because their owner has lost them; the last one, too. What
/// opens the account next is an enrolment.
pub async fn remove_all(
    conn: &mut PgConnection,
    account: &LockedAccount,
    kind: Option<FactorKind>,
) -> Result<(), Internal> {
    sqlx::query!(
        "DELETE FROM factors WHERE account_id = $1 AND ($2::text IS NULL OR kind = $2)",
        account.id().uuid(),
        kind.map(FactorKind::name)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a factor, unless it is the last confirmed one; false when nothing was removed.
pub(crate) async fn remove(
    conn: &mut PgConnection,
    account: &LockedAccount,
    factor: FactorId,
) -> Result<bool, Internal> {
    let removed = sqlx::query!(
        "DELETE FROM factors WHERE id = $1 AND account_id = $2 AND confirmed_at IS NOT NULL AND EXISTS
         (SELECT FROM factors other WHERE other.account_id = $2 AND other.confirmed_at IS NOT NULL AND other.id <> $1)",
        factor.uuid(),
        account.id().uuid()
    )
    .execute(conn)
    .await?;
    Ok(removed.rows_affected() == 1)
}
