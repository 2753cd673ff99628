//! Passkeys: what is known of each, and how often it has signed.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::super::model::KeptPasskey;
use super::super::model::NewPasskey;
use super::super::model::PasskeyUse;
use super::enrolled;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// The handle of an account; `drawn` when it has none yet.
pub(crate) async fn user_handle(conn: &mut PgConnection, account: AccountId, drawn: Uuid) -> Result<Uuid, Internal> {
    // The update changes nothing; it makes the statement answer the row that is there.
    Ok(sqlx::query_scalar!(
        "INSERT INTO passkey_users (account_id, handle) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET handle = passkey_users.handle RETURNING handle",
        account.uuid(),
        drawn
    )
    .fetch_one(conn)
    .await?)
}

/// What the authenticators of an account call its passkeys.
pub(crate) async fn credential_ids(conn: impl PgExecutor<'_>, account: AccountId) -> Result<Vec<Vec<u8>>, Internal> {
    Ok(sqlx::query_scalar!(
        "SELECT p.credential_id FROM passkey_factors p JOIN factors f ON f.id = p.factor_id
         WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL ORDER BY f.id",
        account.uuid()
    )
    .fetch_all(conn)
    .await?)
}

/// Inserts a new passkey; false when somebody has it already.
pub(crate) async fn insert_passkey(conn: &mut PgConnection, new: &NewPasskey) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO passkey_factors (factor_id, credential_id, user_handle, credential_sealed)
         VALUES ($1, $2, $3, $4) ON CONFLICT ON CONSTRAINT passkey_factors_credential_unique DO NOTHING",
        new.factor.uuid(),
        new.credential_id,
        new.user_handle,
        new.credential_sealed
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn passkey(conn: impl PgExecutor<'_>, factor: FactorId) -> Result<Option<KeptPasskey>, Internal> {
    Ok(sqlx::query_as!(
        KeptPasskey,
        r#"SELECT p.factor_id AS "factor: FactorId", p.user_handle, p.credential_sealed
           FROM passkey_factors p JOIN factors f ON f.id = p.factor_id
           WHERE p.factor_id = $1 AND f.confirmed_at IS NOT NULL"#,
        factor.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

/// Whose passkey it is, when the authenticator names its owner as it was told at the registration.
pub(crate) async fn owner_of_passkey(
    conn: impl PgExecutor<'_>,
    credential_id: &[u8],
    user_handle: Uuid,
) -> Result<Option<(AccountId, FactorId)>, Internal> {
    let row = sqlx::query!(
        r#"SELECT f.account_id AS "account: AccountId", f.id AS "factor: FactorId"
           FROM passkey_factors p JOIN factors f ON f.id = p.factor_id
           WHERE p.credential_id = $1 AND p.user_handle = $2 AND f.confirmed_at IS NOT NULL"#,
        credential_id,
        user_handle
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.account, row.factor)))
}

/// Whether a passkey is a whole sign-in.
pub(crate) async fn stands_alone(conn: &mut PgConnection, factor: FactorId) -> Result<bool, Internal> {
    let alone = sqlx::query_scalar!(
        r#"SELECT NOT second_factor_only AS "alone!" FROM passkey_factors WHERE factor_id = $1"#,
        factor.uuid()
    );
    Ok(alone.fetch_optional(conn).await?.unwrap_or(false))
}

/// Makes second factors and nothing more of the passkeys of an account that were confirmed after `since`, but for the one
/// that was the first factor of a sign-in begun before `first`.
pub(crate) async fn demote(
    conn: &mut PgConnection,
    account: &LockedAccount,
    (since, first): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE passkey_factors p SET second_factor_only = true FROM factors f
         WHERE f.id = p.factor_id AND f.account_id = $1 AND f.confirmed_at > $2
           AND NOT (f.flow_id IS NOT NULL AND f.confirmed_at < $3)",
        account.id().uuid(),
        since,
        first
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a use; false when the passkey has signed as often before, which a copy of it would have.
pub(crate) async fn use_passkey(
    conn: &mut PgConnection,
    used: &PasskeyUse,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let noted = sqlx::query!(
        "UPDATE passkey_factors SET sign_count = $2, credential_sealed = $3
         WHERE factor_id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))",
        used.factor.uuid(),
        used.sign_count,
        used.credential_sealed
    )
    .execute(&mut *conn)
    .await?;
    if noted.rows_affected() == 0 {
        return Ok(false);
    }
    enrolled::touch(conn, used.factor, now).await?;
    Ok(true)
}
