//! Telling those who wait in a recovery how it stands.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::Recovery;
use super::super::model::State;
use super::super::model::Told;
use super::super::model::suffice;
use super::super::store;
use crate::accounts;
use crate::accounts::Contact;
use crate::app::App;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::messages::NewMessage;
use crate::text::Language;

/// Before a message that failed is tried again.
const AFTER_FAILURE: TimeDelta = TimeDelta::minutes(1);

/// Tells one contact whose time has come; false when there is none.
pub(super) async fn tell_one(app: &App) -> Result<bool, Internal> {
    let now = app.clock.now();
    let mut tx = app.background_db.begin().await?;
    let Some((id, told)) = store::next_contact_to_tell(&mut tx, now).await? else { return Ok(false) };
    if let Err(error) = tell(&mut tx, app, (id, &told), now).await {
        tracing::error!(recovery_id = %id, %error, "a contact is not told of its recovery yet");
        tx.rollback().await?;
        // The others are not kept waiting.
        let mut conn = app.background_db.acquire().await?;
        store::tell_contact_at(&mut conn, id, now + AFTER_FAILURE).await?;
        return Ok(true);
    }
    app.commit(tx).await?;
    Ok(true)
}

/// Looks at the recovery alone, never at the account: it is the same work for one of nobody.
async fn tell(
    conn: &mut PgConnection,
    app: &App,
    (id, told): (FlowId, &[String]),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    let recovery = store::find_by_id(conn, id).await?;
    let recovery = recovery.ok_or_else(|| Internal::bug(format!("recoveries {id}: gone while it was held")))?;
    let new = news(&recovery, now).filter(|(name, _)| !told.iter().any(|told| told == name));
    let next_at = recovery.state.opens_at().filter(|opens_at| now < *opens_at);
    store::contact_was_told(conn, id, (new.map(|(name, _)| name), next_at)).await?;
    let Some((_, kind)) = new else { return Ok(()) };
    if kind == MessageKind::RecoveryStoppedNotice {
        store::spare_contact(conn, id, now).await?;
    }
    let typed = super::open_typed(app, &recovery)?;
    let contact = Contact::unproven(&typed.contact, &typed.contact_key, Language::of(&typed.language));
    accounts::send_notice_to_stranger(conn, app, NewMessage::notice(contact.content(kind), now)).await
}

/// What there is to tell, and its name among what was told. An approval is news even to whom it was open before.
fn news(recovery: &Recovery, now: DateTime<Utc>) -> Option<(&'static str, MessageKind)> {
    let told = recovery.told(now);
    let kind = match told {
        Told::AwaitingOperator => MessageKind::RecoveryUndecidedNotice,
        Told::Open => MessageKind::RecoveryOpenNotice,
        Told::Cancelled => MessageKind::RecoveryStoppedNotice,
        Told::Denied => MessageKind::RecoveryDeniedNotice,
        // It has waited, and enough was proved at last.
        Told::Waiting if suffice(&recovery.proofs) => MessageKind::RecoveryProvedNotice,
        // Whoever completes it is there.
        Told::AwaitingContact | Told::Waiting | Told::Completed => return None,
    };
    let approved = matches!(recovery.state, State::Approved { .. });
    (now < recovery.expires_at).then_some((if approved { "approved" } else { told.name() }, kind))
}
