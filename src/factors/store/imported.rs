//! Confirmed factors in batches.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::imported::ImportedFactor;
use super::super::model::FactorKind;
use crate::ids::FactorId;
use crate::internal::Internal;

/// A confirmed factor to insert.
pub(crate) struct NewConfirmed<'a> {
    pub id: FactorId,
    pub factor: &'a ImportedFactor,
    pub kind: FactorKind,
    pub secret_sealed: Option<Vec<u8>>,
    pub number: Option<String>,
}

pub(crate) async fn insert_confirmed(conn: &mut PgConnection, rows: &[NewConfirmed<'_>]) -> Result<(), Internal> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    let accounts: Vec<Uuid> = rows.iter().map(|row| row.factor.account.uuid()).collect();
    let kinds: Vec<_> = rows.iter().map(|row| row.kind.name().to_owned()).collect();
    let labels: Vec<_> = rows.iter().map(|row| row.factor.label.clone()).collect();
    let confirmed: Vec<_> = rows.iter().map(|row| row.factor.confirmed_at).collect();
    sqlx::query!(
        "INSERT INTO factors (id, account_id, kind, label, created_at, confirmed_at, expires_at)
         SELECT id, account, kind, label, confirmed_at, confirmed_at, confirmed_at
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
              AS new (id, account, kind, label, confirmed_at)",
        &ids,
        &accounts,
        &kinds,
        &labels,
        &confirmed
    )
    .execute(&mut *conn)
    .await?;
    let secrets = || rows.iter().filter_map(|row| Some((row.id.uuid(), row.secret_sealed.clone()?)));
    let (ids, sealed): (Vec<_>, Vec<_>) = secrets().unzip();
    sqlx::query!(
        "INSERT INTO totp_factors (factor_id, secret_sealed) SELECT * FROM unnest($1::uuid[], $2::bytea[])",
        &ids,
        &sealed
    )
    .execute(&mut *conn)
    .await?;
    let (ids, numbers): (Vec<_>, Vec<_>) =
        rows.iter().filter_map(|row| Some((row.id.uuid(), row.number.clone()?))).unzip();
    sqlx::query!(
        "INSERT INTO phone_factors (factor_id, number) SELECT * FROM unnest($1::uuid[], $2::text[])",
        &ids,
        &numbers
    )
    .execute(conn)
    .await?;
    Ok(())
}
