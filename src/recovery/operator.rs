//! Recoveries as those who are not in them see them: the owner of the account, and the operator, who stands in for proofs
//! that are missing, or refuses.
//!
//! An approval stands in for the proofs, never for the wait. Contact and owner are told of it, and of a denial. A recovery of
//! an identifier that nobody has is listed like any other, without an account: it can be denied, so that denial tells nothing,
//! and not be approved.

use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::model::Lost;
use super::model::Proved;
use super::model::Recovery;
use super::model::State;
use super::service;
use super::store;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages::MessageKind;

/// A recovery, as it is held. What was typed in it may be somebody else's, and is not shown.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedRecovery)]
pub struct ListedRecovery {
    /// Its id, for an operator.
    #[serde(skip)]
    pub id: FlowId,
    /// Whose account it is about, for an operator; none when nobody has the identifier.
    #[serde(skip)]
    pub account: Option<AccountId>,
    /// Where it stands.
    #[schema(example = "cancelled")]
    pub state: &'static str,
    /// What was said to be lost.
    #[schema(example = json!(["phone"]))]
    pub lost: Vec<&'static str>,
    /// Kinds of proofs that were given.
    #[schema(example = json!(["password"]))]
    pub proofs: Vec<&'static str>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When its wait is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<DateTime<Utc>>,
    /// When it is over, whatever happens.
    pub expires_at: DateTime<Utc>,
}

/// The same with what was typed.
pub struct ShownRecovery {
    /// Where it stands.
    pub listed: ListedRecovery,
    /// The identifier, in its canonical form.
    pub identifier: String,
    /// The contact.
    pub contact: String,
    /// What the person wrote.
    pub message: Option<String>,
}

/// What an operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be completed, although proofs are missing.
    Approve,
    /// It ends.
    Deny,
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It counts.
    Done,
    /// There is no such recovery.
    Unknown,
    /// Nobody has the identifier: there is nothing to recover.
    Nobody,
    /// It was approved before.
    Already,
    /// It stands elsewhere: it still waits, or has ended.
    NotNow {
        /// Where.
        state: &'static str,
        /// When the wait is over, where there is one.
        opens_at: Option<DateTime<Utc>>,
    },
}

fn listed(recovery: &Recovery, now: DateTime<Utc>) -> ListedRecovery {
    ListedRecovery {
        id: recovery.id,
        account: recovery.account,
        state: recovery.told(now).name(),
        lost: recovery.lost.iter().copied().map(Lost::name).collect(),
        proofs: recovery.proofs.iter().copied().map(Proved::name).collect(),
        created_at: recovery.created_at,
        opens_at: recovery.state.opens_at(),
        expires_at: recovery.expires_at,
    }
}

/// A page of the recoveries whose contact is proved and that have not ended, oldest first; `after` is the last id of the
/// page before.
pub async fn list(app: &App, after: Option<FlowId>, limit: i64) -> Result<Vec<ListedRecovery>, Internal> {
    let now = app.clock.now();
    let found = store::proved_living(&mut *app.background_db.acquire().await?, (after, limit), now).await?;
    Ok(found.iter().map(|recovery| listed(recovery, now)).collect())
}

/// Every recovery of an account that is remembered, oldest first. Who began them is not told, nor what they typed.
pub async fn of_account(
    conn: &mut PgConnection,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<ListedRecovery>, Internal> {
    let found = store::of_account(conn, account).await?;
    Ok(found.iter().map(|recovery| listed(recovery, now)).collect())
}

/// One recovery, whatever became of it.
///
/// # Errors
/// The database did not answer, or what was typed cannot be opened here.
pub async fn show(app: &App, id: FlowId) -> Result<Option<ShownRecovery>, Internal> {
    let found = store::find_by_id(&mut *app.background_db.acquire().await?, id).await?;
    let Some(recovery) = found else { return Ok(None) };
    let typed = service::open_typed(app, &recovery)?;
    let listed = listed(&recovery, app.clock.now());
    Ok(Some(ShownRecovery { listed, identifier: typed.identifier, contact: typed.contact, message: typed.message }))
}

/// Approves or denies a recovery.
pub async fn decide_by_operator(app: &App, id: FlowId, verdict: Verdict, caller: &Caller) -> Result<Decided, Internal> {
    let now = app.clock.now();
    let mut tx = app.background_db.begin().await?;
    let Some(recovery) = store::find_by_id(&mut tx, id).await? else { return Ok(Decided::Unknown) };
    let (next, kind) = match verdict {
        Verdict::Approve if recovery.account.is_none() => return Ok(Decided::Nobody),
        Verdict::Approve if matches!(recovery.state, State::Approved { .. }) => return Ok(Decided::Already),
        Verdict::Approve => (recovery.state.approved(now), EventKind::RecoveryApproved),
        Verdict::Deny => (recovery.state.denied(), EventKind::RecoveryDenied),
    };
    let not_now = Decided::NotNow { state: recovery.told(now).name(), opens_at: recovery.state.opens_at() };
    let Some(next) = next else { return Ok(not_now) };
    if !store::advance(&mut tx, &recovery, next, now).await? {
        return Ok(not_now);
    }
    let event = Event::new(kind, caller).account(recovery.account).client(&recovery.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "recovery_id": id }))).await?;
    if let (Verdict::Deny, Some(account)) = (verdict, recovery.account) {
        factors::notify(&mut tx, app, account, MessageKind::RecoveryCancelledNotice, &[]).await?;
    }
    app.commit(tx).await?;
    Ok(Decided::Done)
}
