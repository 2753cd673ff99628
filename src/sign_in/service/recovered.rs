//! The first step of whoever has recovered their account.

use super::super::model::StartedFlow;
use super::start_proved;
use crate::app::App;
use crate::audit::Caller;
use crate::limits::Failing;
use crate::recovery;
use crate::recovery::RecoveryError;

/// Completes a recovery and begins the flow that it opens: it enrols a second factor, or asks for one that is left.
pub(crate) async fn complete_recovery(
    app: &App,
    token: &str,
    new_password: Option<&str>,
    caller: &Caller,
) -> Result<StartedFlow, RecoveryError> {
    let ready = recovery::ready(app, token, new_password).await?;
    let mut tx = app.begin().await?;
    let account = recovery::complete(&mut tx, app, &ready, caller).await?;
    let flow = start_proved(&mut tx, app, &account, ready.client_id()).await?;
    app.commit(tx).await?;
    // Whoever tried before did not have what it took.
    app.failures.reset(Failing::Account(ready.account)).await?;
    Ok(flow)
}
