//! `src/cli/janitor.rs`: an operator purges now.

use super::stores::Surroundings;
use crate::support::Environment;
use crate::support::run;
use crate::support::told;

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_purges_without_waiting_for_the_hour() {
    let around = Surroundings::migrated().await;
    let text = told(&["janitor", "--once"], &around.environment);
    assert!(text.lines().skip(1).all(|line| line.ends_with(" 0")), "{text}");
    assert!(text.lines().any(|line| line.starts_with("closed_accounts")), "{text}");
}

/// `serve` is the janitor that goes on; there is no other.
#[test]
fn a_janitor_that_goes_on_is_not_offered() {
    assert_eq!(run(&["janitor"], &Environment::new()).status.code(), Some(2));
}
