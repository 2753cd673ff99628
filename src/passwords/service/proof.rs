//! What a link or a code leads to.

use super::super::model::Asked;
use super::super::model::LinkToken;
use super::super::model::Linked;
use super::super::model::PasswordError;
use super::super::model::RequestToken;
use super::ASKED;
use super::BOUND;
use super::LINKED;
use crate::accounts::BoundReset;
use crate::app::App;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::flows;
use crate::flows::StepError;
use crate::flows::Try;
use crate::ids::FlowId;
use crate::messages;

/// A reset whose message reached somebody.
pub(super) struct Proved<'a> {
    pub flow: FlowId,
    pub bound: BoundReset,
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// By a right code, which was counted like a wrong one.
    pub tried: Option<Try<'a>>,
}

/// The reset of a link. Using it up is another matter.
pub(super) async fn by_link<'a>(app: &'a App, token: &str) -> Result<Proved<'a>, PasswordError> {
    let token = OpaqueToken::<LinkToken>::parse(token).ok_or(PasswordError::ResetInvalid)?;
    let linked = flows::find::<Linked>(app, LINKED, &token.digest().to_text()).await?;
    let Linked { flow, expires_at } =
        linked.filter(|linked| app.clock.now() < linked.expires_at).ok_or(PasswordError::ResetInvalid)?;
    let bound = flows::find::<BoundReset>(app, BOUND, &flow.to_string()).await?.ok_or(PasswordError::ResetInvalid)?;
    Ok(Proved { flow, bound, expires_at, tried: None })
}

/// The reset of a request, by the code of its message. The same is done for a request that nothing was bound to.
pub(super) async fn by_code<'a>(
    app: &'a App,
    (token, typed): (&str, &str),
    caller: &Caller,
) -> Result<Proved<'a>, PasswordError> {
    let token = OpaqueToken::<RequestToken>::parse(token).ok_or(PasswordError::ResetInvalid)?;
    let asked = flows::find::<Asked>(app, ASKED, &token.digest().to_text()).await?;
    let asked = asked.filter(|asked| app.clock.now() < asked.expires_at).ok_or(PasswordError::ResetInvalid)?;
    let tried = Try::take(app, (asked.flow.uuid(), "reset"), None).await?;
    let bound = flows::find::<BoundReset>(app, BOUND, &asked.flow.to_string()).await?;
    let account = bound.as_ref().map(|bound| bound.account);
    let right = messages::is_code(&app.config.master_keys, asked.flow, typed, &asked.code_mac);
    if let Some(bound) = bound.filter(|_| right) {
        return Ok(Proved { flow: asked.flow, bound, expires_at: asked.expires_at, tried: Some(tried) });
    }
    let failed = Event::new(EventKind::PasswordResetFailed, caller).account(account);
    let failed = failed.detail(serde_json::json!({ "reset_id": asked.flow }));
    tried.settle(Err(StepError::WrongCode { attempts_left: 0 }.into()), Some(failed)).await
}
