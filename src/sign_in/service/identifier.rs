//! Proving an identifier inside a sign-in, for an account that has no factor yet.

use chrono::TimeDelta;

use super::super::model::CODE_SECS;
use super::super::model::Flow;
use super::super::model::IdentifierCode;
use super::super::model::NextStep;
use super::super::model::RESEND_SECS;
use super::super::model::SignInError;
use super::super::model::StartedFlow;
use super::super::store;
use super::Loaded;
use super::Try;
use super::keep;
use super::load;
use crate::accounts;
use crate::accounts::limit_key;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::ids::IdentifierId;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;

/// Sends a code to an identifier of the account; it voids the one before. Answers how it travels, and to where.
pub(in super::super) async fn send_code(
    app: &App,
    token: &str,
    (identifier, asked): (IdentifierId, Option<Channel>),
) -> Result<(Channel, String), SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::VerifyIdentifier).await?;
    let destination =
        step.identifiers.into_iter().find(|own| own.id == identifier).ok_or(SignInError::UnknownIdentifier)?;
    let channel = app.channels.choose(&destination.value, asked)?;
    app.limits.admit(Policy::Message, Subject::Recipient(&limit_key(&destination.lookup_key))).await?;
    let now = app.clock.now();
    let until = now + TimeDelta::seconds(RESEND_SECS);
    if let Some(retry_after_secs) = store::claim_resend(app, flow.id, now, until).await? {
        return Err(SignInError::TooSoon { retry_after_secs });
    }
    let code = messages::new_code();
    let kept = IdentifierCode {
        id: crypto::new_id(now),
        identifier,
        mac: messages::code_mac(&app.config.master_keys, flow.id, &code),
        expires_at: now + TimeDelta::seconds(CODE_SECS),
    };
    let mut tx = app.begin().await?;
    messages::drop_for_flow(&mut tx, flow.id, now).await?;
    let contact = accounts::contact(&mut tx, flow.account, &destination.lookup_key).await?;
    let content = contact.ok_or(SignInError::UnknownIdentifier)?.content(MessageKind::IdentifierCode).by(channel);
    accounts::send_code(&mut tx, app, content, (flow.id, &code, kept.expires_at)).await?;
    store::save_code(app, flow.id, &kept).await?;
    app.commit(tx).await?;
    Ok((channel, destination.value))
}

/// Takes the code back; the flow goes on under a new token.
pub(in super::super) async fn verify(
    app: &App,
    token: &str,
    typed: &str,
    caller: &Caller,
) -> Result<StartedFlow, SignInError> {
    let Loaded { token, flow, .. } = load(app, token, NextStep::VerifyIdentifier).await?;
    app.limits.admit(Policy::AccountCode, Subject::Account(flow.account)).await?;
    let code = store::find_code(app, flow.id).await?;
    // Each code has tries of its own, so that a resend forgives nothing that was guessed at the one before.
    let counter = code.as_ref().map_or(flow.id, |code| code.id);
    let client_id = flow.client_id.clone();
    let tried = Try::take(app, flow.account, counter.uuid(), "identifier").await?;
    let failed = Event::new(EventKind::IdentifierCodeFailed, caller).client(&client_id);
    let started = tried.settle(prove(app, flow, code, (typed, caller)).await, failed).await?;
    store::forget(app, &token.digest()).await?;
    Ok(started)
}

async fn prove(
    app: &App,
    mut flow: Flow,
    code: Option<IdentifierCode>,
    (typed, caller): (&str, &Caller),
) -> Result<StartedFlow, SignInError> {
    let now = app.clock.now();
    let wrong = || SignInError::WrongCode { attempts_left: 0 };
    let code = code.filter(|code| now < code.expires_at).ok_or_else(wrong)?;
    if !messages::is_code(&app.config.master_keys, flow.id, typed, &code.mac) {
        return Err(wrong());
    }
    let mut tx = app.begin().await?;
    if !store::consume(&mut tx, code.id, now).await? {
        return Err(wrong());
    }
    messages::drop_for_flow(&mut tx, flow.id, now).await?;
    let event = Event::new(EventKind::IdentifierVerified, caller).account(flow.account).client(&flow.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "identifier_id": code.identifier }))).await?;
    flow.identifier_proved = true;
    let started = keep(app, flow, &mut tx).await?;
    app.commit(tx).await?;
    Ok(started)
}
