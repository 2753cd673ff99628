//! Closing an account, and keeping it after all.

use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::TimeDelta;
use chrono::Utc;

use super::super::model::ClosureError;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;
use crate::sessions::EndReason;

/// How long a closing account can be kept after all.
const GRACE: TimeDelta = TimeDelta::days(30);

/// How long before its end the owner is told once more.
const REMINDER: TimeDelta = TimeDelta::days(3);

/// Lets the account close: its other sessions end, and the owner is told. Answers when it will be gone.
pub(crate) async fn close(app: &App, session: &CurrentSession, caller: &Caller) -> Result<DateTime<Utc>, ClosureError> {
    let closes_at = app.clock.now() + GRACE;
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    if !accounts::begin_closing(&mut tx, &account, closes_at).await? {
        return Err(ClosureError::Closed);
    }
    let event = Event::new(EventKind::ClosureRequested, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    sessions::end_every(&mut tx, app, &account, (Some(session.id), EndReason::EndedByOwner), caller).await?;
    let value = ("closes_at", closes_at.to_rfc3339_opts(SecondsFormat::Secs, true));
    accounts::notify(&mut tx, app, session.account, MessageKind::ClosureNotice, &[value]).await?;
    app.commit(tx).await?;
    Ok(closes_at)
}

/// Keeps a closing account.
pub(crate) async fn keep(app: &App, session: &CurrentSession, caller: &Caller) -> Result<(), ClosureError> {
    let mut tx = app.begin().await?;
    sessions::lock(&mut tx, app, session).await?;
    if !accounts::cancel_closing(&mut tx, session.account, app.clock.now()).await? {
        return Err(ClosureError::NotClosing);
    }
    let event = Event::new(EventKind::ClosureCancelled, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    accounts::notify(&mut tx, app, session.account, MessageKind::ClosureCancelledNotice, &[]).await?;
    Ok(app.commit(tx).await?)
}

/// Tells the owners of accounts that will soon be gone, up to `limit` of them. Answers how many.
pub async fn remind_of_closures(app: &App, limit: i64) -> Result<u64, Internal> {
    let mut tx = app.background_db.begin().await?;
    let now = app.clock.now();
    let due = accounts::remind_closing(&mut tx, (now, now + REMINDER), limit).await?;
    for (account, closes_at) in &due {
        let value = ("closes_at", closes_at.to_rfc3339_opts(SecondsFormat::Secs, true));
        accounts::notify(&mut tx, app, *account, MessageKind::ClosureReminder, &[value]).await?;
    }
    app.commit(tx).await?;
    Ok(due.len() as u64)
}
