//! Tries at a password: counted before they are judged, settled afterwards, written down when they fail.

use super::contact::notify;
use super::model::AuthenticateError;
use super::model::Authenticated;
use super::service::Candidate;
use super::service::authenticate;
use crate::app::App;
use crate::audit;
use crate::audit::Event;
use crate::crypto::HashingSlot;
use crate::internal::Internal;
use crate::limits::Raised;
use crate::messages::MessageKind;

/// Judges a password whose failure is counted already, and settles the count. Nobody's costs the same work as somebody's.
///
/// # Errors
/// See [`AuthenticateError`]; closed and suspended are told only after the right password.
pub async fn try_password(
    app: &App,
    slot: HashingSlot,
    (candidate, password): (&Candidate, &str),
    raised: &Raised,
) -> Result<Authenticated, AuthenticateError> {
    let outcome = authenticate(app, slot, candidate, password).await;
    match &outcome {
        Ok(_) | Err(AuthenticateError::Closed { .. } | AuthenticateError::Suspended { .. }) => {
            app.failures.forgive(raised).await?;
        }
        Err(AuthenticateError::Wrong { .. }) => {}
        Err(AuthenticateError::Hashing(_) | AuthenticateError::Internal(_)) => app.failures.give_back(raised).await?,
    }
    outcome
}

/// Records a failure. The owner is told when there are many in a row, where they are counted.
pub async fn record_failure(app: &App, event: Event<'_>, raised: Option<&Raised>) -> Result<(), Internal> {
    let mut tx = app.begin().await?;
    let owner = event.owner();
    audit::record(&mut tx, &app.clock, event).await?;
    if let (Some(account), Some(raised)) = (owner, raised.filter(|raised| raised.is_worth_a_notice())) {
        let count = raised.count.to_string();
        notify(&mut tx, app, account, MessageKind::FailuresNotice, &[("count", count)]).await?;
    }
    app.commit(tx).await
}

/// Records what has no other effect.
pub async fn record_alone(app: &App, event: Event<'_>) -> Result<(), Internal> {
    record_failure(app, event, None).await
}
