//! Recognising, adding and revoking devices; tokens by message.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::model::DeviceError;
use super::model::DeviceToken;
use super::model::REQUEST_SECS;
use super::model::Recognised;
use super::model::RequestToken;
use super::store;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::LockedAccount;
use crate::accounts::WayBack;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;

/// The device that a token names, if it is one of the account's. The same query for an account that does not exist.
pub async fn recognise(
    app: &App,
    account: Option<AccountId>,
    token: Option<&str>,
) -> Result<Option<Recognised>, Internal> {
    let Some(token) = token.and_then(OpaqueToken::<DeviceToken>::parse) else { return Ok(None) };
    store::find(&app.db, account, &token.digest()).await
}

/// Makes the device of a completed sign-in known. One that was recognised keeps its token: `None`.
pub async fn issue(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    recognised: Option<DeviceId>,
) -> Result<Option<String>, Internal> {
    let now = app.clock.now();
    if let Some(device) = recognised {
        store::touch(conn, device, now).await?;
        return Ok(None);
    }
    let token = OpaqueToken::<DeviceToken>::generate();
    store::insert(conn, account, (crypto::new_id(now), false), &token.digest(), now).await?;
    Ok(Some(token.reveal()))
}

/// Forgets a device.
pub async fn revoke(app: &App, device: DeviceId) -> Result<(), Internal> {
    store::delete(&app.db, device).await
}

/// Sends a token to an identifier, whoever has it.
pub(super) async fn request(app: &App, identifier: &Identifier, caller: &Caller) -> Result<(), DeviceError> {
    let asker = Asker::Returning(caller.ip, WayBack::Device);
    accounts::admit_message(app, (identifier.value(), identifier.lookup_key()), asker).await?;
    let now = app.clock.now();
    let (id, token): (FlowId, _) = (crypto::new_id(now), OpaqueToken::<RequestToken>::generate());
    let expires_at = now + TimeDelta::seconds(REQUEST_SECS);
    let mut tx = app.begin().await?;
    store::insert_request(&mut tx, id, identifier.lookup_key(), &token.digest(), expires_at).await?;
    let contact = Contact::unproven(identifier.value(), identifier.lookup_key(), caller.language);
    let content = contact.content(MessageKind::DeviceToken);
    accounts::send_code(&mut tx, app, content, (id, &token.reveal(), expires_at)).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Whether the message of a request leaves: only to someone who has an account.
pub async fn decide(conn: &mut PgConnection, claimed: &Claimed) -> Result<Decision, Internal> {
    let address = accounts::proved_address(conn, &claimed.message.content.lookup_key).await?;
    Ok(address.map_or(Decision::Drop, Decision::SendTo))
}

/// Trades the token of a message for a device token. The device that a message made known before is forgotten, unless
/// somebody has signed in on it.
pub(super) async fn confirm(app: &App, token: &str, caller: &Caller) -> Result<String, DeviceError> {
    let digest = OpaqueToken::<RequestToken>::parse(token).ok_or(DeviceError::TokenInvalid)?.digest();
    let mut tx = app.begin().await?;
    let lookup_key =
        store::consume_request(&mut tx, &digest, app.clock.now()).await?.ok_or(DeviceError::TokenInvalid)?;
    let owner = accounts::owner_of(&mut tx, &lookup_key).await?.ok_or(DeviceError::TokenInvalid)?;
    let account = accounts::lock(&mut tx, owner).await?.ok_or(DeviceError::TokenInvalid)?;
    let (now, token) = (app.clock.now(), OpaqueToken::<DeviceToken>::generate());
    store::delete_by_message(&mut tx, &account).await?;
    store::insert(&mut tx, &account, (crypto::new_id(now), true), &token.digest(), now).await?;
    let event = Event::new(EventKind::DeviceConfirmed, caller).account(owner);
    audit::record(&mut tx, &app.clock, event).await?;
    app.commit(tx).await?;
    Ok(token.reveal())
}
