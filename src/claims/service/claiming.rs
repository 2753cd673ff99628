//! From the wish for a number to the claim that waits.

use crate::flows::StepError;
use chrono::TimeDelta;
use sqlx::PgConnection;

use super::super::model::Claim;
use super::super::model::ClaimError;
use super::super::model::ClaimToken;
use super::super::model::Claimed;
use super::super::model::OBJECTION_DAYS;
use super::super::model::QUIET_DAYS;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::CODE_SECS;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::IdentifierKind;
use crate::accounts::OwnIdentifier;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::changes::PendingChange;
use crate::changes::Telling;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::flows;
use crate::flows::Sending;
use crate::flows::SentCode;
use crate::flows::Try;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::messages::Channel;
use crate::messages::MessageKind;

const KEYS: &str = "claim";

/// Sends a code to a number, whoever has it. Answers the claim's token.
pub(crate) async fn claim(
    app: &App,
    (number, channel): (&Identifier, Channel),
    caller: &Caller,
) -> Result<String, ClaimError> {
    let now = app.clock.now();
    let (flow, token): (FlowId, _) = (crypto::new_id(now), OpaqueToken::<ClaimToken>::generate());
    let contact = Contact::unproven(number.value(), number.lookup_key(), caller.language);
    let content = contact.content(MessageKind::ClaimCode).by(channel);
    let asker = Asker::Anybody(caller.ip);
    let mut tx = app.begin().await?;
    flows::send_code(&mut tx, app, Sending { flow, pace: flow, proves: flow.uuid(), asker, content }).await?;
    app.commit(tx).await?;
    let expires_at = now + TimeDelta::seconds(CODE_SECS);
    let claim = Claim { flow, number: number.lookup_key().to_owned(), asker: caller.ip, expires_at };
    flows::save(app, KEYS, &token.digest().to_text(), &claim).await?;
    Ok(token.reveal())
}

/// Takes the code back: the number is free, or its old account has thirty days to object.
pub(crate) async fn confirm(app: &App, token: &str, typed: &str, caller: &Caller) -> Result<Claimed, ClaimError> {
    let digest = OpaqueToken::<ClaimToken>::parse(token).ok_or(ClaimError::TokenInvalid)?.digest().to_text();
    let claim: Claim = flows::find(app, KEYS, &digest).await?.ok_or(ClaimError::TokenInvalid)?;
    let used = flows::is_consumed(&mut *app.db.acquire().await?, claim.flow).await?;
    if used || app.clock.now() >= claim.expires_at {
        return Err(ClaimError::TokenInvalid);
    }
    let failing = Failing::Visitor(claim.asker, &claim.number);
    let tried = Try::take(app, (claim.flow.uuid(), KEYS), Some(failing)).await?;
    tried.settle(prove(app, &claim, typed, caller).await, None).await
}

async fn prove(app: &App, claim: &Claim, typed: &str, caller: &Caller) -> Result<Claimed, ClaimError> {
    let sent = SentCode::of(app, claim.flow).await?;
    let code = sent.filter(|sent| sent.is(app, typed)).ok_or(StepError::WrongCode { attempts_left: 0 })?;
    let mut tx = app.begin().await?;
    if !flows::consume(&mut tx, claim.flow, app.clock.now()).await? || !code.burn(&mut tx, app).await? {
        return Err(ClaimError::TokenInvalid);
    }
    app.spend.came_back(&mut tx, &claim.number).await?;
    let claimed = begin(&mut tx, app, &claim.number, caller).await?;
    app.commit(tx).await?;
    Ok(claimed)
}

async fn begin(conn: &mut PgConnection, app: &App, number: &str, caller: &Caller) -> Result<Claimed, ClaimError> {
    let Some((owner, own)) = held(conn, number).await? else { return Ok(Claimed::Free) };
    let Some(account) = accounts::lock(conn, owner).await? else { return Ok(Claimed::Free) };
    let now = app.clock.now();
    let subject = (ChangeKind::IdentifierClaim, own.id.uuid());
    if changes::cancelled_since(conn, subject, now - TimeDelta::days(QUIET_DAYS)).await? {
        return Err(ClaimError::Objected);
    }
    let effective_at = now + TimeDelta::days(OBJECTION_DAYS);
    let Some(change) = changes::begin(conn, app, &account, subject, effective_at).await? else {
        let waiting = changes::waiting(conn, owner).await?;
        let waits = waiting.iter().find(|change| (change.kind, change.subject) == subject);
        return Ok(Claimed::Waiting(waits.map_or(effective_at, |change| change.effective_at)));
    };
    let event = Event::new(EventKind::IdentifierClaimed, caller).account(owner);
    let detail = serde_json::json!({ "identifier_id": own.id, "change_id": change.id });
    audit::record(conn, &app.clock, event.detail(detail)).await?;
    tell_owner(conn, app, &change, &own).await?;
    Ok(Claimed::Waiting(effective_at))
}

/// The account that has a number, and the number as its identifier.
async fn held(conn: &mut PgConnection, number: &str) -> Result<Option<(AccountId, OwnIdentifier)>, Internal> {
    let Some(owner) = accounts::owner_of(conn, number).await? else { return Ok(None) };
    let identifiers = accounts::profile(conn, owner).await?.identifiers;
    Ok(identifiers.into_iter().find(|own| own.lookup_key == number).map(|own| (owner, own)))
}

/// Tells the owner everywhere but at the number, which somebody else has by now; each message can stop the claim.
async fn tell_owner(
    conn: &mut PgConnection,
    app: &App,
    change: &PendingChange,
    claimed: &OwnIdentifier,
) -> Result<(), Internal> {
    let hint = ("identifier", accounts::identifier_hint(&claimed.value));
    changes::tell(conn, app, (change, change.account), &[hint], |own, _| {
        let (elsewhere, phone) = (own.id != claimed.id, own.kind == IdentifierKind::Phone);
        Telling {
            words: (elsewhere && phone).then_some(MessageKind::ClaimNotice),
            token: elsewhere.then_some(MessageKind::ClaimObjectionNotice),
        }
    })
    .await
}
