//! The long suites: what holds under load, over time and through crashes. `make soak` runs all of them, or those that
//! are named (`make soak SUITES="crashes load"`), and prints figures beside the machine's own limits in the same run.
//!
//! They drive the built program with real stores, like `tests/api`, whose support they share.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures are what these suites are for")]

mod crashes;
mod load;
mod numbers;
mod races;
#[path = "../api/processes/stores.rs"]
#[expect(unreachable_pub, reason = "shared with tests/api")]
mod stores;
mod strangers;
#[path = "../api/support/mod.rs"]
#[expect(dead_code, unused_imports, unreachable_pub, reason = "the suites of tests/api need more of it")]
mod support;
mod timing;

const SUITES: [(&str, fn()); 6] = [
    ("races", races::run),
    ("crashes", crashes::run),
    ("timing", timing::run),
    ("strangers", strangers::run),
    ("numbers", numbers::run),
    ("load", load::run),
];

fn main() {
    // `cargo bench` adds an argument of its own.
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for name in &named {
        assert!(SUITES.iter().any(|(suite, _)| suite == name), "there is no suite {name}");
    }
    for (_, run) in SUITES.iter().filter(|(suite, _)| named.is_empty() || named.iter().any(|name| name == suite)) {
        run();
    }
}
