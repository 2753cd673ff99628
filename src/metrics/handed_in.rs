//! What is counted where it happens, and handed in when the server starts.

use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use super::Counters;
use super::labels;

/// From a refusal that needs nothing to a request at its deadline.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

/// Durations, counted by size. Clones count together.
#[derive(Clone, Debug)]
pub struct Durations(pub(super) Histogram);

impl Default for Durations {
    fn default() -> Self {
        Self(Histogram::new(SECONDS))
    }
}

impl Durations {
    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}

/// Decisions of the limits by policy. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct LimitDecisions(pub(super) Counters<2>);

impl LimitDecisions {
    /// Counts one.
    pub fn count(&self, policy: &'static str, admitted: bool) {
        let outcome = if admitted { "admitted" } else { "refused" };
        self.0.get_or_create(&labels(["policy", "outcome"], [policy, outcome])).inc();
    }
}

/// What messages to phones cost, by the budget that pays for them. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct SpendCounts(pub(super) Counters<1>);

impl SpendCounts {
    /// Counts one message.
    pub fn count(&self, budget: &'static str, cost: i64) {
        self.0.get_or_create(&labels(["budget"], [budget])).inc_by(u64::try_from(cost).unwrap_or(0));
    }
}

/// What is measured elsewhere and only handed in.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// How long a hash waited for its thread.
    pub hash_waits: Durations,
    /// What the limits decided.
    pub limit_decisions: LimitDecisions,
    /// What messages to phones cost.
    pub message_spend: SpendCounts,
}
