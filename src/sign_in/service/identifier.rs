//! Proving an identifier inside a sign-in, for an account that has no factor yet.

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::super::model::StartedFlow;
use super::KEYS;
use super::Loaded;
use super::keep;
use super::load;
use crate::accounts;
use crate::accounts::Asker;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::flows;
use crate::flows::Sending;
use crate::flows::SentCode;
use crate::flows::StepError;
use crate::flows::Try;
use crate::ids::IdentifierId;
use crate::limits::Failing;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages::Channel;
use crate::messages::MessageKind;

/// Sends a code to an identifier of the account; it voids the one before. Answers how it travels, and to where.
pub(crate) async fn send_code(
    app: &App,
    token: &str,
    (identifier, asked): (IdentifierId, Option<Channel>),
) -> Result<(Channel, String), SignInError> {
    let Loaded { flow, step, .. } = load(app, token, NextStep::VerifyIdentifier).await?;
    let own = step.identifiers.into_iter().find(|own| own.id == identifier).ok_or(SignInError::UnknownIdentifier)?;
    let channel = app.channels.choose(&own.value, asked)?;
    let mut tx = app.begin().await?;
    let contact = accounts::contact(&mut tx, flow.account, &own.lookup_key).await?;
    let content = contact.ok_or(SignInError::UnknownIdentifier)?.content(MessageKind::IdentifierCode).by(channel);
    let (owner, proves) = (Asker::Owner(flow.account), identifier.uuid());
    let sending = Sending { flow: flow.id, pace: flow.id, proves, asker: owner, content };
    flows::send_code(&mut tx, app, sending).await?;
    app.commit(tx).await?;
    Ok((channel, own.value))
}

/// Takes the code back; the flow goes on under a new token.
pub(crate) async fn verify(app: &App, token: &str, typed: &str, caller: &Caller) -> Result<StartedFlow, SignInError> {
    let Loaded { token, flow, .. } = load(app, token, NextStep::VerifyIdentifier).await?;
    app.limits.admit(Policy::AccountCode, Subject::Account(flow.account)).await?;
    let code = SentCode::of(app, flow.id).await?;
    // Each code has tries of its own, so that a resend forgives nothing that was guessed at the one before.
    let counter = code.as_ref().map_or(flow.id, SentCode::id);
    let (account, client_id) = (flow.account, flow.client_id.clone());
    let tried = Try::take(app, (counter.uuid(), "identifier"), Some(Failing::Account(account))).await?;
    let failed = Event::new(EventKind::IdentifierCodeFailed, caller).account(account).client(&client_id);
    let started = tried.settle(prove(app, flow, code, (typed, caller)).await, Some(failed)).await?;
    flows::forget(app, KEYS, &token.digest().to_text()).await?;
    Ok(started)
}

async fn prove(
    app: &App,
    mut flow: Flow,
    code: Option<SentCode>,
    (typed, caller): (&str, &Caller),
) -> Result<StartedFlow, SignInError> {
    let wrong = || StepError::WrongCode { attempts_left: 0 };
    let code = code.filter(|code| code.is(app, typed)).ok_or_else(wrong)?;
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, flow.account).await?.ok_or(SignInError::Expired)?;
    if !code.burn(&mut tx, app).await? {
        return Err(wrong().into());
    }
    if !accounts::prove(&mut tx, app, &account, code.proves().into()).await? {
        return Err(SignInError::UnknownIdentifier);
    }
    let event = Event::new(EventKind::IdentifierVerified, caller).account(flow.account).client(&flow.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "identifier_id": code.proves() }))).await?;
    flow.identifier_proved = true;
    let started = keep(app, flow, &mut tx).await?;
    app.commit(tx).await?;
    Ok(started)
}
