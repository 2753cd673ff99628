//! Telling the owners of accounts that somebody wants in; in the same turns, those who wait.

use std::collections::HashMap;
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
use super::super::model::WAIT;
use super::super::store;
use super::contacts;
use crate::accounts;
use crate::accounts::Contact;
use crate::accounts::factor_settles_at;
use crate::accounts::identifier_settles_at;
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

/// Tells contacts and owners until `stopping` becomes true or its sender is gone.
pub async fn tell_owners(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut failing = false;
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        let told = tell_due(&app).await;
        match &told {
            Err(error) if !failing => tracing::error!(%error, "nobody is told of recoveries"),
            Ok(()) if failing => tracing::info!("people are told of recoveries again"),
            _ => {}
        }
        failing = told.is_err();
    }
}

/// Contacts first: when they hear does not depend on whether there are owners to tell.
async fn tell_due(app: &App) -> Result<(), Internal> {
    while contacts::tell_one(app).await? {}
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
    let told = match (recovery.account, recovery.state) {
        (Some(account), State::Approved { .. }) => tell_of_approval(conn, app, account).await?,
        (Some(account), _) => tell(conn, app, account).await?,
        (None, _) => true,
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

/// The notice of this day; false when there was one.
async fn tell(conn: &mut PgConnection, app: &App, account: AccountId) -> Result<bool, Internal> {
    let now = app.clock.now();
    if !store::take_day(conn, (account, now.date_naive()), now).await? {
        return Ok(false);
    }
    tell_of_proofs(conn, app, account).await?;
    Ok(true)
}

/// The same on any day: enough was proved late, so that the next notice may come too late.
pub(super) async fn tell_of_proofs(conn: &mut PgConnection, app: &App, account: AccountId) -> Result<(), Internal> {
    send_tokens(conn, app, account, (MessageKind::RecoveryNotice, MessageKind::RecoveryBegunNotice)).await
}

/// An operator let it go on: that is news on any day, and can be stopped until it is completed.
async fn tell_of_approval(conn: &mut PgConnection, app: &App, account: AccountId) -> Result<bool, Internal> {
    send_tokens(conn, app, account, (MessageKind::RecoveryApprovalNotice, MessageKind::RecoveryApprovedNotice)).await?;
    Ok(true)
}

/// One notice to every identifier and every phone of an account, each with a token of its own. One that can end none of the
/// recoveries, because it was new when they began, gets words.
async fn send_tokens(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    (kind, words): (MessageKind, MessageKind),
) -> Result<(), Internal> {
    let now = app.clock.now();
    let Some(last_opens_at) = store::last_opens_at(conn, account, now).await? else { return Ok(()) };
    for (destination, settled_at) in destinations(conn, account).await? {
        if settled_at + WAIT >= last_opens_at {
            let content = destination.content(MessageKind::RecoveryNewcomerNotice);
            accounts::send_notice(conn, app, NewMessage::notice(content, now)).await?;
            continue;
        }
        let token = OpaqueToken::<CancelToken>::generate();
        store::insert_token(conn, account, (&token.digest(), settled_at), now).await?;
        let token = token.reveal();
        let content = destination.content(kind);
        // An SMS that holds a token has no room for words.
        if content.channel == Channel::Sms {
            let words = NewContent { kind: words, ..content.clone() };
            accounts::send_notice(conn, app, NewMessage::notice(words, now)).await?;
        }
        let page = app.config.pages.cancel_recovery.as_ref().filter(|_| content.channel == Channel::Email);
        let link = page.map(|page| page.link(&token));
        accounts::send_notice(conn, app, NewMessage::notice(content, now).value("token", &token).link(link)).await?;
    }
    Ok(())
}

/// Every destination, and from when on it may end what is begun. A number that is identifier and factor is what it was first.
async fn destinations(conn: &mut PgConnection, account: AccountId) -> Result<Vec<(Contact, DateTime<Utc>)>, Internal> {
    let profile = accounts::profile(conn, account).await?;
    let mut phones: HashMap<_, _> = factors::confirmed(conn, account)
        .await?
        .into_iter()
        .filter_map(|factor| Some((factor.number?, factor_settles_at(profile.created_at, factor.created_at))))
        .collect();
    let mut found = Vec::new();
    for own in profile.identifiers.iter().filter(|own| own.proved) {
        let settled_at = identifier_settles_at(profile.created_at, own.verified_at);
        let as_factor = phones.remove(&own.lookup_key);
        found.push((Contact::of(&profile, own), as_factor.map_or(settled_at, |at| at.min(settled_at))));
    }
    for (number, settled_at) in phones {
        found.push((accounts::contact_by_phone(conn, account, &number).await?, settled_at));
    }
    Ok(found)
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
