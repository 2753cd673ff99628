//! A new password from who got the message.

use super::super::model::Inspected;
use super::super::model::PasswordError;
use super::super::model::Proof;
use super::proof::Proved;
use super::proof::by_code;
use super::proof::by_link;
use crate::accounts;
use crate::accounts::BoundReset;
use crate::accounts::OwnIdentifier;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::factors;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::messages;
use crate::messages::MessageKind;
use crate::password_policy::PasswordContext;
use crate::sessions;
use crate::sessions::EndReason;

/// Looks at the link of a message, and changes nothing.
pub(crate) async fn inspect(app: &App, token: &str) -> Result<Inspected, PasswordError> {
    let Proved { bound, expires_at, .. } = by_link(app, token).await?;
    let (_, identifier) = still_open(app, &bound).await?;
    let left = (expires_at - app.clock.now()).num_seconds();
    Ok(Inspected { identifier: identifier.value, expires_in: u64::try_from(left).unwrap_or(0) })
}

/// The person and the identifier of a reset that would be taken now. Hashing is dear: what is void anyway is refused before.
async fn still_open(app: &App, bound: &BoundReset) -> Result<(Profile, OwnIdentifier), PasswordError> {
    let mut conn = app.db.acquire().await?;
    if !accounts::reset_is_open(&mut conn, bound).await? {
        return Err(PasswordError::ResetInvalid);
    }
    let profile = accounts::profile(&mut conn, bound.account).await?;
    let identifier = profile.identifiers.iter().find(|own| own.id == bound.identifier).cloned();
    identifier.map(|identifier| (profile, identifier)).ok_or(PasswordError::ResetInvalid)
}

/// Sets the new password, ends every session and tells the owner, all at once and once.
pub(crate) async fn confirm(app: &App, proof: &Proof, new: &str, caller: &Caller) -> Result<(), PasswordError> {
    // What is wrong with it for everybody is told before anything is looked at, whoever asks.
    app.password_policy.accept(new, PasswordContext::default())?;
    let proved = match proof {
        Proof::Link { token } => by_link(app, token).await?,
        Proof::Code { token, code } => by_code(app, (token, code), caller).await?,
    };
    let outcome = set(app, &proved, new, (proof.name(), caller)).await;
    if outcome.is_ok() {
        // The second factors stay as they are: see the rules.
        app.failures.open(Lane::Password, Failing::Account(proved.bound.account)).await?;
    }
    if let Some(tried) = proved.tried { tried.settle(outcome, None).await } else { outcome }
}

async fn set(app: &App, proved: &Proved<'_>, new: &str, (way, caller): (&str, &Caller)) -> Result<(), PasswordError> {
    let bound = &proved.bound;
    let (profile, _) = still_open(app, bound).await?;
    let accepted = accounts::accept_password(app, &profile, new)?;
    let phc = app.hashing.reserve()?.hash(accepted.normalised()).await?;
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, bound.account).await?;
    let account = account.filter(|account| account.status_at(app.clock.now()).admits_sign_in());
    let account = account.ok_or(PasswordError::ResetInvalid)?;
    if !accounts::use_reset(&mut tx, app, (&account, bound), &phc).await? {
        return Err(PasswordError::ResetInvalid);
    }
    messages::drop_for_flow(&mut tx, proved.flow, app.clock.now()).await?;
    sessions::end_every(&mut tx, app, &account, (None, EndReason::PasswordReset), caller).await?;
    changes::withdraw(&mut tx, app, &account, caller).await?;
    let event = Event::new(EventKind::PasswordReset, caller).account(bound.account);
    let detail = serde_json::json!({ "reset_id": proved.flow, "identifier_id": bound.identifier, "method": way });
    audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    let kind = match factors::confirmed(&mut tx, bound.account).await?.as_slice() {
        [] => MessageKind::ResetWithoutFactorNotice,
        _ => MessageKind::PasswordResetNotice,
    };
    factors::notify(&mut tx, app, bound.account, kind, &[]).await?;
    app.commit(tx).await?;
    Ok(())
}
