//! What messages to phones may cost.
//!
//! Every SMS and every call costs money, and some people earn by it: they sign up with thousands of numbers of a block
//! whose owner shares the fee. So all of it is counted by day, in PostgreSQL, before a message is enqueued: for the whole,
//! for the country, and for the block of ten thousand numbers. A message is worth the price of its country.
//!
//! Rules
//! * There are three budgets ([`Budget`]), and none is taken from another. Numbers that nobody has proved have one, a lower
//!   one a country, and a number of messages a block. Notices have one, for strangers bring about many of them: a recovery
//!   that begins, a claim, wrong passwords; and resets of the password, which anybody can ask for. So no stranger stops the code of a person who has a phone here.
//! * A block from which few codes come back ([`LEAST_BACK`] of [`JUDGED_AFTER`] or more) is closed for the day, and
//!   that block alone. Codes to proved numbers in it go on, and so do notices: of those, country and block are counted, so
//!   that an operator sees them, and not judged.
//! * What is refused is not counted. A day ends at midnight UTC.
//! * When the database does not answer, nothing is sent.

mod store;

use chrono::DateTime;
use chrono::Days;
use chrono::NaiveDate;
use chrono::NaiveTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgPool;
use strum::IntoStaticStr;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::SpendConfig;
use crate::internal::Internal;
use crate::limits::Limited;
use crate::metrics::Metrics;
pub use store::Spent;
use store::Tally;

/// What a message is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Budget {
    /// To a number that nobody has proved, or of which nobody knows.
    Unproved,
    /// A code that its owner asks for, to a number that was proved in the account.
    Proved,
    /// What owners are told without having asked, and resets of their passwords.
    Notices,
}

impl Budget {
    /// Its name in the database and in metrics.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Messages a day to the unproved numbers of one block.
const BLOCK_PER_DAY: i64 = 200;
/// A block is judged by its codes from this message on.
const JUDGED_AFTER: i64 = 20;
/// One code of so many must come back.
const LEAST_BACK: i64 = 5;
/// The last digits that make a block.
const BLOCK_DIGITS: usize = 4;
/// How long the counts of a day are kept.
const KEPT: Days = Days::new(90);

/// Why a message is not sent.
#[derive(Debug, thiserror::Error)]
pub enum MessageRefused {
    /// Too many to one destination.
    #[error("too many messages to one destination")]
    Limited(Limited),
    /// The day's budget is spent, or the block is closed.
    #[error("no more is spent on such numbers today")]
    Spent {
        /// When the next day begins.
        retry_after_secs: u64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl From<Limited> for MessageRefused {
    fn from(limited: Limited) -> Self {
        Self::Limited(limited)
    }
}

/// A number that a message is to go to.
#[derive(Clone, Copy)]
pub struct Callee<'a> {
    /// In E.164.
    pub number: &'a str,
    /// The two letters of its country.
    pub country: &'a str,
    /// What pays for it.
    pub budget: Budget,
}

/// The guard of one server.
pub struct SpendGuard {
    db: PgPool,
    clock: Clock,
    enabled: bool,
    terms: SpendConfig,
    metrics: Metrics,
}

impl SpendGuard {
    /// Prepares it; nothing is asked of the database yet.
    pub fn new(db: PgPool, clock: Clock, metrics: Metrics, config: &Config) -> Self {
        Self { db, clock, enabled: config.limits, terms: config.phone.spend.clone(), metrics }
    }

    /// Counts a message and says whether it may be sent.
    ///
    /// # Errors
    /// Too much has been spent; the database did not answer.
    pub async fn admit(&self, callee: Callee<'_>) -> Result<(), MessageRefused> {
        if !self.enabled {
            return Ok(());
        }
        let now = self.clock.now();
        let price = self.terms.price(callee.country);
        let keys = [("all", ""), ("country", callee.country), ("block", block(callee.number))];
        let place = (now.date_naive(), callee.budget);
        let tallies = store::count(&self.db, place, &keys, price).await?;
        if !self.allows(&tallies, callee.budget) {
            store::take_back(&self.db, place, &keys, price).await?;
            return Err(MessageRefused::Spent { retry_after_secs: until_midnight(now) });
        }
        self.metrics.message_spend(callee.budget.name(), price);
        Ok(())
    }

    fn allows(&self, tallies: &[Tally], budget: Budget) -> bool {
        tallies.iter().all(|tally| match (tally.scope.as_str(), budget) {
            ("all", Budget::Proved) => tally.cost <= self.terms.proved_per_day,
            ("all", Budget::Notices) => tally.cost <= self.terms.notices_per_day,
            ("all", Budget::Unproved) => tally.cost <= self.terms.unproved_per_day,
            ("country", Budget::Unproved) => tally.cost <= self.terms.country_per_day,
            ("block", Budget::Unproved) => {
                tally.sent <= BLOCK_PER_DAY && (tally.sent <= JUDGED_AFTER || tally.back * LEAST_BACK >= tally.sent)
            }
            _ => true,
        })
    }

    /// The code that went to anybody's number came back, in the transaction of its effect. Mail is not counted.
    pub async fn came_back(&self, conn: &mut PgConnection, number: &str) -> Result<(), Internal> {
        if number.contains('@') {
            return Ok(());
        }
        store::came_back(conn, self.clock.now().date_naive(), block(number)).await
    }

    /// What a day has cost: the whole, the countries, and the blocks that are closed.
    pub async fn spent(&self, day: NaiveDate) -> Result<Vec<Spent>, Internal> {
        let rows = store::spent(&self.db, day).await?;
        let judged = |row: &Spent| row.budget == Budget::Unproved.name();
        let closed = |row: &Spent| judged(row) && !self.allows(&[row.next()], Budget::Unproved);
        Ok(rows.into_iter().filter(|row| row.scope != "block" || closed(row)).collect())
    }

    /// Deletes what is older than [`KEPT`].
    pub async fn purge(&self, db: &PgPool, limit: i64) -> Result<u64, Internal> {
        let oldest = self.clock.now().date_naive() - KEPT;
        store::purge(db, oldest, limit).await
    }
}

fn block(number: &str) -> &str {
    number.get(..number.len().saturating_sub(BLOCK_DIGITS)).unwrap_or(number)
}

fn until_midnight(now: DateTime<Utc>) -> u64 {
    let midnight = (now.date_naive() + Days::new(1)).and_time(NaiveTime::MIN).and_utc();
    u64::try_from((midnight - now).num_seconds()).unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_ten_thousand_numbers_and_a_day_ends_at_midnight() {
        assert_eq!(block("+819012345678"), "+81901234");
        assert_eq!(block("+12"), "");
        assert_eq!(until_midnight("2026-11-23T23:59:59.5Z".parse().unwrap()), 1);
        assert_eq!(until_midnight("2026-11-23T00:00:00Z".parse().unwrap()), 86_401);
    }
}
