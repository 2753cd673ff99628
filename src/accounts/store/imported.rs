//! Accounts in batches: what is taken, and many rows in one statement.

use std::collections::HashMap;

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::model::Holder;
use super::super::model::ImportedAccount;
use super::super::model::LegacyLogin;
use crate::crypto;
use crate::db::broke_constraint;
use crate::ids::AccountId;
use crate::internal::Internal;

/// What two accounts cannot both have.
const UNIQUE: [&str; 3] =
    ["accounts_external_id_unique", "identifiers_lookup_key_unique", "legacy_logins_lookup_key_unique"];

/// Those among `names` that were imported already, with their account, and whether nobody can sign in to it any more.
pub(crate) async fn known_external_ids(
    conn: &mut PgConnection,
    names: &[String],
) -> Result<Vec<(String, AccountId, bool)>, Internal> {
    let known = sqlx::query!(
        r#"SELECT external_id AS "name!", id AS "id: AccountId",
                  NOT EXISTS (SELECT FROM identifiers WHERE account_id = accounts.id)
                  AND NOT EXISTS (SELECT FROM legacy_logins WHERE account_id = accounts.id) AS "stranded!"
           FROM accounts WHERE external_id = ANY($1)"#,
        names
    );
    Ok(known.fetch_all(conn).await?.into_iter().map(|row| (row.name, row.id, row.stranded)).collect())
}

/// Those among `macs` by which an account was known that is gone.
pub(crate) async fn gone_by_mac(conn: &mut PgConnection, macs: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Internal> {
    let gone =
        sqlx::query_scalar!(r#"SELECT external_mac AS "mac!" FROM closed_accounts WHERE external_mac = ANY($1)"#, macs);
    Ok(gone.fetch_all(conn).await?)
}

/// Those among `keys` that identify an account already, and which.
pub(crate) async fn taken_identifiers(
    conn: &mut PgConnection,
    keys: &[String],
) -> Result<HashMap<String, Holder>, Internal> {
    let taken = sqlx::query!(
        r#"SELECT lookup_key, account_id AS "id: AccountId" FROM identifiers WHERE lookup_key = ANY($1)"#,
        keys
    );
    Ok(taken.fetch_all(conn).await?.into_iter().map(|row| (row.lookup_key, Holder::Account(row.id))).collect())
}

/// Those among `keys` that are an account's old user name already, and whose.
pub(crate) async fn taken_legacy_logins(
    conn: &mut PgConnection,
    keys: &[String],
) -> Result<HashMap<String, Holder>, Internal> {
    let taken = sqlx::query!(
        r#"SELECT lookup_key, account_id AS "id: AccountId" FROM legacy_logins WHERE lookup_key = ANY($1)"#,
        keys
    );
    Ok(taken.fetch_all(conn).await?.into_iter().map(|row| (row.lookup_key, Holder::Account(row.id))).collect())
}

/// Inserts accounts, each with its sealed hash; false when somebody has taken a name meanwhile, and the transaction is
/// broken.
pub(crate) async fn insert_imported(
    conn: &mut PgConnection,
    accounts: &[(&ImportedAccount, Option<Vec<u8>>)],
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let inserted = async {
        insert_accounts(conn, accounts).await?;
        insert_passwords(conn, accounts, now).await?;
        insert_identifiers(conn, accounts, now).await?;
        insert_legacy_logins(conn, accounts).await
    };
    match inserted.await {
        Ok(()) => Ok(true),
        Err(error) if UNIQUE.iter().any(|name| broke_constraint(&error, name)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

type Accounts<'a> = &'a [(&'a ImportedAccount, Option<Vec<u8>>)];

fn ids(accounts: Accounts<'_>) -> Vec<Uuid> {
    accounts.iter().map(|(account, _)| account.id.uuid()).collect()
}

async fn insert_accounts(conn: &mut PgConnection, accounts: Accounts<'_>) -> Result<(), sqlx::Error> {
    let external_ids: Vec<_> = accounts.iter().map(|(account, _)| account.external_id.clone()).collect();
    let names: Vec<_> = accounts.iter().map(|(account, _)| account.display_name.clone()).collect();
    let locales: Vec<_> = accounts.iter().map(|(account, _)| account.locale.to_owned()).collect();
    let zones: Vec<_> = accounts.iter().map(|(account, _)| account.time_zone.clone()).collect();
    // unnest would flatten arrays of arrays; no role has a comma.
    let roles: Vec<_> = accounts.iter().map(|(account, _)| account.roles.join(",")).collect();
    let created: Vec<_> = accounts.iter().map(|(account, _)| account.created_at).collect();
    sqlx::query!(
        "INSERT INTO accounts (id, external_id, display_name, locale, time_zone, roles, created_at)
         SELECT id, external_id, display_name, locale, time_zone, string_to_array(roles, ','), created_at
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
              AS new (id, external_id, display_name, locale, time_zone, roles, created_at)",
        &ids(accounts),
        &external_ids,
        &names as &[Option<String>],
        &locales,
        &zones,
        &roles,
        &created
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_passwords(
    conn: &mut PgConnection,
    accounts: Accounts<'_>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let hashes: Vec<_> = accounts.iter().map(|(_, sealed)| sealed.clone()).collect();
    let must_change: Vec<_> = accounts.iter().map(|(account, _)| account.must_change_password).collect();
    sqlx::query!(
        "INSERT INTO passwords (account_id, hash_sealed, must_change, changed_at)
         SELECT id, sealed, must_change, $4
         FROM unnest($1::uuid[], $2::bytea[], $3::boolean[]) AS new (id, sealed, must_change)",
        &ids(accounts),
        &hashes as &[Option<Vec<u8>>],
        &must_change,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_identifiers(
    conn: &mut PgConnection,
    accounts: Accounts<'_>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let all = || {
        accounts.iter().flat_map(|(account, _)| account.identifiers.iter().map(|identifier| (account.id, identifier)))
    };
    let ids: Vec<Uuid> = all().map(|_| crypto::new_id(now)).collect();
    let owners: Vec<_> = all().map(|(account, _)| account.uuid()).collect();
    let kinds: Vec<_> = all().map(|(_, own)| own.identifier.kind().name().to_owned()).collect();
    let values: Vec<_> = all().map(|(_, own)| own.identifier.value().to_owned()).collect();
    let keys: Vec<_> = all().map(|(_, own)| own.identifier.lookup_key().to_owned()).collect();
    let verified: Vec<_> = all().map(|(_, own)| own.verified_at).collect();
    let primary: Vec<_> = all().map(|(_, own)| own.primary).collect();
    sqlx::query!(
        "INSERT INTO identifiers (id, account_id, kind, value, lookup_key, verified_at, is_proved, is_primary, created_at)
         SELECT id, owner, kind, value, key, coalesce(verified_at, $8), verified_at IS NOT NULL, is_primary, $8
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::boolean[])
              AS new (id, owner, kind, value, key, verified_at, is_primary)",
        &ids,
        &owners,
        &kinds,
        &values,
        &keys,
        &verified as &[Option<DateTime<Utc>>],
        &primary,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_legacy_logins(conn: &mut PgConnection, accounts: Accounts<'_>) -> Result<(), sqlx::Error> {
    let all = || accounts.iter().filter_map(|(account, _)| Some((account.id, account.legacy_login.as_ref()?)));
    let owners: Vec<_> = all().map(|(account, _)| account.uuid()).collect();
    let logins: Vec<_> = all().map(|(_, login)| LegacyLogin::written(login).to_owned()).collect();
    let keys: Vec<_> = all().map(|(_, login)| login.lookup_key().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO legacy_logins (account_id, login, lookup_key)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])",
        &owners,
        &logins,
        &keys
    )
    .execute(conn)
    .await?;
    Ok(())
}
