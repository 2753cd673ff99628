//! From the wish for an identifier to its right code; and what the outbox asks.

use crate::flows::StepError;
use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::model::IdentifierChangeError;
use super::super::model::MOST;
use super::super::model::PENDING_SECS;
use super::super::model::PendingIdentifier;
use super::super::store;
use super::is_leaving;
use super::own;
use super::record;
use super::tell;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::OwnIdentifier;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::flows;
use crate::flows::Sending;
use crate::flows::SentCode;
use crate::flows::Try;
use crate::ids::IdentifierId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::messages::Channel;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;
use crate::text::Language;

/// Keeps the wish for an identifier and sends its code. Nobody looks up whose it is.
pub(crate) async fn add(
    app: &App,
    session: &CurrentSession,
    (identifier, channel): (&Identifier, Channel),
    caller: &Caller,
) -> Result<IdentifierId, IdentifierChangeError> {
    let now = app.clock.now();
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let profile = accounts::profile(&mut tx, account.id()).await?;
    let own = profile.identifiers.iter().find(|own| own.proved && own.lookup_key == identifier.lookup_key());
    if let Some(own) = own {
        let leaving = is_leaving(&mut tx, &account, own.id).await?;
        return Err(if leaving {
            IdentifierChangeError::AlreadyLeaving
        } else {
            IdentifierChangeError::AlreadyVerified
        });
    }
    if profile.identifiers.len() >= MOST {
        return Err(IdentifierChangeError::TooMany);
    }
    let expires_at = now + TimeDelta::seconds(PENDING_SECS);
    let new = (crypto::new_id(now), identifier);
    let id = store::insert_pending(&mut tx, &account, new, (now, expires_at)).await?;
    send(&mut tx, app, &profile, (id, identifier.value(), identifier.lookup_key()), (channel, caller)).await?;
    app.commit(tx).await?;
    Ok(id)
}

async fn send(
    conn: &mut PgConnection,
    app: &App,
    profile: &Profile,
    (id, address, lookup_key): (IdentifierId, &str, &str),
    (channel, caller): (Channel, &Caller),
) -> Result<(), IdentifierChangeError> {
    let language = Language::of(&profile.locale);
    let content = Contact::unproven(address, lookup_key, language).content(MessageKind::NewIdentifierCode).by(channel);
    let (flow, asker) = (id.uuid().into(), Asker::Anybody(caller.ip));
    let sending = Sending { flow, pace: flow, proves: id.uuid(), asker, content };
    flows::send_code(conn, app, sending).await?;
    Ok(())
}

/// Sends another code; the one before is void. Answers how it travels, and to where.
pub(crate) async fn resend(
    app: &App,
    session: &CurrentSession,
    (id, asked): (IdentifierId, Option<Channel>),
    caller: &Caller,
) -> Result<(Channel, String), IdentifierChangeError> {
    let pending = pending(app, session, id).await?;
    let channel = app.channels.choose(&pending.value, asked)?;
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let profile = accounts::profile(&mut tx, account.id()).await?;
    send(&mut tx, app, &profile, (id, &pending.value, &pending.lookup_key), (channel, caller)).await?;
    app.commit(tx).await?;
    Ok((channel, pending.value))
}

async fn pending(
    app: &App,
    session: &CurrentSession,
    id: IdentifierId,
) -> Result<PendingIdentifier, IdentifierChangeError> {
    if let Some(pending) = store::find_pending(&app.db, session.account, id, app.clock.now()).await? {
        return Ok(pending);
    }
    let proved = super::list(app, session).await?.iter().any(|own| own.id == id);
    Err(if proved { IdentifierChangeError::AlreadyVerified } else { IdentifierChangeError::Unknown })
}

/// Takes the code back: the identifier counts from now on, and the owner is told.
pub(crate) async fn verify(
    app: &App,
    session: &CurrentSession,
    (id, typed): (IdentifierId, &str),
    caller: &Caller,
) -> Result<OwnIdentifier, IdentifierChangeError> {
    let pending = pending(app, session, id).await?;
    let sent = SentCode::of(app, id.uuid().into()).await?;
    // Each code has tries of its own, so that a resend forgives nothing that was guessed at the one before.
    let counter: Uuid = sent.as_ref().map_or(id.uuid(), |sent| sent.id().uuid());
    let failing = Failing::Wanting(session.account, &pending.lookup_key);
    let tried = Try::take(app, (counter, "identifier"), Some(failing)).await?;
    let failed = Event::new(EventKind::IdentifierCodeFailed, caller).account(session.account).session(session.id);
    let code = sent.filter(|sent| sent.is(app, typed)).ok_or(WRONG);
    let proved = async { attach(app, session, (&pending, &code?), caller).await };
    tried.settle(proved.await, Some(failed)).await
}

const WRONG: StepError = StepError::WrongCode { attempts_left: 0 };

async fn attach(
    app: &App,
    session: &CurrentSession,
    (pending, code): (&PendingIdentifier, &SentCode),
    caller: &Caller,
) -> Result<OwnIdentifier, IdentifierChangeError> {
    let (id, now) = (pending.id, app.clock.now());
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    if !store::delete_pending(&mut tx, &account, id, now).await? || !code.burn(&mut tx, app).await? {
        return Err(WRONG.into());
    }
    if accounts::profile(&mut tx, account.id()).await?.identifiers.len() >= MOST {
        return Err(IdentifierChangeError::TooMany);
    }
    accounts::displace_unproved(&mut tx, &pending.lookup_key).await?;
    if !store::attach(&mut tx, &account, pending, now).await? {
        return Err(IdentifierChangeError::Taken);
    }
    accounts::void_resets(&mut tx, app, &account).await?;
    app.spend.came_back(&mut tx, &pending.value).await?;
    record(&mut tx, app, session, (EventKind::IdentifierAdded, id), caller).await?;
    let added = own(&mut tx, &account, id).await?.ok_or(IdentifierChangeError::Unknown)?;
    tell(&mut tx, app, MessageKind::IdentifierAddedNotice, (account.id(), &added)).await?;
    app.commit(tx).await?;
    Ok(added)
}

/// What becomes of the code for a new identifier, asked by the outbox when it is due: a taken identifier gets a notice to
/// its owner instead.
pub async fn decide(conn: &mut PgConnection, claimed: &Claimed) -> Result<Decision, Internal> {
    let lookup_key = &claimed.message.content.lookup_key;
    let Some(owner) = accounts::owner_of(conn, lookup_key).await? else { return Ok(Decision::Send) };
    let to = accounts::contact(conn, owner, lookup_key).await?;
    Ok(to.map_or(Decision::Drop, |to| Decision::SendInstead(to.content(MessageKind::IdentifierTakenNotice))))
}
