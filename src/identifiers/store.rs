//! All SQL of changing identifiers.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::model::MOST;
use super::model::PendingIdentifier;
use super::model::WantedIdentifier;
use crate::accounts::Identifier;
use crate::accounts::IdentifierKind;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

/// Keeps a wish; one of the same identifier begins anew under its old id. Those beyond the bound go, oldest first.
pub(super) async fn insert_pending(
    conn: &mut PgConnection,
    account: &LockedAccount,
    (id, identifier): (IdentifierId, &Identifier),
    (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<IdentifierId, Internal> {
    let id = sqlx::query_scalar!(
        r#"INSERT INTO pending_identifiers (id, account_id, kind, value, lookup_key, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (account_id, lookup_key)
           DO UPDATE SET value = excluded.value, created_at = excluded.created_at, expires_at = excluded.expires_at
           RETURNING id AS "id: IdentifierId""#,
        id.uuid(),
        account.id().uuid(),
        identifier.kind().name(),
        identifier.value(),
        identifier.lookup_key(),
        now,
        expires_at
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM pending_identifiers WHERE account_id = $1 AND id IN
         (SELECT id FROM pending_identifiers WHERE account_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)",
        account.id().uuid(),
        i64::try_from(MOST).unwrap_or(i64::MAX)
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// What an account wants and has not proved yet, newest first.
pub async fn wanted(conn: &mut PgConnection, account: AccountId) -> Result<Vec<WantedIdentifier>, Internal> {
    let rows = sqlx::query!(
        "SELECT id, kind, value, created_at FROM pending_identifiers WHERE account_id = $1 ORDER BY id DESC",
        account.uuid()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = IdentifierKind::from_name(&row.kind);
            let kind = kind.ok_or_else(|| Internal::bug(format!("pending_identifiers {}: unknown kind", row.id)))?;
            Ok(WantedIdentifier { kind, value: row.value, created_at: row.created_at })
        })
        .collect()
}

pub(super) async fn find_pending(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    id: IdentifierId,
    now: DateTime<Utc>,
) -> Result<Option<PendingIdentifier>, Internal> {
    let row = sqlx::query!(
        "SELECT kind, value, lookup_key FROM pending_identifiers WHERE id = $1 AND account_id = $2 AND expires_at > $3",
        id.uuid(),
        account.uuid(),
        now
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let kind = IdentifierKind::from_name(&row.kind)
            .ok_or_else(|| Internal::bug(format!("pending_identifiers {id}: unknown kind")))?;
        Ok(PendingIdentifier { id, kind, value: row.value, lookup_key: row.lookup_key })
    })
    .transpose()
}

/// Ends a wish; false when that was done before.
pub(super) async fn delete_pending(
    conn: &mut PgConnection,
    account: &LockedAccount,
    id: IdentifierId,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let gone = sqlx::query!(
        "DELETE FROM pending_identifiers WHERE id = $1 AND account_id = $2 AND expires_at > $3",
        id.uuid(),
        account.id().uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected() == 1)
}

/// Gives a proved identifier to an account; false when it belongs to one already.
pub(super) async fn attach(
    conn: &mut PgConnection,
    account: &LockedAccount,
    proved: &PendingIdentifier,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO identifiers (id, account_id, kind, value, lookup_key, verified_at, is_primary, created_at)
         SELECT $1, $2, $3, $4, $5, $6, NOT EXISTS (SELECT FROM identifiers WHERE account_id = $2), $6
         ON CONFLICT (lookup_key) DO NOTHING",
        proved.id.uuid(),
        account.id().uuid(),
        proved.kind.name(),
        proved.value,
        proved.lookup_key,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Two statements, since at no moment may two be the primary one.
pub(super) async fn make_primary(
    conn: &mut PgConnection,
    account: &LockedAccount,
    id: IdentifierId,
) -> Result<(), Internal> {
    sqlx::query!("UPDATE identifiers SET is_primary = false WHERE account_id = $1 AND is_primary", account.id().uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "UPDATE identifiers SET is_primary = true WHERE id = $1 AND account_id = $2",
        id.uuid(),
        account.id().uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes an identifier from an account. The oldest that stays becomes primary when no other is.
pub(super) async fn detach(conn: &mut PgConnection, account: &LockedAccount, id: IdentifierId) -> Result<(), Internal> {
    sqlx::query!("DELETE FROM identifiers WHERE id = $1 AND account_id = $2", id.uuid(), account.id().uuid())
        .execute(&mut *conn)
        .await?;
    elect_primary(conn, account).await
}

/// Takes from an account what an import brought and nobody has proved, unless nothing else would stay.
pub async fn drop_unproved(conn: &mut PgConnection, account: &LockedAccount) -> Result<(), Internal> {
    sqlx::query!(
        "DELETE FROM identifiers WHERE account_id = $1 AND NOT is_proved
           AND EXISTS (SELECT FROM identifiers WHERE account_id = $1 AND is_proved)",
        account.id().uuid()
    )
    .execute(&mut *conn)
    .await?;
    elect_primary(conn, account).await
}

async fn elect_primary(conn: &mut PgConnection, account: &LockedAccount) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE identifiers SET is_primary = true
         WHERE id = (SELECT id FROM identifiers WHERE account_id = $1 ORDER BY verified_at, id LIMIT 1)
           AND NOT EXISTS (SELECT FROM identifiers WHERE account_id = $1 AND is_primary)",
        account.id().uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}
