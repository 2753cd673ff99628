//! Codes: the one that proves the contact, and those that prove a destination of the account.

use super::super::model::CODE_TRIES;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::SENDS;
use super::super::model::State;
use super::super::store;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::WayBack;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::flows::StepError;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;

/// Sends a code to a destination: to the contact until that is proved, afterwards to any, of which the outbox decides. The
/// code before is void.
pub(crate) async fn send_code(
    app: &App,
    token: &str,
    (to, channel): (&Identifier, Channel),
    caller: &Caller,
) -> Result<Recovery, RecoveryError> {
    let recovery = super::inspect(app, token).await?;
    let kind = match recovery.state {
        State::AwaitingContact if super::open_typed(app, &recovery)?.contact_key != to.lookup_key() => {
            return Err(RecoveryError::WrongStep);
        }
        State::AwaitingContact => MessageKind::RecoveryContactCode,
        State::Waiting { .. } => MessageKind::RecoveryProofCode,
        State::Approved { .. } => return Err(RecoveryError::WrongStep),
        State::Ended(_) => return Err(RecoveryError::Expired),
    };
    accounts::admit_message(app, (to.value(), to.lookup_key()), Asker::Returning(caller.ip, WayBack::Recovery)).await?;
    let now = app.clock.now();
    let code = messages::new_long_code();
    let mac = messages::code_mac(&app.config.master_keys, recovery.id, &code);
    let to_sealed = super::seal_destination(app, recovery.id, to.lookup_key());
    let new = super::code(&mac, &to_sealed, now);
    let mut tx = app.begin().await?;
    if !store::replace_code(&mut tx, recovery.id, &new, now).await? {
        return Err(StepError::not_sent(recovery.sends >= SENDS, recovery.resend_after, now).into());
    }
    messages::drop_for_flow(&mut tx, recovery.id, now).await?;
    let content = Contact::unproven(to.value(), to.lookup_key(), caller.language).content(kind).by(channel);
    accounts::send_code(&mut tx, app, content, (recovery.id, &code, new.expires_at)).await?;
    app.commit(tx).await?;
    Ok(recovery)
}

/// Takes the code of the contact back: the wait begins.
pub(crate) async fn verify_contact(
    app: &App,
    token: &str,
    typed: &str,
    caller: &Caller,
) -> Result<Recovery, RecoveryError> {
    let mut recovery = super::inspect(app, token).await?;
    let now = app.clock.now();
    let next = match recovery.state {
        State::Ended(_) => return Err(RecoveryError::Expired),
        state => state.contact_proved(now).ok_or(RecoveryError::WrongStep)?,
    };
    let Some(tried) = store::count_contact_try(&app.db, recovery.id, now).await? else {
        return Err(StepError::tries_spent().into());
    };
    let wrong = StepError::WrongCode { attempts_left: (CODE_TRIES - tried.code_tries).into() };
    let mac = tried.code_mac.as_deref();
    let right = mac.is_some_and(|mac| messages::is_code(&app.config.master_keys, recovery.id, typed, mac));
    if !right || now >= tried.code_expires_at {
        return Err(wrong.into());
    }
    let mut tx = app.begin().await?;
    if !store::use_code(&mut tx, recovery.id, mac).await? {
        return Err(wrong.into());
    }
    if !store::advance(&mut tx, &recovery, next, now).await? {
        return Err(RecoveryError::WrongStep);
    }
    app.spend.came_back(&mut tx, &super::open_typed(app, &recovery)?.contact).await?;
    super::cancel::displace(&mut tx, app, recovery.id, caller).await?;
    messages::drop_for_flow(&mut tx, recovery.id, now).await?;
    let event = Event::new(EventKind::RecoveryContactProved, caller).client(&recovery.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "recovery_id": recovery.id }))).await?;
    app.commit(tx).await?;
    recovery.state = next;
    recovery.expires_at = now + super::super::model::LIFETIME;
    Ok(recovery)
}
