//! The row of a password: its version, and what resets of it still count.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use crate::accounts::model::BoundReset;
use crate::accounts::model::LockedAccount;
use crate::accounts::model::PasswordStanding;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

/// A hash to be stored, and when. Whatever replaces a password makes every reset void that was asked for before: `moment`
/// is an id of now.
pub(crate) struct NewHash<'a> {
    /// None takes the password away.
    pub sealed: Option<&'a [u8]>,
    pub now: DateTime<Utc>,
    pub moment: FlowId,
}

/// How the password of an account stands; `None` when there is no such account.
pub async fn password_standing(
    conn: &mut PgConnection,
    account: AccountId,
) -> Result<Option<PasswordStanding>, Internal> {
    Ok(sqlx::query_as!(
        PasswordStanding,
        "SELECT version, reset_carried_by AS reset_carrier, must_change FROM passwords WHERE account_id = $1",
        account.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

/// Replaces the password of this version; the next version, or `None` when it was replaced before.
pub(crate) async fn set_hash(
    conn: &mut PgConnection,
    (account, version): (AccountId, i64),
    new: &NewHash<'_>,
) -> Result<Option<i64>, Internal> {
    Ok(sqlx::query_scalar!(
        "UPDATE passwords SET hash_sealed = $3, version = version + 1, changed_at = $4, must_change = false, newest_reset = $5
         WHERE account_id = $1 AND version = $2 RETURNING version",
        account.uuid(),
        version,
        new.sealed,
        new.now,
        new.moment.uuid()
    )
    .fetch_optional(conn)
    .await?)
}

/// Binds the token of a request to the password as it is now; the one before is void. `None` when a newer request was
/// bound, or when this one was used or made void. Sending a message again changes nothing.
pub(crate) async fn bind_reset(
    conn: impl PgExecutor<'_>,
    (account, identifier): (AccountId, IdentifierId),
    flow: FlowId,
) -> Result<Option<BoundReset>, Internal> {
    let row = sqlx::query!(
        "UPDATE passwords SET reset_seq = CASE WHEN newest_reset = $2 THEN reset_seq ELSE reset_seq + 1 END, newest_reset = $2
         WHERE account_id = $1 AND (newest_reset IS NULL OR newest_reset <= $2) RETURNING version, reset_seq",
        account.uuid(),
        flow.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| BoundReset { account, identifier, version: row.version, reset_seq: row.reset_seq }))
}

/// The one statement that uses a reset up and sets the new password; false when the token had been used or made void.
pub(crate) async fn use_reset(
    conn: &mut PgConnection,
    reset: &BoundReset,
    new: &NewHash<'_>,
) -> Result<bool, Internal> {
    let used = sqlx::query!(
        "UPDATE passwords SET hash_sealed = $5, version = version + 1, reset_seq = reset_seq + 1, changed_at = $6,
                must_change = false, reset_carried_by = i.lookup_key, newest_reset = $7
         FROM identifiers i WHERE passwords.account_id = $1 AND version = $2 AND reset_seq = $3
           AND i.id = $4 AND i.account_id = passwords.account_id",
        reset.account.uuid(),
        reset.version,
        reset.reset_seq,
        reset.identifier.uuid(),
        new.sealed,
        new.now,
        new.moment.uuid()
    )
    .execute(conn)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Whether a reset would be taken now.
pub async fn reset_is_open(conn: &mut PgConnection, reset: &BoundReset) -> Result<bool, Internal> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM passwords p JOIN identifiers i ON i.account_id = p.account_id
           WHERE p.account_id = $1 AND p.version = $2 AND p.reset_seq = $3 AND i.id = $4) AS "open!""#,
        reset.account.uuid(),
        reset.version,
        reset.reset_seq,
        reset.identifier.uuid()
    )
    .fetch_one(conn)
    .await?)
}

pub(crate) async fn void_resets(conn: &mut PgConnection, account: AccountId, moment: FlowId) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE passwords SET reset_seq = reset_seq + 1, newest_reset = $2 WHERE account_id = $1",
        account.uuid(),
        moment.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Something else than what carried the last reset was used: every factor may answer again.
pub async fn forget_reset_carrier(conn: &mut PgConnection, account: &LockedAccount) -> Result<(), Internal> {
    sqlx::query!("UPDATE passwords SET reset_carried_by = NULL WHERE account_id = $1", account.id().uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Demands that the next sign-in sets a new password.
pub async fn require_password_change(conn: &mut PgConnection, account: &LockedAccount) -> Result<(), Internal> {
    sqlx::query!("UPDATE passwords SET must_change = true WHERE account_id = $1", account.id().uuid())
        .execute(conn)
        .await?;
    Ok(())
}
