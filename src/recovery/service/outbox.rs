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
/// destination that may prove something, a token only to a contact that has a recovery. What was typed again goes to where
/// the contact was first, or to the form in which the owner has proved the destination.
pub async fn decide(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Decision, Internal> {
    let to = match claimed.message.content.kind {
        MessageKind::RecoveryContactCode => bind(conn, app, claimed).await?,
        MessageKind::RecoveryProofCode => may_prove(conn, app, claimed).await?,
        MessageKind::RecoveryToken => resumed(conn, app, claimed).await?,
        _ => return Ok(Decision::Send),
    };
    Ok(to.map_or(Decision::Drop, Decision::SendTo))
}

async fn found(conn: &mut PgConnection, claimed: &Claimed) -> Result<Option<Recovery>, Internal> {
    let Some(flow) = claimed.flow else { return Ok(None) };
    store::find_by_id(conn, flow).await
}

async fn bind(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Option<String>, Internal> {
    let Some(recovery) = found(conn, claimed).await? else { return Ok(None) };
    let typed = super::open_typed(app, &recovery)?;
    let owner = accounts::owner_of(conn, &typed.identifier).await?;
    Ok(store::bind(conn, recovery.id, owner).await?.then_some(typed.contact))
}

async fn may_prove(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Option<String>, Internal> {
    let Some(recovery) = found(conn, claimed).await? else { return Ok(None) };
    let to = &claimed.message.content;
    let waits = matches!(recovery.state, State::Waiting { .. });
    if !waits || super::proves(conn, app, &recovery, &to.lookup_key).await?.is_none() {
        return Ok(None);
    }
    // A phone that is a factor alone has one form.
    Ok(Some(accounts::proved_address(conn, &to.lookup_key).await?.unwrap_or_else(|| to.address.clone())))
}

async fn resumed(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Option<String>, Internal> {
    let message = &claimed.message;
    let token = message.code.as_deref().and_then(OpaqueToken::<RecoveryToken>::parse);
    let Some(token) = token else { return Ok(None) };
    let contact = super::contact_macs(app, &message.content.lookup_key);
    let Some(id) = store::resume(conn, &contact, &token.digest(), app.clock.now()).await? else { return Ok(None) };
    let recovery = store::find_by_id(conn, id).await?;
    recovery.map(|recovery| Ok(super::open_typed(app, &recovery)?.contact)).transpose()
}
