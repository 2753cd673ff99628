//! Telling the owners of accounts that somebody wants in.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use chrono::Days;
use chrono::NaiveTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;
use tokio::sync::watch;

use super::super::model::CancelToken;
use super::super::model::Recovery;
use super::super::model::State;
use super::super::store;
use crate::accounts;
use crate::accounts::Contact;
use crate::app::App;
use crate::crypto::OpaqueToken;
use crate::factors;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::messages::NewContent;
use crate::messages::NewMessage;

const POLL: Duration = Duration::from_millis(500);
/// Before a notice that failed is tried again.
const AFTER_FAILURE: TimeDelta = TimeDelta::minutes(1);
/// Between two notices of one recovery.
const PAUSE: TimeDelta = TimeDelta::hours(24);

/// Tells owners until `stopping` becomes true or its sender is gone.
pub async fn tell_owners(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut failing = false;
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        let told = tell_due(&app).await;
        match &told {
            Err(error) if !failing => tracing::error!(%error, "owners are not told of recoveries"),
            Ok(()) if failing => tracing::info!("owners are told of recoveries again"),
            _ => {}
        }
        failing = told.is_err();
    }
}

async fn tell_due(app: &App) -> Result<(), Internal> {
    while tell_one(app).await? {}
    Ok(())
}

/// Tells one owner whose time has come; false when there is none.
async fn tell_one(app: &App) -> Result<bool, Internal> {
    let now = app.clock.now();
    let mut tx = app.background_db.begin().await?;
    let Some(id) = store::next_to_tell(&mut tx, now).await? else { return Ok(false) };
    if let Err(error) = tell_of(&mut tx, app, id).await {
        tracing::error!(recovery_id = %id, %error, "an owner is not told of a recovery yet");
        tx.rollback().await?;
        // The others are not kept waiting.
        let mut conn = app.background_db.acquire().await?;
        store::tell_again_at(&mut conn, id, Some(now + AFTER_FAILURE)).await?;
        return Ok(true);
    }
    app.commit(tx).await?;
    Ok(true)
}

async fn tell_of(conn: &mut PgConnection, app: &App, id: FlowId) -> Result<(), Internal> {
    let recovery = store::find_by_id(conn, id).await?;
    let recovery = recovery.ok_or_else(|| Internal::bug(format!("recoveries {id}: gone while it was held")))?;
    let told = match recovery.account {
        Some(account) => tell(conn, app, account).await?,
        None => true,
    };
    store::tell_again_at(conn, id, again_at(&recovery, app.clock.now(), told)).await
}

/// While a recovery waits its owner is told every day, and last when the wait is over; when another recovery was the reason of
/// this day's notice, the next day's comes as early as it may.
fn again_at(recovery: &Recovery, now: DateTime<Utc>, told: bool) -> Option<DateTime<Utc>> {
    let State::Waiting { opens_at } = recovery.state else { return None };
    let midnight = (now.date_naive() + Days::new(1)).and_time(NaiveTime::MIN).and_utc();
    (now < opens_at).then(|| if told { opens_at.min(now + PAUSE) } else { opens_at.min(midnight) })
}

/// One notice to every identifier and every phone of an account; false when there was one today.
async fn tell(conn: &mut PgConnection, app: &App, account: AccountId) -> Result<bool, Internal> {
    let now = app.clock.now();
    let token = OpaqueToken::<CancelToken>::generate();
    if !store::claim_day(conn, account, &token.digest(), now).await? {
        return Ok(false);
    }
    for contact in contacts(conn, account).await? {
        let content = contact.content(MessageKind::RecoveryNotice);
        // An SMS that holds a token has no room for words.
        if content.channel == Channel::Sms {
            let words = NewContent { kind: MessageKind::RecoveryBegunNotice, ..content.clone() };
            accounts::send_notice(conn, app, NewMessage::notice(words, now)).await?;
        }
        accounts::send_notice(conn, app, NewMessage::notice(content, now).value("token", token.reveal())).await?;
    }
    Ok(true)
}

async fn contacts(conn: &mut PgConnection, account: AccountId) -> Result<Vec<Contact>, Internal> {
    let profile = accounts::profile(conn, account).await?;
    let mut contacts: Vec<_> =
        profile.identifiers.iter().filter(|own| own.proved).map(|own| Contact::of(&profile, own)).collect();
    for number in factors::confirmed(conn, account).await?.into_iter().filter_map(|factor| factor.number) {
        if profile.identifiers.iter().all(|own| own.lookup_key != number) {
            contacts.push(accounts::contact_by_phone(conn, account, &number).await?);
        }
    }
    Ok(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn its_owner_is_told_every_day_and_when_the_wait_is_over() {
        let opens_at = at("2026-11-25T12:00:00Z");
        let recovery = |state| Recovery {
            id: uuid::Uuid::nil().into(),
            account: None,
            state,
            lost: Vec::new(),
            proofs: Vec::new(),
            typed_sealed: Vec::new(),
            client_id: String::new(),
            created_at: at("2026-11-22T12:00:00Z"),
            expires_at: at("2026-12-22T12:00:00Z"),
            sends: 1,
            resend_after: opens_at,
            proof_tries: 0,
        };
        let waiting = recovery(State::Waiting { opens_at });
        for (now, told, again) in [
            ("2026-11-22T12:00:00Z", true, Some("2026-11-23T12:00:00Z")),
            ("2026-11-22T12:00:00Z", false, Some("2026-11-23T00:00:00Z")),
            ("2026-11-24T12:00:01Z", true, Some("2026-11-25T12:00:00Z")),
            ("2026-11-25T12:00:00Z", true, None),
            ("2026-11-25T12:00:00Z", false, None),
        ] {
            assert_eq!(again_at(&waiting, at(now), told), again.map(at), "{now} {told}");
        }
        assert_eq!(again_at(&recovery(State::Approved { opens_at }), opens_at, true), None);
    }
}
