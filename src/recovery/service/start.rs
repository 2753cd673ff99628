//! Beginning a recovery, and coming back to one.

use chrono::TimeDelta;

use super::super::model::NewRecovery;
use super::super::model::PENDING;
use super::super::model::RecoveryError;
use super::super::model::RecoveryToken;
use super::super::model::Typed;
use super::super::store;
use super::super::store::NewRow;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::CODE_SECS;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::WayBack;
use crate::accounts::limit_key;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::MacPurpose;
use crate::crypto::OpaqueToken;
use crate::ids::FlowId;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::text::Language;

/// Begins a recovery; answers its token. The identifier is not looked up.
pub(crate) async fn start(app: &App, new: &NewRecovery, caller: &Caller) -> Result<String, RecoveryError> {
    let (identifier, contact) = (new.identifier.lookup_key(), new.contact.lookup_key());
    app.limits.admit(Policy::RecoveryIdentifier, Subject::Visitor(caller.ip, &limit_key(identifier))).await?;
    accounts::admit_message(app, (new.contact.value(), contact), Asker::Returning(caller.ip, WayBack::Recovery))
        .await?;
    let now = app.clock.now();
    let (id, token): (FlowId, _) = (crypto::new_id(now), OpaqueToken::<RecoveryToken>::generate());
    let code = messages::new_long_code();
    let mac = messages::code_mac(&app.config.master_keys, id, &code);
    let to_sealed = super::seal_destination(app, id, contact);
    let typed = Typed {
        identifier: identifier.to_owned(),
        contact: new.contact.value().to_owned(),
        contact_key: contact.to_owned(),
        language: caller.language.tag().to_owned(),
        message: new.message.clone(),
    };
    let row = NewRow {
        id,
        digest: &token.digest(),
        lost: &new.lost,
        typed_sealed: &super::seal_typed(app, id, &typed)?,
        identifier: &app.config.master_keys.mac(MacPurpose::RecoveryContact, &[b"identifier", identifier.as_bytes()]),
        contact: &app.config.master_keys.mac(MacPurpose::RecoveryContact, &[contact.as_bytes()]),
        client_id: &new.client_id,
        code: super::code(&mac, &to_sealed, now),
        now,
        expires_at: now + PENDING,
    };
    let mut tx = app.begin().await?;
    store::insert(&mut tx, &row).await?;
    let content = Contact::unproven(&typed.contact, contact, Language::of(&typed.language));
    let content = content.content(MessageKind::RecoveryContactCode).by(new.channel);
    accounts::send_code(&mut tx, app, content, (id, &code, row.code.expires_at)).await?;
    let event = Event::new(EventKind::RecoveryStarted, caller).client(&new.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "recovery_id": id }))).await?;
    app.commit(tx).await?;
    Ok(token.reveal())
}

/// Sends another token to a contact. Whether it has a recovery is decided when the message leaves.
pub(crate) async fn resume(
    app: &App,
    (contact, channel): (&Identifier, Channel),
    caller: &Caller,
) -> Result<(), RecoveryError> {
    let to = (contact.value(), contact.lookup_key());
    accounts::admit_message(app, to, Asker::Returning(caller.ip, WayBack::Recovery)).await?;
    let now = app.clock.now();
    let token = OpaqueToken::<RecoveryToken>::generate();
    let content = Contact::unproven(contact.value(), contact.lookup_key(), caller.language);
    let content = content.content(MessageKind::RecoveryToken).by(channel);
    let mut tx = app.begin().await?;
    let expires_at = now + TimeDelta::seconds(CODE_SECS);
    accounts::send_code(&mut tx, app, content, (crypto::new_id(now), &token.reveal(), expires_at)).await?;
    app.commit(tx).await?;
    Ok(())
}
