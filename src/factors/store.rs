//! All SQL of factors and recovery codes.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::model::ConfirmedFactor;
use super::model::FactorKind;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// An enrolment to insert.
pub(super) struct NewTotp<'a> {
    pub id: FactorId,
    pub account: AccountId,
    pub flow: FlowId,
    pub label: &'a str,
    pub secret_sealed: &'a [u8],
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(super) async fn insert_totp(conn: &mut PgConnection, new: &NewTotp<'_>) -> Result<(), Internal> {
    sqlx::query!(
        "DELETE FROM factors WHERE account_id = $1 AND confirmed_at IS NULL AND expires_at <= $2",
        new.account.uuid(),
        new.now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO factors (id, account_id, kind, label, created_at, flow_id, expires_at) VALUES ($1, $2, 'totp', $3, $4, $5, $6)",
        new.id.uuid(),
        new.account.uuid(),
        new.label,
        new.now,
        new.flow.uuid(),
        new.expires_at
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO totp_factors (factor_id, secret_sealed) VALUES ($1, $2)",
        new.id.uuid(),
        new.secret_sealed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The secret of an app and the newest step that was used.
pub(super) struct TotpSecret {
    pub factor: FactorId,
    pub label: String,
    pub secret_sealed: Vec<u8>,
    pub last_step: i64,
}

/// The confirmed apps of an account; only `named` when one is named.
pub(super) async fn confirmed_totps(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    named: Option<FactorId>,
) -> Result<Vec<TotpSecret>, Internal> {
    Ok(sqlx::query_as!(
        TotpSecret,
        r#"SELECT f.id AS "factor: FactorId", f.label, t.secret_sealed, t.last_step FROM factors f JOIN totp_factors t ON t.factor_id = f.id
           WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL AND ($2::uuid IS NULL OR f.id = $2) ORDER BY f.id"#,
        account.uuid(),
        named.map(FactorId::uuid)
    )
    .fetch_all(conn)
    .await?)
}

/// An enrolment that waits for its first code, of this flow and no other.
pub(super) async fn pending_totp(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    flow: FlowId,
    factor: FactorId,
    now: DateTime<Utc>,
) -> Result<Option<TotpSecret>, Internal> {
    Ok(sqlx::query_as!(
        TotpSecret,
        r#"SELECT f.id AS "factor: FactorId", f.label, t.secret_sealed, t.last_step FROM factors f JOIN totp_factors t ON t.factor_id = f.id
           WHERE f.id = $1 AND f.account_id = $2 AND f.flow_id = $3 AND f.confirmed_at IS NULL AND f.expires_at > $4"#,
        factor.uuid(),
        account.uuid(),
        flow.uuid(),
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Any app, confirmed or waiting; for `sekisho dev`.
pub(super) async fn any_totp(
    conn: impl PgExecutor<'_>,
    factor: FactorId,
    now: DateTime<Utc>,
) -> Result<Option<TotpSecret>, Internal> {
    Ok(sqlx::query_as!(
        TotpSecret,
        r#"SELECT f.id AS "factor: FactorId", f.label, t.secret_sealed, t.last_step FROM factors f JOIN totp_factors t ON t.factor_id = f.id
           WHERE f.id = $1 AND (f.confirmed_at IS NOT NULL OR f.expires_at > $2)"#,
        factor.uuid(),
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// Uses a time step up; false when it, or a later one, was used before.
pub(super) async fn burn_step(
    conn: &mut PgConnection,
    factor: FactorId,
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let burnt = sqlx::query!(
        "UPDATE totp_factors SET last_step = $2 WHERE factor_id = $1 AND last_step < $2",
        factor.uuid(),
        step
    )
    .execute(&mut *conn)
    .await?;
    if burnt.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("UPDATE factors SET last_used_at = $2 WHERE id = $1", factor.uuid(), now).execute(conn).await?;
    Ok(true)
}

/// Confirms an enrolment; false when it was confirmed or has expired.
pub(super) async fn confirm(
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

/// The confirmed factors of an account, the oldest first; recovery codes, if any are left, come last as one.
pub(super) async fn confirmed(conn: &mut PgConnection, account: AccountId) -> Result<Vec<ConfirmedFactor>, Internal> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: FactorId", kind, label FROM factors WHERE account_id = $1 AND confirmed_at IS NOT NULL ORDER BY id"#,
        account.uuid()
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut factors = rows
        .into_iter()
        .map(|row| match row.kind.as_str() {
            "totp" => Ok(ConfirmedFactor { id: row.id, kind: FactorKind::Totp, label: row.label }),
            _ => Err(Internal::bug(format!("factors {}: unknown kind", row.id))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let set = sqlx::query_scalar!(
        r#"SELECT s.id AS "id: FactorId" FROM recovery_code_sets s WHERE s.account_id = $1
           AND EXISTS (SELECT 1 FROM recovery_codes c WHERE c.set_id = s.id AND c.used_at IS NULL)"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?;
    factors.extend(set.map(|id| ConfirmedFactor { id, kind: FactorKind::RecoveryCode, label: String::new() }));
    Ok(factors)
}

/// The set of an account and its salt.
pub(super) struct CodeSet {
    pub id: FactorId,
    pub salt: Vec<u8>,
}

pub(super) async fn code_set(conn: impl PgExecutor<'_>, account: AccountId) -> Result<Option<CodeSet>, Internal> {
    Ok(sqlx::query_as!(
        CodeSet,
        r#"SELECT id AS "id: FactorId", salt FROM recovery_code_sets WHERE account_id = $1"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn code_is_unused(conn: impl PgExecutor<'_>, set: FactorId, digest: &[u8]) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM recovery_codes WHERE set_id = $1 AND digest = $2 AND used_at IS NULL) AS "unused!""#,
        set.uuid(),
        digest
    )
    .fetch_one(conn)
    .await?)
}

/// Uses a recovery code up; false when it was used before.
pub(super) async fn burn_code(
    conn: &mut PgConnection,
    set: FactorId,
    digest: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let burnt = sqlx::query!(
        "UPDATE recovery_codes SET used_at = $3 WHERE set_id = $1 AND digest = $2 AND used_at IS NULL",
        set.uuid(),
        digest,
        now
    )
    .execute(conn)
    .await?;
    Ok(burnt.rows_affected() == 1)
}

/// Puts a new set in the place of the old one.
pub(super) async fn replace_codes(
    conn: &mut PgConnection,
    account: &LockedAccount,
    set: FactorId,
    codes: (&[u8], &[Vec<u8>]),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    let (salt, digests) = codes;
    sqlx::query!("DELETE FROM recovery_code_sets WHERE account_id = $1", account.id().uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "INSERT INTO recovery_code_sets (id, account_id, salt, created_at) VALUES ($1, $2, $3, $4)",
        set.uuid(),
        account.id().uuid(),
        salt,
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("INSERT INTO recovery_codes (set_id, digest) SELECT $1, unnest($2::bytea[])", set.uuid(), digests)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn codes_left(conn: impl PgExecutor<'_>, account: AccountId) -> Result<i64, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "left!" FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
           WHERE s.account_id = $1 AND c.used_at IS NULL"#,
        account.uuid()
    )
    .fetch_one(conn)
    .await?)
}
