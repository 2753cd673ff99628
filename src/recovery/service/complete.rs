//! The end that a recovery is for.

use sqlx::PgConnection;

use super::super::model::Lost;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::State;
use super::super::model::Told;
use super::super::store;
use super::super::store::Which;
use super::cancel::end;
use crate::accounts;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::accounts::IdentifierKind;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::factors;
use crate::factors::FactorKind;
use crate::identifiers;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::messages::NewMessage;
use crate::sessions;
use crate::sessions::EndReason;
use crate::text::Language;

/// A recovery that is open, and the new password, hashed.
pub struct Ready {
    recovery: Recovery,
    /// Whose account it is.
    pub account: AccountId,
    password_hash: Option<String>,
}

impl Ready {
    /// The client that it was begun with.
    pub fn client_id(&self) -> &str {
        &self.recovery.client_id
    }
}

/// Judges and hashes the new password of a recovery that is open, outside any transaction.
///
/// # Errors
/// See [`RecoveryError`].
pub async fn ready(app: &App, token: &str, new_password: Option<&str>) -> Result<Ready, RecoveryError> {
    let recovery = super::proved(app, token).await?;
    let account = recovery.account.filter(|_| recovery.told(app.clock.now()) == Told::Open);
    let account = account.ok_or(RecoveryError::WrongStep)?;
    let Some(typed) = new_password else {
        let ready = Ready { recovery, account, password_hash: None };
        return if ready.recovery.needs_password() { Err(RecoveryError::PasswordNeeded) } else { Ok(ready) };
    };
    let profile = accounts::profile(&mut *app.db.acquire().await.map_err(Internal::from)?, account).await?;
    let password = accounts::accept_password(app, &profile, typed)?;
    let phc = app.hashing.reserve()?.hash(password.normalised()).await?;
    Ok(Ready { recovery, account, password_hash: Some(phc) })
}

/// Completes a recovery in the transaction that begins its sign-in flow; answers the account, under its lock. It opens no
/// session and ends all that there are.
///
/// # Errors
/// See [`RecoveryError`].
pub async fn complete(
    conn: &mut PgConnection,
    app: &App,
    ready: &Ready,
    caller: &Caller,
) -> Result<LockedAccount, RecoveryError> {
    let now = app.clock.now();
    let mut account = accounts::lock(conn, ready.account).await?.ok_or(RecoveryError::Expired)?;
    let status = account.status_at(now);
    if !status.admits_sign_in() {
        return Err(RecoveryError::Inactive(status));
    }
    // Once more under the lock: what was read before may have ended, and a password may have changed.
    let recovery = store::find_by_id(conn, ready.recovery.id).await?.ok_or(RecoveryError::Expired)?;
    let over =
        if matches!(recovery.state, State::Ended(_)) { RecoveryError::Expired } else { RecoveryError::WrongStep };
    let Some(next) = recovery.state.completed(now, &recovery.proofs) else { return Err(over) };
    if ready.password_hash.is_none() && recovery.needs_password() {
        return Err(RecoveryError::PasswordNeeded);
    }
    if !store::advance(conn, &recovery, next, now).await? {
        return Err(RecoveryError::Expired);
    }
    end(conn, app, &account, (&Which::default(), "completion"), caller).await?;
    remove_factors(conn, &account, &recovery.lost).await?;
    if let Some(phc) = &ready.password_hash {
        accounts::set_password(conn, app, &mut account, phc).await?;
    }
    accounts::void_resets(conn, app, &account).await?;
    changes::withdraw(conn, app, &account, caller).await?;
    let leaves = change_identifiers(conn, app, &account, &recovery, caller).await?;
    let kind = if leaves { MessageKind::RecoveryCompletedNotice } else { MessageKind::RecoveryKeptNotice };
    factors::notify(conn, app, account.id(), kind, &[]).await?;
    sessions::end_every(conn, app, &account, (None, EndReason::Recovered), caller).await?;
    let event = Event::new(EventKind::RecoveryCompleted, caller).account(account.id()).client(&recovery.client_id);
    let names = |lost: &[Lost]| lost.iter().copied().map(Lost::name).collect::<Vec<_>>();
    let detail = serde_json::json!({ "recovery_id": recovery.id, "lost": names(&recovery.lost) });
    audit::record(conn, &app.clock, event.detail(detail)).await?;
    Ok(account)
}

/// What is lost may be in somebody else's hands.
async fn remove_factors(conn: &mut PgConnection, account: &LockedAccount, lost: &[Lost]) -> Result<(), Internal> {
    if lost.contains(&Lost::SecondFactor) {
        return factors::remove_all(conn, account, None).await;
    }
    if lost.contains(&Lost::Phone) {
        return factors::remove_all(conn, account, Some(FactorKind::Phone)).await;
    }
    Ok(())
}

/// The contact comes, if nobody has it, and is told if not; what is lost leaves after its wait, unless nothing else would
/// stay. Answers whether anything leaves.
async fn change_identifiers(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    recovery: &Recovery,
    caller: &Caller,
) -> Result<bool, Internal> {
    let is_lost = |kind: IdentifierKind| match kind {
        IdentifierKind::Email => recovery.lost.contains(&Lost::Email),
        IdentifierKind::Phone => recovery.lost.contains(&Lost::Phone),
    };
    let typed = super::open_typed(app, recovery)?;
    let contact = Identifier::parse(&typed.contact, None).map_err(Internal::bug)?;
    let identifiers = accounts::profile(conn, account.id()).await?.identifiers;
    let lost: Vec<_> = identifiers
        .iter()
        .filter(|own| is_lost(own.kind) && own.lookup_key != contact.lookup_key())
        .map(|own| own.id)
        .collect();
    if !identifiers::adopt(conn, app, account, &contact, caller).await? {
        let to = Contact::unproven(&typed.contact, &typed.contact_key, Language::of(&typed.language));
        let notice = NewMessage::notice(to.content(MessageKind::RecoveryContactNotice), app.clock.now());
        accounts::send_notice_to_stranger(conn, app, notice).await?;
    }
    identifiers::drop_unproved(conn, account).await?;
    let mut leaves = false;
    for id in lost {
        leaves |= identifiers::lose(conn, app, account, id, caller).await?;
    }
    Ok(leaves)
}
