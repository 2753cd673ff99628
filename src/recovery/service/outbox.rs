//! What becomes of the messages of a recovery, asked by the outbox when they are due.

use sqlx::PgConnection;

use super::super::model::Recovery;
use super::super::model::RecoveryToken;
use super::super::model::State;
use super::super::store;
use crate::accounts;
use crate::app::App;
use crate::crypto::OpaqueToken;
use crate::internal::Internal;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;

/// The code of a contact leaves, and its recovery learns whose account it is about. Another code leaves only to a
/// destination that may prove something, a token only to a contact that has a recovery.
pub async fn decide(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Decision, Internal> {
    let leaves = match claimed.message.content.kind {
        MessageKind::RecoveryContactCode => bind(conn, app, claimed).await?,
        MessageKind::RecoveryProofCode => may_prove(conn, app, claimed).await?,
        MessageKind::RecoveryToken => resumed(conn, app, claimed).await?,
        _ => true,
    };
    Ok(if leaves { Decision::Send } else { Decision::Drop })
}

async fn found(conn: &mut PgConnection, claimed: &Claimed) -> Result<Option<Recovery>, Internal> {
    let Some(flow) = claimed.flow else { return Ok(None) };
    store::find_by_id(conn, flow).await
}

async fn bind(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<bool, Internal> {
    let Some(recovery) = found(conn, claimed).await? else { return Ok(false) };
    let typed = super::open_typed(app, &recovery)?;
    let owner = accounts::owner_of(conn, &typed.identifier).await?;
    store::bind(conn, recovery.id, owner).await
}

async fn may_prove(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<bool, Internal> {
    let Some(recovery) = found(conn, claimed).await? else { return Ok(false) };
    let waits = matches!(recovery.state, State::Waiting { .. });
    Ok(waits && super::proves(conn, app, &recovery, &claimed.message.content.lookup_key).await?.is_some())
}

async fn resumed(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<bool, Internal> {
    let message = &claimed.message;
    let token = message.code.as_deref().and_then(OpaqueToken::<RecoveryToken>::parse);
    let Some(token) = token else { return Ok(false) };
    let contact = super::contact_macs(app, &message.content.lookup_key);
    store::resume(conn, &contact, &token.digest(), app.clock.now()).await
}
