//! All SQL of accounts, identifiers and passwords.

mod closing;
mod exported;
mod imported;
mod passwords;
mod unproved;

pub use passwords::*;

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use crate::accounts::model::AccountStatus;
use crate::accounts::model::IdentifierKind;
use crate::accounts::model::LockedAccount;
use crate::accounts::model::NewAccount;
use crate::accounts::model::OwnIdentifier;
use crate::accounts::model::Profile;
use crate::db::broke_constraint;
use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

pub use closing::*;
pub use exported::*;
pub(super) use imported::*;
pub use unproved::*;

/// What is needed to judge a password.
pub(super) struct Credentials {
    pub account: AccountId,
    pub status: AccountStatus,
    pub hash_sealed: Option<Vec<u8>>,
    pub version: i64,
}

/// Whoever has an identifier, or a known account.
pub(super) async fn find_credentials(
    conn: impl PgExecutor<'_>,
    (lookup_key, account): (Option<&str>, Option<AccountId>),
    now: DateTime<Utc>,
) -> Result<Option<Credentials>, Internal> {
    let row = sqlx::query!(
        r#"SELECT a.id AS "id: AccountId", a.status, a.closes_at, p.hash_sealed, p.version
           FROM accounts a JOIN passwords p ON p.account_id = a.id
           WHERE a.id = coalesce($2, (SELECT account_id FROM identifiers WHERE lookup_key = $1))"#,
        lookup_key,
        account.map(AccountId::uuid)
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Credentials {
            account: row.id,
            status: AccountStatus::of_row(&row.status, row.id, (row.closes_at, now))?,
            hash_sealed: row.hash_sealed,
            version: row.version,
        })
    })
    .transpose()
}

/// Takes the account's row, first of all locks; `None` when there is no such account.
///
/// # Errors
/// The database did not answer, or the lock was not to be had in time.
pub async fn lock(conn: &mut PgConnection, account: AccountId) -> Result<Option<LockedAccount>, Internal> {
    // Two statements: the version must be read after the lock is held, or a change that was waited for is missed.
    let row = sqlx::query!(
        "SELECT status, closes_at, roles, created_at FROM accounts WHERE id = $1 FOR NO KEY UPDATE",
        account.uuid()
    );
    let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let Some(password) = password_standing(conn, account).await? else { return Ok(None) };
    let status = AccountStatus::from_name(&row.status, account)?;
    let (closes_at, created_at) = (row.closes_at, row.created_at);
    Ok(Some(LockedAccount { id: account, status, closes_at, created_at, roles: row.roles, password }))
}

/// False when the identifier belongs to an account already.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: AccountId,
    identifier_id: IdentifierId,
    new: &NewAccount<'_>,
    sealed: (&[u8], DateTime<Utc>),
) -> Result<bool, Internal> {
    let (hash_sealed, now) = sealed;
    sqlx::query!(
        "INSERT INTO accounts (id, display_name, locale, created_at) VALUES ($1, $2, $3, $4)",
        id.uuid(),
        new.display_name,
        new.locale,
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO passwords (account_id, hash_sealed, changed_at) VALUES ($1, $2, $3)",
        id.uuid(),
        hash_sealed,
        now
    )
    .execute(&mut *conn)
    .await?;
    let inserted = sqlx::query!(
        "INSERT INTO identifiers (id, account_id, kind, value, lookup_key, verified_at, is_primary, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, true, $6)",
        identifier_id.uuid(),
        id.uuid(),
        new.identifier.kind.name(),
        new.identifier.value,
        new.identifier.lookup_key,
        now
    )
    .execute(conn)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if broke_constraint(&error, "identifiers_lookup_key_unique") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Replaces a hash by a stronger one of the same password; a password that has changed since stays.
pub(super) async fn upgrade_hash(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    version: i64,
    hash_sealed: &[u8],
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE passwords SET hash_sealed = $3 WHERE account_id = $1 AND version = $2",
        account.uuid(),
        version,
        hash_sealed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account whose owner has proved this identifier.
pub async fn owner_of(conn: &mut PgConnection, lookup_key: &str) -> Result<Option<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT account_id AS "id: AccountId" FROM identifiers WHERE lookup_key = $1 AND is_proved"#,
        lookup_key
    )
    .fetch_optional(conn)
    .await?)
}

/// The form in which its owner has proved this identifier.
pub async fn proved_address(conn: &mut PgConnection, lookup_key: &str) -> Result<Option<String>, Internal> {
    Ok(sqlx::query_scalar!("SELECT value FROM identifiers WHERE lookup_key = $1 AND is_proved", lookup_key)
        .fetch_optional(conn)
        .await?)
}

/// The account that an identifier signs in to, also while nobody has proved it: its failures are those of the account.
pub async fn holder_of(conn: &mut PgConnection, lookup_key: &str) -> Result<Option<AccountId>, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT account_id AS "id: AccountId" FROM identifiers WHERE lookup_key = $1"#,
        lookup_key
    )
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn profile(conn: &mut PgConnection, account: AccountId) -> Result<Option<Profile>, Internal> {
    let Some(row) = sqlx::query!(
        "SELECT status, display_name, locale, time_zone, roles, created_at FROM accounts WHERE id = $1",
        account.uuid()
    )
    .fetch_optional(&mut *conn)
    .await?
    else {
        return Ok(None);
    };
    Ok(Some(Profile {
        id: account,
        status: AccountStatus::from_name(&row.status, account)?,
        display_name: row.display_name,
        locale: row.locale,
        time_zone: row.time_zone,
        roles: row.roles,
        created_at: row.created_at,
        identifiers: identifiers(conn, account).await?,
    }))
}

async fn identifiers(conn: &mut PgConnection, account: AccountId) -> Result<Vec<OwnIdentifier>, Internal> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: IdentifierId", kind, value, lookup_key, verified_at, is_proved, is_primary FROM identifiers
           WHERE account_id = $1 ORDER BY is_primary DESC, id"#,
        account.uuid()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = IdentifierKind::from_name(&row.kind)
                .ok_or_else(|| Internal::bug(format!("identifiers {}: unknown kind", row.id)))?;
            Ok(OwnIdentifier {
                id: row.id,
                kind,
                value: row.value,
                lookup_key: row.lookup_key,
                verified_at: row.verified_at,
                proved: row.is_proved,
                primary: row.is_primary,
            })
        })
        .collect()
}

/// Sets what is given, keeps the rest; an empty name goes.
pub async fn update_profile(
    conn: &mut PgConnection,
    account: &LockedAccount,
    display_name: Option<&str>,
    locale: Option<&str>,
    time_zone: Option<&str>,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE accounts SET display_name = nullif(coalesce($2, display_name), ''), locale = coalesce($3, locale),
                time_zone = coalesce($4, time_zone) WHERE id = $1",
        account.id().uuid(),
        display_name,
        locale,
        time_zone
    )
    .execute(conn)
    .await?;
    Ok(())
}
