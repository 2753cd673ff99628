//! What is held of accounts: of one for its owner, of all in pages as another system would get them.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::model::AccountRemainder;
use super::super::model::Identifier;
use super::super::model::ImportedAccount;
use super::super::model::ImportedIdentifier;
use super::super::model::LegacyLogin;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::text::Language;

/// What is held of an account beside its profile; `None` when it is gone.
pub(crate) async fn remainder(
    conn: &mut PgConnection,
    account: AccountId,
) -> Result<Option<AccountRemainder>, Internal> {
    Ok(sqlx::query_as!(
        AccountRemainder,
        r#"SELECT a.external_id, a.closes_at, p.must_change AS must_change_password,
                  CASE WHEN p.hash_sealed IS NOT NULL THEN p.changed_at END AS password_changed_at
           FROM accounts a JOIN passwords p ON p.account_id = a.id WHERE a.id = $1"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

/// The active accounts behind `after`, in the order of their ids, each with its sealed hash.
pub(crate) async fn page(
    conn: &mut PgConnection,
    after: AccountId,
    count: i64,
) -> Result<Vec<(ImportedAccount, Option<Zeroizing<Vec<u8>>>)>, Internal> {
    let rows = sqlx::query!(
        r#"SELECT a.id AS "id: AccountId", a.external_id, a.display_name, a.locale, a.time_zone, a.roles, a.created_at,
                  p.hash_sealed, p.must_change, l.login AS "login?"
           FROM accounts a JOIN passwords p ON p.account_id = a.id LEFT JOIN legacy_logins l ON l.account_id = a.id
           WHERE a.status = 'active' AND a.id > $1 ORDER BY a.id LIMIT $2"#,
        after.uuid(),
        count
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id.uuid()).collect();
    let mut identifiers = identifiers(conn, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let account = ImportedAccount {
                id: row.id,
                external_id: row.external_id.unwrap_or_else(|| row.id.to_string()),
                hash: None,
                must_change_password: row.must_change,
                identifiers: identifiers.remove(&row.id.uuid()).unwrap_or_default(),
                legacy_login: row.login.as_deref().and_then(LegacyLogin::parse),
                display_name: row.display_name,
                locale: Language::of(&row.locale).tag(),
                time_zone: row.time_zone,
                roles: row.roles,
                created_at: row.created_at,
            };
            Ok((account, row.hash_sealed.map(Zeroizing::new)))
        })
        .collect()
}

/// How many accounts are not active: they are closing.
pub async fn count_inactive(conn: &mut PgConnection) -> Result<u64, Internal> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM accounts WHERE status <> 'active'"#);
    Ok(count.fetch_one(conn).await?.unsigned_abs())
}

async fn identifiers(
    conn: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ImportedIdentifier>>, Internal> {
    let rows = sqlx::query!(
        "SELECT account_id, value, verified_at, is_proved, is_primary FROM identifiers
         WHERE account_id = ANY($1) ORDER BY account_id, is_primary DESC, id",
        accounts
    )
    .fetch_all(conn)
    .await?;
    let mut identifiers: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        let identifier = Identifier::parse(&row.value, None)
            .map_err(|_| Internal::bug(format!("identifiers of {}: one cannot be read", row.account_id)))?;
        let verified_at = row.is_proved.then_some(row.verified_at);
        let own = ImportedIdentifier { identifier, verified_at, primary: row.is_primary };
        identifiers.entry(row.account_id).or_default().push(own);
    }
    Ok(identifiers)
}
