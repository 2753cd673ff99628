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
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::OpaqueToken;
use crate::flows;
use crate::flows::StepError;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages;

/// What is counted of a request.
const TRIED: &str = "reset";

/// A reset whose message reached somebody.
pub(super) struct Proved {
    pub flow: FlowId,
    pub bound: BoundReset,
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// By a right code, which was counted like a wrong one.
    by_code: bool,
}

impl Proved {
    /// Nothing came of it that says anything about the code: the try does not count.
    pub(super) async fn give_back(&self, app: &App) -> Result<(), Internal> {
        if self.by_code {
            flows::return_try(app, self.flow.uuid(), TRIED).await?;
        }
        Ok(())
    }
}

/// The reset of a link. Using it up is another matter.
pub(super) async fn by_link(app: &App, token: &str) -> Result<Proved, PasswordError> {
    let token = OpaqueToken::<LinkToken>::parse(token).ok_or(PasswordError::ResetInvalid)?;
    let linked = flows::find::<Linked>(app, LINKED, &token.digest().to_text()).await?;
    let Linked { flow, expires_at } =
        linked.filter(|linked| app.clock.now() < linked.expires_at).ok_or(PasswordError::ResetInvalid)?;
    let bound = flows::find::<BoundReset>(app, BOUND, &flow.to_string()).await?.ok_or(PasswordError::ResetInvalid)?;
    Ok(Proved { flow, bound, expires_at, by_code: false })
}

/// The reset of a request, by the code of its message. The same is done for a request that nothing was bound to.
pub(super) async fn by_code(app: &App, (token, typed): (&str, &str), caller: &Caller) -> Result<Proved, PasswordError> {
    let token = OpaqueToken::<RequestToken>::parse(token).ok_or(PasswordError::ResetInvalid)?;
    let asked = flows::find::<Asked>(app, ASKED, &token.digest().to_text()).await?;
    let asked = asked.filter(|asked| app.clock.now() < asked.expires_at).ok_or(PasswordError::ResetInvalid)?;
    let attempts_left = flows::take_try(app, asked.flow.uuid(), TRIED).await?;
    let bound = flows::find::<BoundReset>(app, BOUND, &asked.flow.to_string()).await?;
    let account = bound.as_ref().map(|bound| bound.account);
    let right = messages::is_code(&app.config.master_keys, asked.flow, typed, &asked.code_mac);
    if let Some(bound) = bound.filter(|_| right) {
        return Ok(Proved { flow: asked.flow, bound, expires_at: asked.expires_at, by_code: true });
    }
    let event = Event::new(EventKind::PasswordResetFailed, caller);
    let event = event.detail(serde_json::json!({ "reset_id": asked.flow }));
    let event = if let Some(account) = account { event.account(account) } else { event };
    let mut tx = app.begin().await?;
    audit::record(&mut tx, &app.clock, event).await?;
    app.commit(tx).await?;
    Err(StepError::WrongCode { attempts_left }.into())
}
