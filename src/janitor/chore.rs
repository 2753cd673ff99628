//! What there is to do.

use chrono::TimeDelta;
use strum::IntoStaticStr;
use strum::VariantArray;
use uuid::Uuid;

use super::BATCH;
use super::store;
use crate::account_life;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::imports;
use crate::internal::Internal;
use crate::recovery;

/// A burnt id is remembered for longer than the longest flow waits: a sign-up, for a day.
const CONSUMED: TimeDelta = TimeDelta::days(2);

/// How long a change that has ended is remembered: as long as a stopped claim keeps another one from beginning.
const CHANGES: TimeDelta = TimeDelta::days(90);

/// Accounts that one step works on: each has a transaction of its own.
const ACCOUNTS: i64 = 100;

/// Something that the janitor does.
#[derive(Clone, Copy, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Chore {
    SignUps,
    Enrolments,
    ConsumedFlows,
    DeviceRequests,
    PendingIdentifiers,
    Changes,
    Recoveries,
    Failures,
    PhoneSpend,
    Sessions,
    Outbox,
    ClosureReminders,
    ClosedAccounts,
    ErasedAccounts,
    EventAddresses,
    Events,
    Imports,
}

/// What a step did, and where the next one goes on; nowhere when all is done.
pub(super) struct Step {
    pub rows: u64,
    pub next: Option<Uuid>,
}

impl Step {
    /// Of a chore that begins anew each time: there is more when a step had as much to do as it may.
    fn of(rows: u64, most: i64) -> Self {
        Self { rows, next: (rows >= most.unsigned_abs()).then_some(Uuid::nil()) }
    }
}

impl Chore {
    /// Its name in metrics and logs.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// Does one bounded step, from where the last one ended.
    pub(super) async fn step(self, app: &App, after: Uuid) -> Result<Step, Internal> {
        let (db, now, kept) = (&app.background_db, app.clock.now(), &app.config.retention);
        let rows = match self {
            Self::Sessions => return store::sessions(db, after, now - kept.sessions, BATCH).await,
            Self::ClosureReminders => {
                return Ok(Step::of(account_life::remind_of_closures(app, ACCOUNTS).await?, ACCOUNTS));
            }
            Self::ClosedAccounts => {
                let caller = Caller::on_this_machine(&app.clock, super::NAME);
                return Ok(Step::of(accounts::purge_closed(app, &caller, ACCOUNTS).await?, ACCOUNTS));
            }
            Self::ErasedAccounts => return Ok(Step::of(accounts::erase_closed(app, ACCOUNTS).await?, ACCOUNTS)),
            Self::SignUps => store::sign_ups(db, now, BATCH).await?,
            Self::Enrolments => store::enrolments(db, now, BATCH).await?,
            Self::ConsumedFlows => store::consumed_flows(db, now - CONSUMED, BATCH).await?,
            Self::DeviceRequests => store::device_requests(db, now, BATCH).await?,
            Self::PendingIdentifiers => store::pending_identifiers(db, now, BATCH).await?,
            Self::Changes => store::changes(db, now - CHANGES, BATCH).await?,
            Self::Recoveries => recovery::purge(app, BATCH).await?,
            Self::Failures => app.failures.purge(db, BATCH).await?,
            Self::PhoneSpend => app.spend.purge(db, BATCH).await?,
            Self::Outbox => store::outbox(db, now - kept.messages, BATCH).await?,
            Self::EventAddresses => audit::cut_addresses(db, now - kept.addresses, BATCH).await?,
            Self::Events => audit::purge(db, now - kept.events, BATCH).await?,
            Self::Imports => imports::purge(app, now - kept.events, BATCH).await?,
        };
        Ok(Step::of(rows, BATCH))
    }
}
