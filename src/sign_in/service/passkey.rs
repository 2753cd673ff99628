//! A passkey alone as a whole sign-in: it is a thing that one has, and it has verified who holds it.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use webauthn_rs::prelude::PublicKeyCredential;

use super::super::model::SignInError;
use super::Completed;
use super::amr_of_passkey;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::AuthenticateError;
use crate::app::App;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::crypto::TokenKind;
use crate::devices;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::ConfirmedFactor;
use crate::factors::Match;
use crate::factors::Presented;
use crate::flows;
use crate::flows::StepError;
use crate::flows::Try;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::recovery;
use crate::sessions;
use crate::sessions::NewSession;

/// `pks_…`: names a flow that waits for a passkey.
struct PasskeyToken;

impl TokenKind for PasskeyToken {
    const PREFIX: &'static str = "pks_";
}

/// A flow as Redis keeps it, sealed. Nobody knows yet whose it is.
#[derive(Serialize, Deserialize)]
struct PasskeyFlow {
    id: FlowId,
    client_id: String,
    expires_at: DateTime<Utc>,
}

const KEYS: &str = "passkey-sign-in";

/// Asks whichever passkey there is. Answers the flow's token and the request options.
pub(crate) async fn passkey_sign_in_options(app: &App, client_id: &str) -> Result<(String, Value), SignInError> {
    let now = app.clock.now();
    let seconds = i64::try_from(flows::FLOW_SECS).map_err(Internal::bug)?;
    let expires_at = now + TimeDelta::seconds(seconds);
    let flow = PasskeyFlow { id: crypto::new_id(now), client_id: client_id.to_owned(), expires_at };
    let token = OpaqueToken::<PasskeyToken>::generate();
    let (_, options) = factors::challenge(app, flow.id, None).await?;
    flows::save(app, KEYS, &token.digest().to_text(), &flow).await?;
    Ok((token.reveal(), options))
}

/// Takes the passkey's answer and opens the session. Nobody can guess an answer, so wrong ones close nothing: they end
/// the tries of their own flow, and no stranger keeps the owner of a passkey out, also not with codes.
pub(crate) async fn sign_in_by_passkey(
    app: &App,
    token: &str,
    given: PublicKeyCredential,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let flow = load(app, token).await?;
    let tried = Try::take(app, (flow.id.uuid(), KEYS), None).await?;
    let mut account = None;
    let judged = async {
        let claimed = factors::claimed_owner(app, &given).await?.ok_or(StepError::WrongCredential)?;
        account = Some(claimed.0);
        judge(app, &flow, claimed, Presented::Passkey(Box::new(given)), caller).await
    };
    let outcome = judged.await;
    let event = |kind| {
        let event = Event::new(kind, caller).account(account).client(&flow.client_id);
        event.detail(serde_json::json!({ "kind": "passkey" }))
    };
    if matches!(&outcome, Err(SignInError::Authenticate(_))) {
        accounts::record_alone(app, event(EventKind::SignInRefused)).await?;
    }
    tried.settle(outcome, Some(event(EventKind::SignInFailed))).await
}

async fn load(app: &App, token: &str) -> Result<PasskeyFlow, SignInError> {
    let token = OpaqueToken::<PasskeyToken>::parse(token).ok_or(SignInError::Expired)?;
    let flow = flows::find::<PasskeyFlow>(app, KEYS, &token.digest().to_text()).await?;
    let flow = flow.filter(|flow| app.clock.now() < flow.expires_at).ok_or(SignInError::Expired)?;
    let mut conn = app.db.acquire().await?;
    if flows::is_consumed(&mut conn, flow.id).await? { Err(SignInError::Expired) } else { Ok(flow) }
}

async fn judge(
    app: &App,
    flow: &PasskeyFlow,
    (account, factor): (AccountId, FactorId),
    presented: Presented,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let own = factors::confirmed(&mut *app.db.acquire().await?, account).await?;
    let factor = own.iter().find(|own| own.id == factor).ok_or(CheckError::Refused)?;
    let sent = factors::sent_to(app, factor, flow.id).await?;
    let found = factors::check(app, account, factor, (&presented, sent)).await?;
    let done = finish(app, flow, (account, factor), &found, caller).await?;
    // Whoever holds the passkey is the owner: what strangers have closed is open again.
    app.failures.reset(Failing::Account(account)).await?;
    Ok(done)
}

async fn finish(
    app: &App,
    flow: &PasskeyFlow,
    (account, factor): (AccountId, &ConfirmedFactor),
    found: &Match,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, account).await?.ok_or(SignInError::Expired)?;
    if !flows::consume(&mut tx, flow.id, app.clock.now()).await? {
        return Err(SignInError::Expired);
    }
    if !found.stands_alone(&mut tx).await? {
        return Err(StepError::WrongCredential.into());
    }
    if !found.burn(&mut tx, app).await? {
        return Err(found.spent().into());
    }
    match account.status_at(app.clock.now()) {
        AccountStatus::Active | AccountStatus::Closing => {}
        AccountStatus::Closed => return Err(AuthenticateError::Closed { account: account.id() }.into()),
        AccountStatus::Suspended => return Err(AuthenticateError::Suspended { account: account.id() }.into()),
    }
    let new = NewSession {
        client_id: &flow.client_id,
        password_version: account.password_version(),
        amr: &amr_of_passkey(),
        label: None,
    };
    let opened = sessions::open(&mut tx, app, &account, &new, caller).await?;
    recovery::cancel_by_sign_in(&mut tx, app, &account, factor.created_at, caller).await?;
    let device_token = devices::issue(&mut tx, app, &account, None).await?;
    app.commit(tx).await?;
    Ok(Completed { opened, device_token })
}
