//! Confirmed factors of many accounts.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// An app or a phone, as its rows have it.
pub(crate) struct ConfirmedRow {
    pub id: FactorId,
    pub account: AccountId,
    pub label: String,
    pub confirmed_at: DateTime<Utc>,
    pub secret_sealed: Option<Vec<u8>>,
    pub number: Option<String>,
}

pub(crate) async fn confirmed_of(conn: &mut PgConnection, accounts: &[Uuid]) -> Result<Vec<ConfirmedRow>, Internal> {
    Ok(sqlx::query_as!(
        ConfirmedRow,
        r#"SELECT f.id AS "id: FactorId", f.account_id AS "account: AccountId", f.label, f.confirmed_at AS "confirmed_at!",
                  t.secret_sealed AS "secret_sealed?", p.number AS "number?"
           FROM factors f LEFT JOIN totp_factors t ON t.factor_id = f.id LEFT JOIN phone_factors p ON p.factor_id = f.id
           WHERE f.account_id = ANY($1) AND f.confirmed_at IS NOT NULL ORDER BY f.id"#,
        accounts
    )
    .fetch_all(conn)
    .await?)
}
