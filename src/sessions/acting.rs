//! What a request changes in the name of a session that may have ended meanwhile.

use sqlx::PgConnection;

use super::model::CurrentSession;
use super::model::Standing;
use super::store;
use super::store::Live;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::flows::StepError;

/// Locks the account of a session for an act of it.
///
/// # Errors
/// The session has ended since the request came.
pub async fn lock(conn: &mut PgConnection, app: &App, session: &CurrentSession) -> Result<LockedAccount, StepError> {
    let account = accounts::lock(conn, session.account).await?.ok_or(StepError::SessionEnded)?;
    require_alive(conn, app, session).await?;
    Ok(account)
}

/// Whether a session may still act, under the lock of its account: what ends sessions for a reason of the account's holds
/// that lock, too.
///
/// # Errors
/// The session has ended since the request came.
pub async fn require_alive(conn: &mut PgConnection, app: &App, session: &CurrentSession) -> Result<(), StepError> {
    let live = store::standing(conn, session.account, session.id, app.clock.now()).await?;
    let alive = |live: &Live| live.standing == Standing::Alive && live.account.admits_sign_in();
    live.filter(alive).map(drop).ok_or(StepError::SessionEnded)
}
