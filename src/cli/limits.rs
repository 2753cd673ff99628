//! `sekisho limits`: the numbers, as they stand in the source.

use super::say;
use crate::limits::Policy;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Print every policy: how many requests in how many seconds
    List,
}

pub(super) fn run(action: &Action) {
    let Action::List = action;
    say(&format!("{:<20} {:>8} {:>12}", "policy", "requests", "window_secs"));
    for policy in Policy::ALL {
        let quota = policy.quota();
        say(&format!("{:<20} {:>8} {:>12}", policy.name(), quota.requests, quota.window_secs));
    }
}
