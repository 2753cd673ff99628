//! Starting, resending, verifying; and what the outbox asks.

use crate::flows::StepError;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;

use super::model::NewSignUp;
use super::model::PENDING_SECS;
use super::model::SENDS;
use super::model::SignUpError;
use super::model::SignUpToken;
use super::model::TRIES;
use super::store;
use super::store::Code;
use super::store::Tried;
use super::store::Verified;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::CODE_SECS;
use crate::accounts::Contact;
use crate::accounts::IdentifierKind;
use crate::accounts::NewAccount;
use crate::accounts::RESEND_SECS;
use crate::accounts::VerifiedIdentifier;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::crypto::SealPurpose;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::messages;
use crate::messages::Channel;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;
use crate::sign_in;
use crate::sign_in::StartedFlow;
use crate::text::Language;

/// Begins a sign-up. The identifier is not looked up. Answers its token, for its beginner alone.
pub(super) async fn start(app: &App, new: &NewSignUp, caller: &Caller) -> Result<String, SignUpError> {
    let to = (new.identifier.value(), new.identifier.lookup_key());
    accounts::admit_message(app, to, Asker::Anybody(caller.ip)).await?;
    let phc = app.hashing.reserve()?.hash(new.password.normalised()).await?;
    let now = app.clock.now();
    let id: FlowId = crypto::new_id(now);
    let token = OpaqueToken::<SignUpToken>::generate();
    let code = messages::new_code();
    let mac = messages::code_mac(&app.config.master_keys, id, &code);
    let row = store::NewRow {
        id,
        digest: &token.digest(),
        hash_sealed: &app.config.master_keys.seal(SealPurpose::PasswordHash, id.uuid().as_bytes(), phc.as_bytes()),
        code: times(&mac, now),
        now,
        expires_at: now + TimeDelta::seconds(PENDING_SECS),
    };
    let mut tx = app.begin().await?;
    store::insert(&mut tx, new, &row).await?;
    let language = Language::of(&new.locale);
    let to = Contact::unproven(new.identifier.value(), new.identifier.lookup_key(), language);
    let content = to.content(MessageKind::SignUpCode).by(new.channel);
    accounts::send_code(&mut tx, app, content, (id, &code, row.code.expires_at)).await?;
    let event = Event::new(EventKind::SignUpStarted, caller).client(&new.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "sign_up_id": id }))).await?;
    app.commit(tx).await?;
    Ok(token.reveal())
}

/// Sends another code; the one before is void. Answers how it travels, and to where.
pub(super) async fn resend(
    app: &App,
    token: &str,
    asked: Option<Channel>,
    caller: &Caller,
) -> Result<(Channel, String), SignUpError> {
    let digest = OpaqueToken::<SignUpToken>::parse(token).ok_or(SignUpError::Expired)?.digest();
    let now = app.clock.now();
    let pending = store::find(&app.db, &digest, now).await?.ok_or(SignUpError::Expired)?;
    let channel = app.channels.choose(&pending.value, asked)?;
    let code = messages::new_code();
    let mac = messages::code_mac(&app.config.master_keys, pending.id, &code);
    let times = times(&mac, now);
    let mut tx = app.begin().await?;
    if !store::replace_code(&mut tx, pending.id, &times, now).await? {
        return Err(StepError::not_sent(pending.sends >= SENDS, pending.resend_after, now).into());
    }
    accounts::admit_message(app, (&pending.value, &pending.lookup_key), Asker::Anybody(caller.ip)).await?;
    messages::drop_for_flow(&mut tx, pending.id, now).await?;
    let to = Contact::unproven(&pending.value, &pending.lookup_key, Language::of(&pending.locale));
    let content = to.content(MessageKind::SignUpCode).by(channel);
    accounts::send_code(&mut tx, app, content, (pending.id, &code, times.expires_at)).await?;
    app.commit(tx).await?;
    Ok((channel, pending.value))
}

/// Takes the code back: the account exists, and its owner goes on to enrol a second factor.
pub(super) async fn verify(app: &App, token: &str, typed: &str, caller: &Caller) -> Result<StartedFlow, SignUpError> {
    let digest = OpaqueToken::<SignUpToken>::parse(token).ok_or(SignUpError::Expired)?.digest();
    let now = app.clock.now();
    let Some(tried) = store::count_try(&app.db, &digest, now).await? else {
        let pending = store::find(&app.db, &digest, now).await?;
        let spent = pending.is_some_and(|pending| pending.tries >= TRIES);
        return Err(if spent { StepError::tries_spent().into() } else { SignUpError::Expired });
    };
    let raised = app.failures.raise(Lane::Code, Failing::Visitor(caller.ip, &tried.lookup_key)).await?;
    let right = messages::is_code(&app.config.master_keys, tried.id, typed, &tried.code_mac);
    if !right || now >= tried.code_expires_at {
        return Err(StepError::WrongCode { attempts_left: i64::from(TRIES - tried.tries) }.into());
    }
    app.failures.forgive(&raised).await?;
    create_account(app, &tried, now, caller).await
}

async fn create_account(
    app: &App,
    tried: &Tried,
    now: DateTime<Utc>,
    caller: &Caller,
) -> Result<StartedFlow, SignUpError> {
    let mut tx = app.begin().await?;
    let verified = store::consume(&mut tx, tried.id, &tried.code_mac, now).await?.ok_or(SignUpError::Expired)?;
    let account = insert_account(&mut tx, app, tried.id, &verified).await?.ok_or(SignUpError::Expired)?;
    messages::drop_for_flow(&mut tx, tried.id, now).await?;
    app.spend.came_back(&mut tx, &verified.value).await?;
    let event = Event::new(EventKind::AccountCreated, caller).account(account).client(&verified.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "sign_up_id": tried.id }))).await?;
    let flow = sign_in::start_after_sign_up(&mut tx, app, account, &verified.client_id).await?;
    app.commit(tx).await?;
    Ok(flow)
}

/// `None` when the address has an account already.
async fn insert_account(
    conn: &mut PgConnection,
    app: &App,
    id: FlowId,
    verified: &Verified,
) -> Result<Option<AccountId>, Internal> {
    let kind = IdentifierKind::from_name(&verified.kind)
        .ok_or_else(|| Internal::bug(format!("sign_ups {id}: unknown kind")))?;
    let phc = app.config.master_keys.open(SealPurpose::PasswordHash, id.uuid().as_bytes(), &verified.hash_sealed)?;
    let new = NewAccount {
        identifier: VerifiedIdentifier { kind, value: &verified.value, lookup_key: &verified.lookup_key },
        password_hash: std::str::from_utf8(&phc).map_err(Internal::bug)?,
        display_name: verified.display_name.as_deref(),
        locale: &verified.locale,
    };
    accounts::create(conn, app, &new).await
}

/// What becomes of the code of a sign-up, asked by the outbox when it is due: a taken address gets a notice to its
/// owner instead, and a sign-up that is over gets nothing.
pub async fn decide(conn: &mut PgConnection, now: DateTime<Utc>, claimed: &Claimed) -> Result<Decision, Internal> {
    let content = &claimed.message.content;
    if let Some(owner) = accounts::owner_of(conn, &content.lookup_key).await? {
        let to = accounts::contact(conn, owner, &content.lookup_key).await?;
        return Ok(to.map_or(Decision::Drop, |to| Decision::SendInstead(to.content(MessageKind::SignUpNotice))));
    }
    match claimed.flow {
        Some(flow) if store::is_pending(conn, flow, now).await? => Ok(Decision::Send),
        _ => Ok(Decision::Drop),
    }
}

fn times(mac: &[u8], now: DateTime<Utc>) -> Code<'_> {
    Code { mac, expires_at: now + TimeDelta::seconds(CODE_SECS), resend_after: now + TimeDelta::seconds(RESEND_SECS) }
}
