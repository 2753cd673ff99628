//! Authenticator apps: their secrets and the steps that were used.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::enrolled;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// The secret of an app and the newest step that was used.
pub(crate) struct TotpSecret {
    pub factor: FactorId,
    pub secret_sealed: Vec<u8>,
    pub last_step: i64,
}

pub(crate) async fn insert_secret(
    conn: &mut PgConnection,
    factor: FactorId,
    secret_sealed: &[u8],
) -> Result<(), Internal> {
    sqlx::query!("INSERT INTO totp_factors (factor_id, secret_sealed) VALUES ($1, $2)", factor.uuid(), secret_sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// The secret of an app, confirmed or waiting.
pub(crate) async fn secret(
    conn: impl PgExecutor<'_>,
    factor: FactorId,
    now: DateTime<Utc>,
) -> Result<Option<TotpSecret>, Internal> {
    Ok(sqlx::query_as!(
        TotpSecret,
        r#"SELECT f.id AS "factor: FactorId", t.secret_sealed, t.last_step FROM factors f JOIN totp_factors t ON t.factor_id = f.id
           WHERE f.id = $1 AND (f.confirmed_at IS NOT NULL OR f.expires_at > $2)"#,
        factor.uuid(),
        now
    )
    .fetch_optional(conn)
    .await?)
}

/// The secrets of the confirmed apps of an account.
pub(crate) async fn secrets_of(conn: impl PgExecutor<'_>, account: AccountId) -> Result<Vec<TotpSecret>, Internal> {
    Ok(sqlx::query_as!(
        TotpSecret,
        r#"SELECT f.id AS "factor: FactorId", t.secret_sealed, t.last_step FROM factors f JOIN totp_factors t ON t.factor_id = f.id
           WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL ORDER BY f.id"#,
        account.uuid()
    )
    .fetch_all(conn)
    .await?)
}

/// Uses a time step up; false when it, or a later one, was used before.
pub(crate) async fn burn_step(
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
    enrolled::touch(conn, factor, now).await?;
    Ok(true)
}
