//! Beginning, carrying out and cancelling.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::CancelError;
use super::model::CancelToken;
use super::model::ChangeKind;
use super::model::Ended;
use super::model::PendingChange;
use super::store;
use crate::accounts;
use crate::accounts::Contact;
use crate::accounts::IdentifierKind;
use crate::accounts::LockedAccount;
use crate::accounts::OwnIdentifier;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::crypto::OpaqueToken;
use crate::factors;
use crate::ids::AccountId;
use crate::ids::ChangeId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::MessageKind;
use crate::messages::NewMessage;
use crate::sessions;
use crate::sessions::EndReason;

/// Changes that are carried out in one go; the rest waits for the next.
const AT_ONCE: i64 = 100;
/// Begins a change in the transaction that tells of it; `None` when one of this kind and subject waits already.
pub async fn begin(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (kind, subject): (ChangeKind, Uuid),
    effective_at: DateTime<Utc>,
) -> Result<Option<PendingChange>, Internal> {
    let created_at = app.clock.now();
    let id: ChangeId = crypto::new_id(created_at);
    let new = PendingChange { id, account: account.id(), kind, subject, created_at, effective_at };
    Ok(store::insert(conn, &new).await?.then_some(new))
}

/// What one identifier of an account is told of a change that begins there.
#[derive(Clone, Copy, Default)]
pub struct Telling {
    /// In words.
    pub words: Option<MessageKind>,
    /// With a token that cancels the change: the kind has the value `token`. An SMS of it has no room for words.
    pub token: Option<MessageKind>,
}

/// Tells the owner of `account` of a change, at every proved identifier what `telling` says of it and of whether it may stop
/// what was begun from inside ([`may_stop`]). Once the change has ended no token leaves any more. Of `values` each kind takes
/// those that it has.
pub async fn tell(
    conn: &mut PgConnection,
    app: &App,
    (change, account): (&PendingChange, AccountId),
    values: &[(&str, String)],
    telling: impl Fn(&OwnIdentifier, bool) -> Telling,
) -> Result<(), Internal> {
    let profile = accounts::profile(conn, account).await?;
    for own in profile.identifiers.iter().filter(|own| own.proved) {
        let Telling { words, token } = telling(own, may_stop(&profile, own, app.clock.now()));
        let notice = |kind: MessageKind| {
            let notice = NewMessage::notice(Contact::of(&profile, own).content(kind), app.clock.now());
            let values = values.iter().filter(|(name, _)| kind.values().contains(name));
            values.fold(notice, |notice, (name, value)| notice.value(name, value))
        };
        if let Some(kind) = words {
            accounts::send_notice(conn, app, notice(kind)).await?;
        }
        if let Some(kind) = token {
            let token = OpaqueToken::<CancelToken>::generate();
            store::insert_token(conn, &token.digest(), change.id, account).await?;
            let token = token.reveal();
            let page = app.config.pages.cancel_change.as_ref().filter(|_| own.kind == IdentifierKind::Email);
            let link = page.map(|page| page.link(&token));
            let notice = notice(kind).of_flow(change.id.uuid().into(), change.effective_at);
            accounts::send_notice(conn, app, notice.value("token", token).link(link)).await?;
        }
    }
    Ok(())
}

/// Whether an identifier has a say over what happens to its account: one that is too new to carry a reset has none while an
/// older one is there, or a thief's would keep itself in the account and lock the owner out.
fn may_stop(profile: &Profile, own: &OwnIdentifier, now: DateTime<Utc>) -> bool {
    let oldest = profile.identifiers.iter().all(|other| !other.proved || other.verified_at >= own.verified_at);
    oldest || accounts::identifier_may_carry(now, profile.created_at, own.verified_at)
}

/// Changes of a kind whose time has come.
pub async fn due(app: &App, kind: ChangeKind) -> Result<Vec<PendingChange>, Internal> {
    store::due(&app.background_db, kind, app.clock.now(), AT_ONCE).await
}

/// How many changes were carried out by this outcome of one. A failure is logged; the change waits for the next time, and
/// keeps no other waiting.
pub fn carried_out(change: &PendingChange, outcome: Result<bool, Internal>) -> u64 {
    let effect = outcome.inspect_err(
        |error| tracing::error!(change_id = %change.id, %error, "a change that is due is not carried out yet"),
    );
    u64::from(effect.unwrap_or(false))
}

/// Ends a change, in the transaction that carries it out or gives it up; false when it has ended before, or its time has
/// not come.
pub async fn end(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (change, ended): (ChangeId, Ended),
) -> Result<bool, Internal> {
    let now = app.clock.now();
    messages::drop_for_flow(conn, change.uuid().into(), now).await?;
    store::end(conn, account, (change, ended), now).await
}

/// Where an account has just been proved anew to be its owner's: whatever waits that was begun from inside ends, and those it
/// concerns are told, for somebody else may have begun it; and the passkeys that are new answer after the password only, for
/// somebody else may have added them.
pub async fn withdraw(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    caller: &Caller,
) -> Result<(), Internal> {
    factors::demote_new_passkeys(conn, app, account).await?;
    let mut withdrawn = false;
    for change in store::waiting(&mut *conn, account.id()).await? {
        if change.kind.comes_from_inside() && store::withdraw(conn, change.id, app.clock.now()).await? {
            ended(conn, app, (&change, account.id()), caller).await?;
            withdrawn = true;
        }
    }
    if withdrawn {
        accounts::notify(conn, app, account.id(), MessageKind::ChangesWithdrawnNotice, &[]).await?;
    }
    Ok(())
}

/// What every cancelled change leaves behind; of a merge the other owner is told.
async fn ended(
    conn: &mut PgConnection,
    app: &App,
    (change, by): (&PendingChange, AccountId),
    caller: &Caller,
) -> Result<(), Internal> {
    messages::drop_for_flow(conn, change.id.uuid().into(), app.clock.now()).await?;
    let event = Event::new(EventKind::ChangeCancelled, caller).account(by);
    let detail = serde_json::json!({ "change_id": change.id, "kind": change.kind, "subject_id": change.subject });
    audit::record(conn, &app.clock, event.detail(detail)).await?;
    if change.kind != ChangeKind::AccountMerge {
        return Ok(());
    }
    let other = if change.account == by { change.subject.into() } else { change.account };
    accounts::notify(conn, app, other, MessageKind::MergeStoppedNotice, &[]).await
}

/// Cancels the change of a token.
pub(super) async fn cancel(app: &App, token: &str, caller: &Caller) -> Result<(), CancelError> {
    let digest = OpaqueToken::<CancelToken>::parse(token).ok_or(CancelError::TokenInvalid)?.digest();
    let mut tx = app.begin().await?;
    let holder = store::holder(&mut tx, &digest).await?.ok_or(CancelError::TokenInvalid)?;
    let account = accounts::lock(&mut tx, holder).await?.ok_or(CancelError::TokenInvalid)?;
    let change = store::cancel(&mut tx, &digest, app.clock.now()).await?.ok_or(CancelError::TokenInvalid)?;
    ended(&mut tx, app, (&change, holder), caller).await?;
    if change.kind.comes_from_inside() {
        accounts::void_password(&mut tx, app, &account).await?;
        sessions::end_every(&mut tx, app, &account, (None, EndReason::EndedByOwner), caller).await?;
        withdraw(&mut tx, app, &account, caller).await?;
    }
    match change.kind {
        ChangeKind::IdentifierRemoval => {
            factors::notify(&mut tx, app, holder, MessageKind::ChangeCancelledNotice, &[]).await?;
        }
        ChangeKind::AccountMerge => {
            factors::notify(&mut tx, app, holder, MessageKind::MergeCancelledNotice, &[]).await?;
        }
        ChangeKind::IdentifierClaim => {
            accounts::notify(&mut tx, app, holder, MessageKind::ClaimStoppedNotice, &[]).await?;
        }
    }
    Ok(app.commit(tx).await?)
}
