//! Two accounts of one person become one.

use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;

use super::super::model::Clash;
use super::super::model::MergeError;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::accounts::LockedAccount;
use crate::accounts::OwnIdentifier;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::ChangeKind;
use crate::changes::Ended;
use crate::changes::PendingChange;
use crate::changes::Telling;
use crate::factors;
use crate::factors::ConfirmedFactor;
use crate::factors::FactorKind;
use crate::flows::StepError;
use crate::identifiers;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;

/// How long a merge waits.
const WAIT: TimeDelta = TimeDelta::hours(72);
/// Of the accounts that share a phone, as many are offered.
const OFFERED: usize = 10;

/// What a merge would move, and why it cannot.
pub(crate) struct Plan {
    pub identifiers: Vec<OwnIdentifier>,
    pub factors: Vec<ConfirmedFactor>,
    pub clashes: Vec<Clash>,
}

/// Looks at a merge of `other` into the caller's account; nothing is changed.
pub(crate) async fn plan_merge(
    app: &App,
    session: &CurrentSession,
    other: &CurrentSession,
) -> Result<Plan, MergeError> {
    let mut tx = app.begin().await?;
    let (into, from) = both_alive(&mut tx, app, session, other).await?;
    Ok(plan(&mut tx, (&into, &from), None).await?)
}

/// Begins a merge of `other` into the caller's account; both owners get what stops it. Answers when it happens.
pub(crate) async fn begin_merge(
    app: &App,
    session: &CurrentSession,
    other: &CurrentSession,
    caller: &Caller,
) -> Result<DateTime<Utc>, MergeError> {
    let merges_at = app.clock.now() + WAIT;
    let mut tx = app.begin().await?;
    let (into, from) = both_alive(&mut tx, app, session, other).await?;
    let plan = plan(&mut tx, (&into, &from), None).await?;
    if !plan.clashes.is_empty() {
        return Err(MergeError::Clash(plan.clashes));
    }
    let subject = (ChangeKind::AccountMerge, from.id().uuid());
    let change = changes::begin(&mut tx, app, &into, subject, merges_at).await?;
    let change = change.ok_or_else(|| MergeError::Clash(vec![Clash::ChangeWaiting]))?;
    for (account, session) in [(&into, session), (&from, other)] {
        let event = Event::new(EventKind::MergeBegun, caller).account(account.id()).session(session.id);
        let detail = serde_json::json!({ "change_id": change.id, "into": into.id(), "merged": from.id() });
        audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    }
    tell_of_merge(&mut tx, app, &change, (into.id(), MessageKind::MergeInNotice)).await?;
    tell_of_merge(&mut tx, app, &change, (from.id(), MessageKind::MergeAwayNotice)).await?;
    app.commit(tx).await?;
    Ok(merges_at)
}

/// Both rows of sessions that are alive still.
async fn both_alive(
    conn: &mut PgConnection,
    app: &App,
    session: &CurrentSession,
    other: &CurrentSession,
) -> Result<(LockedAccount, LockedAccount), MergeError> {
    let locked = both(conn, session.account, other.account).await?;
    sessions::require_alive(conn, app, session).await?;
    sessions::require_alive(conn, app, other).await.map_err(|error| match error {
        StepError::SessionEnded => MergeError::OtherInvalid,
        error => error.into(),
    })?;
    Ok(locked)
}

/// Both rows, locked in the order of their ids; both accounts must be active.
async fn both(
    conn: &mut PgConnection,
    into: AccountId,
    from: AccountId,
) -> Result<(LockedAccount, LockedAccount), MergeError> {
    if into == from {
        return Err(MergeError::Clash(vec![Clash::SameAccount]));
    }
    let locked = accounts::lock_two(conn, (into, from)).await?.ok_or(MergeError::OtherInvalid)?;
    if [&locked.0, &locked.1].iter().any(|account| account.status() != AccountStatus::Active) {
        return Err(MergeError::OtherInvalid);
    }
    Ok(locked)
}

/// What `from` has and `into` would get; `merge` is the change that waits for exactly this.
async fn plan(
    conn: &mut PgConnection,
    (into, from): (&LockedAccount, &LockedAccount),
    merge: Option<&PendingChange>,
) -> Result<Plan, Internal> {
    let kept = accounts::profile(conn, into.id()).await?.identifiers.len();
    let own = factors::confirmed(conn, into.id()).await?;
    let identifiers = accounts::profile(conn, from.id()).await?.identifiers;
    let mut moving = factors::confirmed(conn, from.id()).await?;
    moving.retain(|factor| factor.kind != FactorKind::RecoveryCode);
    let mut waiting = changes::waiting(conn, into.id()).await?;
    // A stranger claims a number of the account that stays: the merge changes nothing of that. Of the other one a claim would
    // go with it.
    waiting.retain(|change| change.kind != ChangeKind::IdentifierClaim);
    waiting.extend(changes::waiting(conn, from.id()).await?);
    waiting.retain(|change| merge.is_none_or(|merge| merge.id != change.id));

    // The number is a factor there already.
    moving.retain(|factor| factor.number.is_none() || own.iter().all(|other| other.number != factor.number));
    let apart = own.iter().filter(|factor| factor.kind != FactorKind::RecoveryCode).count();
    let clashes = [
        (Clash::TooManyIdentifiers, kept + identifiers.len() > identifiers::MOST),
        (Clash::TooManyFactors, apart + moving.len() > factors::MOST),
        (Clash::ChangeWaiting, !waiting.is_empty()),
        (Clash::HasRoles, !from.roles().is_empty()),
    ];
    let clashes = clashes.into_iter().filter_map(|(clash, there)| there.then_some(clash)).collect();
    Ok(Plan { identifiers, factors: moving, clashes })
}

/// Every identifier of an account gets what stops the merge, unless it is new; everybody else gets to know.
async fn tell_of_merge(
    conn: &mut PgConnection,
    app: &App,
    change: &PendingChange,
    (account, kind): (AccountId, MessageKind),
) -> Result<(), Internal> {
    let merges_at = ("merges_at", change.effective_at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let (words, values) = (MessageKind::MergeBegunNotice, [merges_at]);
    changes::tell(conn, app, (change, account), &values, |_, may_stop| Telling {
        words: (!may_stop).then_some(words),
        token: may_stop.then_some(kind),
    })
    .await?;
    factors::tell_phones(conn, app, account, (words, &values)).await
}

/// Carries out the merges whose time has come; answers how many.
pub async fn merge_due(app: &App, caller: &Caller) -> Result<u64, Internal> {
    let mut done = 0;
    for change in changes::due(app, ChangeKind::AccountMerge).await? {
        done += changes::carried_out(&change, merge(app, &change, caller).await);
    }
    Ok(done)
}

/// Two accounts that do not go together any more stay two, and their owners are told.
async fn merge(app: &App, change: &PendingChange, caller: &Caller) -> Result<bool, Internal> {
    let mut tx = app.background_db.begin().await?;
    let from: AccountId = change.subject.into();
    let fits = match both(&mut tx, change.account, from).await {
        Ok((into, from)) if plan(&mut tx, (&into, &from), Some(change)).await?.clashes.is_empty() => Some((into, from)),
        Ok(_) | Err(MergeError::OtherInvalid | MergeError::Clash(_)) => None,
        Err(MergeError::Step(StepError::Internal(error))) => return Err(error),
        Err(MergeError::Step(error)) => return Err(Internal::bug(error)),
    };
    let Some((into, from)) = fits else {
        let dropped = drop_merge(&mut tx, app, change, caller).await?;
        app.commit(tx).await?;
        return Ok(dropped);
    };
    if !changes::end(&mut tx, app, &into, (change.id, Ended::Applied)).await? {
        return Ok(false);
    }
    let origin = primary_hint(&mut tx, &from).await?;
    factors::move_confirmed(&mut tx, (&from, &origin), &into).await?;
    accounts::end_merged(&mut tx, app, &from, &into).await?;
    for account in [&into, &from] {
        let event = Event::new(EventKind::AccountsMerged, caller).account(account.id());
        let detail = serde_json::json!({ "into": into.id(), "merged": from.id() });
        audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    }
    // Whose password counts: the primary identifier is still that of the account which stays.
    let kept = primary_hint(&mut tx, &into).await?;
    accounts::notify(&mut tx, app, into.id(), MessageKind::MergedNotice, &[("identifier", kept)]).await?;
    app.commit(tx).await?;
    Ok(true)
}

/// A hint of what an account mainly signs in with.
async fn primary_hint(conn: &mut PgConnection, account: &LockedAccount) -> Result<String, Internal> {
    let identifiers = accounts::profile(conn, account.id()).await?.identifiers;
    Ok(identifiers.first().map(|own| accounts::identifier_hint(&own.value)).unwrap_or_default())
}

/// Ends a merge that cannot be carried out; false when it has ended before.
async fn drop_merge(
    conn: &mut PgConnection,
    app: &App,
    change: &PendingChange,
    caller: &Caller,
) -> Result<bool, Internal> {
    let Some(into) = accounts::lock(conn, change.account).await? else { return Ok(false) };
    if !changes::end(conn, app, &into, (change.id, Ended::GivenUp)).await? {
        return Ok(false);
    }
    let event = Event::new(EventKind::MergeDropped, caller).account(into.id());
    let detail = serde_json::json!({ "change_id": change.id, "merged": change.subject });
    audit::record(conn, &app.clock, event.detail(detail)).await?;
    accounts::notify(conn, app, into.id(), MessageKind::MergeStoppedNotice, &[]).await?;
    if accounts::exists(conn, change.subject.into()).await? {
        accounts::notify(conn, app, change.subject.into(), MessageKind::MergeStoppedNotice, &[]).await?;
    }
    Ok(true)
}

/// Other accounts that must be of the same person: a phone that was proved there was proved here.
pub(super) async fn mergeable(
    conn: &mut PgConnection,
    (account, own): (AccountId, &[OwnIdentifier]),
    factors: &[ConfirmedFactor],
) -> Result<Vec<AccountId>, Internal> {
    let mut numbers: Vec<String> = factors.iter().filter_map(|factor| factor.number.clone()).collect();
    let mut found = Vec::new();
    for number in &numbers {
        found.extend(accounts::owner_of(conn, number).await?);
    }
    numbers.extend(own.iter().map(|own| own.lookup_key.clone()));
    found.extend(factors::holders(conn, &numbers).await?.into_iter().take(OFFERED));
    found.sort_unstable();
    found.dedup();
    found.retain(|other| *other != account);
    Ok(found)
}
