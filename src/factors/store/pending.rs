//! Enrolments that wait for their first code.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::FactorKind;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// An enrolment to insert.
pub(crate) struct NewFactor<'a> {
    pub id: FactorId,
    pub account: AccountId,
    pub flow: Option<FlowId>,
    pub kind: FactorKind,
    pub label: &'a str,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Inserts an enrolment; those of the account that are over make room.
pub(crate) async fn insert(conn: &mut PgConnection, new: &NewFactor<'_>) -> Result<(), Internal> {
    sqlx::query!(
        "DELETE FROM factors WHERE account_id = $1 AND confirmed_at IS NULL AND expires_at <= $2",
        new.account.uuid(),
        new.now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO factors (id, account_id, kind, label, created_at, flow_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.id.uuid(),
        new.account.uuid(),
        new.kind.name(),
        new.label,
        new.now,
        new.flow.map(FlowId::uuid),
        new.expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert_number(conn: &mut PgConnection, factor: FactorId, number: &str) -> Result<(), Internal> {
    sqlx::query!("INSERT INTO phone_factors (factor_id, number) VALUES ($1, $2)", factor.uuid(), number)
        .execute(conn)
        .await?;
    Ok(())
}

/// An enrolment as its row has it.
pub(crate) struct PendingRow {
    pub kind: FactorKind,
    pub label: String,
    pub number: Option<String>,
}

/// An enrolment that waits for its first code, of this flow, or of the account when there is none.
pub(crate) async fn pending(
    conn: impl PgExecutor<'_>,
    (account, flow): (AccountId, Option<FlowId>),
    factor: FactorId,
    now: DateTime<Utc>,
) -> Result<Option<PendingRow>, Internal> {
    let row = sqlx::query!(
        r#"SELECT f.kind, f.label, p.number AS "number?" FROM factors f LEFT JOIN phone_factors p ON p.factor_id = f.id
           WHERE f.id = $1 AND f.account_id = $2 AND f.flow_id IS NOT DISTINCT FROM $3 AND f.confirmed_at IS NULL
           AND f.expires_at > $4"#,
        factor.uuid(),
        account.uuid(),
        flow.map(FlowId::uuid),
        now
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(PendingRow { kind: FactorKind::from_name(&row.kind, factor)?, label: row.label, number: row.number }))
}

/// Confirms an enrolment; false when it was confirmed or has expired.
pub(crate) async fn confirm(
    conn: &mut PgConnection,
    account: &LockedAccount,
    factor: FactorId,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let confirmed = sqlx::query!(
        "UPDATE factors SET confirmed_at = $3 WHERE id = $1 AND account_id = $2 AND confirmed_at IS NULL AND expires_at > $3",
        factor.uuid(),
        account.id().uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(confirmed.rows_affected() == 1)
}
