//! PostgreSQL: pools, migrations, and named constraints as domain errors.
//!
//! Services open transactions here and commit them; stores and the doors of features take `&mut PgConnection`
//! and never commit. Nothing is kept in the session of a connection, so a transaction pooler may stand between.

use std::time::Duration;

use chrono::DateTime;
use chrono::Utc;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;

use crate::internal::Internal;

/// Every migration, in order.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// A transaction, ended by its service.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;

/// A request would rather learn that the database is busy than wait longer than this for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a pool; connections are made when they are needed. No statement runs longer than `deadline`, none waits
/// longer than half of it for a lock.
///
/// # Errors
/// The URL cannot be read.
pub fn pool(url: &SecretString, max_connections: u32, deadline: Duration) -> Result<PgPool, Internal> {
    let options: PgConnectOptions = url.expose_secret().parse()?;
    // The server ends what outlives every request's own deadline, and no transaction is left lying open.
    let millis = |times: f64| deadline.mul_f64(times).as_millis().to_string();
    let options = options.application_name("sekisho").options([
        ("statement_timeout", millis(1.0)),
        ("lock_timeout", millis(0.5)),
        ("idle_in_transaction_session_timeout", millis(2.0)),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Applies every migration that is missing.
///
/// # Errors
/// The database cannot be reached, or a migration that was applied has changed since.
pub async fn migrate(url: &SecretString) -> Result<(), Internal> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect(url.expose_secret())
        .await?;
    let outcome = MIGRATIONS.run(&pool).await.map_err(Internal::bug);
    pool.close().await;
    outcome
}

/// Whether the database has every migration that this version needs; it may have newer ones.
pub async fn schema_is_current(pool: &PgPool) -> Result<bool, Internal> {
    let Some(newest) = MIGRATIONS.iter().map(|m| m.version).max() else { return Ok(true) };
    let applied = sqlx::query_scalar::<_, bool>("SELECT success FROM _sqlx_migrations WHERE version = $1")
        .bind(newest)
        .fetch_optional(pool)
        .await;
    match applied {
        Ok(applied) => Ok(applied.unwrap_or(false)),
        // 42P01: the table does not exist, so nothing was ever migrated.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The database's clock, and when the most overdue message was due.
pub async fn clock_and_oldest_message(pool: &PgPool) -> Result<(DateTime<Utc>, Option<DateTime<Utc>>), Internal> {
    let found = sqlx::query_as("SELECT clock_timestamp(), (SELECT min(due_at) FROM outbox WHERE state = 'queued')");
    Ok(found.fetch_one(pool).await?)
}

/// Whether a statement failed because it would have broken the named constraint.
pub fn broke_constraint(error: &sqlx::Error, name: &str) -> bool {
    matches!(error, sqlx::Error::Database(db) if db.constraint() == Some(name))
}
