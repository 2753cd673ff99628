//! What an import brought and nobody has proved: identifiers, and old user names.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::LockedAccount;
use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

/// Takes an identifier away from whoever has not proved it. That account's row is not locked: what is proved of it at the
/// same time waits for this, or this for that.
pub async fn displace_unproved(conn: &mut PgConnection, lookup_key: &str) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM identifiers WHERE lookup_key = $1 AND NOT is_proved", lookup_key).execute(conn).await?;
    Ok(())
}

/// Notes that an identifier was proved; those that never were go. False when it has gone itself.
pub(crate) async fn prove(
    conn: &mut PgConnection,
    account: &LockedAccount,
    identifier: IdentifierId,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let (account, identifier) = (account.id().uuid(), identifier.uuid());
    sqlx::query!("DELETE FROM identifiers WHERE account_id = $1 AND id <> $2 AND NOT is_proved", account, identifier)
        .execute(&mut *conn)
        .await?;
    let proved = sqlx::query!(
        "UPDATE identifiers SET verified_at = CASE WHEN is_proved THEN verified_at ELSE $3 END, is_proved = true,
                is_primary = is_primary OR NOT EXISTS
                    (SELECT FROM identifiers other WHERE other.account_id = $1 AND other.is_primary AND other.id <> $2)
         WHERE id = $2 AND account_id = $1",
        account,
        identifier,
        now
    )
    .execute(conn)
    .await?;
    Ok(proved.rows_affected() == 1)
}

/// The account whose old user name this is.
pub(crate) async fn owner_of_legacy_login(
    conn: impl PgExecutor<'_>,
    lookup_key: &str,
) -> Result<Option<AccountId>, Internal> {
    let owner = sqlx::query_scalar!(
        r#"SELECT account_id AS "id: AccountId" FROM legacy_logins WHERE lookup_key = $1"#,
        lookup_key
    );
    Ok(owner.fetch_optional(conn).await?)
}

/// Whether any old user name is still good.
pub(crate) async fn has_legacy_logins(conn: impl PgExecutor<'_>) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM legacy_logins) AS "has!""#).fetch_one(conn).await?)
}

/// Ends the old user name of an account, with its first sign-in; false when it has none any more.
pub async fn end_legacy_login(conn: &mut PgConnection, account: AccountId) -> Result<bool, Internal> {
    let deleted = sqlx::query!("DELETE FROM legacy_logins WHERE account_id = $1", account.uuid()).execute(conn).await?;
    Ok(deleted.rows_affected() == 1)
}
