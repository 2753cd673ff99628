//! The end of the thirty days.

use sqlx::PgConnection;

use crate::accounts;
use crate::accounts::Contact;
use crate::accounts::LockedAccount;
use crate::accounts::OwnIdentifier;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::changes::Ended;
use crate::changes::PendingChange;
use crate::factors;
use crate::identifiers;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::messages::NewMessage;
use crate::sessions;
use crate::text::Language;

/// Ends the claims whose time has come; answers how many.
pub async fn end_due(app: &App, caller: &Caller) -> Result<u64, Internal> {
    let mut done = 0;
    for change in changes::due(app, ChangeKind::IdentifierClaim).await? {
        done += changes::carried_out(&change, end(app, &change, caller).await);
    }
    Ok(done)
}

async fn end(app: &App, change: &PendingChange, caller: &Caller) -> Result<bool, Internal> {
    let mut tx = app.background_db.begin().await?;
    let Some(account) = accounts::lock(&mut tx, change.account).await? else { return Ok(false) };
    let profile = accounts::profile(&mut tx, account.id()).await?;
    let only = profile.identifiers.iter().all(|own| own.id.uuid() == change.subject);
    let in_use = sessions::used_since(&mut tx, account.id(), change.created_at).await?;
    let ended = if only && in_use { Ended::GivenUp } else { Ended::Applied };
    if !changes::end(&mut tx, app, &account, (change.id, ended)).await? {
        return Ok(false);
    }
    match profile.identifiers.iter().find(|own| own.id.uuid() == change.subject) {
        Some(_) if only && in_use => {
            accounts::notify(&mut tx, app, account.id(), MessageKind::ClaimStoppedNotice, &[]).await?;
        }
        Some(claimed) => release(&mut tx, app, &account, (&profile, claimed), caller).await?,
        // Its owner was faster.
        None => {}
    }
    app.commit(tx).await?;
    Ok(true)
}

/// Takes the number from the account, and tells both sides.
async fn release(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    (profile, claimed): (&Profile, &OwnIdentifier),
    caller: &Caller,
) -> Result<(), Internal> {
    identifiers::detach(conn, app, account, claimed.id, caller).await?;
    let hint = ("identifier", accounts::identifier_hint(&claimed.value));
    // Not at phones that are factors: this number may be one still.
    accounts::notify(conn, app, account.id(), MessageKind::IdentifierRemovedNotice, &[hint]).await?;
    remove_factor(conn, app, account, &claimed.lookup_key, caller).await?;
    let language = Language::of(&profile.locale);
    let holder = Contact::unproven(&claimed.value, &claimed.lookup_key, language);
    let notice = NewMessage::notice(holder.content(MessageKind::NumberReleasedNotice), app.clock.now());
    accounts::send_notice(conn, app, notice).await
}

/// The phone of this number proves nothing of the owner any more. The last factor stays all the same.
async fn remove_factor(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    number: &str,
    caller: &Caller,
) -> Result<(), Internal> {
    let confirmed = factors::confirmed(conn, account.id()).await?;
    let Some(phone) = confirmed.into_iter().find(|own| own.number.as_deref() == Some(number)) else { return Ok(()) };
    let Ok(removed) = factors::remove(conn, account, phone.id).await? else { return Ok(()) };
    let event = Event::new(EventKind::FactorRemoved, caller).account(account.id());
    let detail = serde_json::json!({ "kind": removed.kind, "factor_id": removed.id });
    audit::record(conn, &app.clock, event.detail(detail)).await?;
    factors::notify(conn, app, account.id(), MessageKind::FactorRemovedNotice, &[("label", removed.label)]).await
}
