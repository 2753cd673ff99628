//! A new password in the place of one that must be changed: staged in the flow, written when the flow completes.
//!
//! Whoever knows the old password alone can stage as they like: without the second factor nothing is written.

use sqlx::PgConnection;

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::super::model::StartedFlow;
use super::KEYS;
use super::Loaded;
use super::load;
use super::step;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::flows;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::EndReason;

/// Takes the new password; the flow goes on under the same token, since nothing was proved.
pub(crate) async fn stage(app: &App, token: &str, typed: &str) -> Result<StartedFlow, SignInError> {
    let Loaded { token, mut flow, password: standing, .. } = load(app, token, NextStep::ChangePassword).await?;
    let mut conn = app.db.acquire().await?;
    let profile = accounts::profile(&mut conn, flow.account).await?;
    drop(conn);
    let password = accounts::accept_password(app, &profile, typed)?;
    let candidate = accounts::candidate_of(app, flow.account).await?;
    if accounts::is_password(app, app.hashing.reserve()?, &candidate, password.normalised()).await? {
        return Err(SignInError::PasswordUnchanged);
    }
    flow.staged = Some(app.hashing.reserve()?.hash(password.normalised()).await?);
    flows::save(app, KEYS, &token.digest().to_text(), &flow).await?;
    let step = step(&mut *app.db.acquire().await?, &flow, &standing).await?;
    let left = (flow.expires_at - app.clock.now()).num_seconds();
    Ok(StartedFlow { token, expires_in: u64::try_from(left).unwrap_or(0), step })
}

/// Writes the staged password in the transaction that completes the flow, and ends what was open with the old one.
/// Answers the version of the password that the session opens with.
pub(super) async fn write_staged(
    conn: &mut PgConnection,
    app: &App,
    account: &mut LockedAccount,
    flow: &Flow,
    caller: &Caller,
) -> Result<i64, SignInError> {
    let outdated = account.password_version() != flow.password_version;
    match &flow.staged {
        None if account.password().must_change => Err(SignInError::WrongStep),
        Some(phc) if !outdated => {
            accounts::set_password(conn, app, account, phc).await?;
            sessions::end_every(conn, app, account, (None, EndReason::PasswordChanged), caller).await?;
            let event = Event::new(EventKind::PasswordChanged, caller).account(flow.account).client(&flow.client_id);
            audit::record(conn, &app.clock, event).await?;
            factors::notify(conn, app, flow.account, MessageKind::PasswordChangedNotice, &[]).await?;
            Ok(account.password_version())
        }
        _ => Ok(flow.password_version),
    }
}
