//! Asking for a reset, whoever has the identifier; and what the worker makes of it.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::super::model::Asked;
use super::super::model::LinkToken;
use super::super::model::Linked;
use super::super::model::RequestToken;
use super::super::model::Wanted;
use super::ASKED;
use super::BOUND;
use super::LINKED;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::CODE_SECS;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::ResetBinding;
use crate::accounts::WayBack;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::flows;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::MessageRefused;
use crate::messages;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;
use crate::messages::NewMessage;

/// Asks for a reset. The identifier is not looked up; beyond its limit nothing is sent. Answers the token of the request.
///
/// What is not sent is written like the rest and undone, so that it takes its time and keeps nothing.
pub(crate) async fn request(app: &App, wanted: &Wanted<'_>, caller: &Caller) -> Result<String, Internal> {
    let now = app.clock.now();
    let flow: FlowId = crypto::new_id(now);
    let (token, link) = (OpaqueToken::<RequestToken>::generate(), OpaqueToken::<LinkToken>::generate());
    let code = messages::new_long_code();
    let expires_at = now + TimeDelta::seconds(CODE_SECS);
    let asked = Asked { flow, code_mac: messages::code_mac(&app.config.master_keys, flow, &code), expires_at };
    let key = wanted.identifier.lookup_key();
    let admitted = admitted(app, &wanted.identifier, caller).await?;
    flows::save(app, ASKED, &token.digest().to_text(), &asked).await?;
    flows::save(app, LINKED, &link.digest().to_text(), &Linked { flow, expires_at }).await?;
    let mut tx = app.begin().await?;
    let contact = Contact::unproven(wanted.identifier.value(), key, caller.language);
    let content = contact.content(MessageKind::PasswordReset).by(wanted.channel);
    let page = app.config.pages.password_reset.as_ref();
    let message = NewMessage::code(content, flow, &code, now, expires_at);
    let message = message.link(page.map(|page| page.link(&link.reveal())));
    messages::enqueue(&mut tx, &app.config.master_keys, &app.clock, &message).await?;
    let event = Event::new(EventKind::PasswordResetRequested, caller).client(wanted.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "reset_id": flow }))).await?;
    if admitted {
        app.commit(tx).await?;
    } else {
        tx.rollback().await?;
    }
    Ok(token.reveal())
}

/// Whether one more message may go there. To refuse it aloud would tell how often others have asked.
async fn admitted(app: &App, identifier: &Identifier, caller: &Caller) -> Result<bool, Internal> {
    let asker = Asker::Returning(caller.ip, WayBack::Reset);
    match accounts::admit_message(app, (identifier.value(), identifier.lookup_key()), asker).await {
        Ok(()) => Ok(true),
        Err(MessageRefused::Limited(_) | MessageRefused::Spent { .. }) => Ok(false),
        Err(MessageRefused::Internal(error)) => Err(error),
    }
}

/// What becomes of the message of a request, asked by the outbox when it is due: bound to an account, it leaves.
pub async fn decide(conn: &mut PgConnection, app: &App, claimed: &Claimed) -> Result<Decision, Internal> {
    let Some(flow) = claimed.flow else { return Ok(Decision::Drop) };
    let (address, lookup_key) = (&claimed.message.content.address, &claimed.message.content.lookup_key);
    // Before it makes the one before void. Another attempt at the same message costs nothing more.
    if claimed.is_first_attempt() && !accounts::admit_reset(conn, app, (address, lookup_key)).await? {
        return Ok(Decision::Drop);
    }
    match accounts::bind_reset(conn, app, lookup_key, flow).await? {
        ResetBinding::Bound(bound) => {
            flows::save(app, BOUND, &flow.to_string(), &bound).await?;
            Ok(accounts::proved_address(conn, lookup_key).await?.map_or(Decision::Drop, Decision::SendTo))
        }
        ResetBinding::Held(owner) => {
            let to = accounts::contact(conn, owner, lookup_key).await?;
            Ok(to.map_or(Decision::Drop, |to| Decision::SendInstead(to.content(MessageKind::PasswordResetHeldNotice))))
        }
        ResetBinding::Nothing => Ok(Decision::Drop),
    }
}
