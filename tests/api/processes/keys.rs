//! `src/cli/keys.rs`: what an operator does with the key ring while replicas run.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::replicas::person;
use super::stores::Surroundings;
use crate::support::Answer;
use crate::support::Environment;
use crate::support::Process;
use crate::support::fails;
use crate::support::header;
use crate::support::run;
use crate::support::told;
use crate::support::until;

async fn kids(server: &Process) -> Vec<String> {
    let set: Value = server.get("/.well-known/jwks.json").await.ok(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn account(server: &Process, access: &str) -> Answer {
    server.with_token(access, Method::GET, "/v1/account", None).await
}

/// `kid state` of every key, as the operator sees them.
fn listed(environment: &Environment) -> Vec<String> {
    let text = told(&["keys", "list"], environment);
    let words = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| format!("{} {}", words[0], words[2])).collect()
}

/// security.md 54: two keys during a rotation, and a key that has leaked is gone from every running replica, and what it
/// has signed opens nothing any more. Nobody is signed out by it.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_dropped_while_replicas_run() {
    let around = Surroundings::migrated().await;
    let (one, other) = (Process::serve(&around.environment).await, Process::serve(&around.environment).await);
    let first = kids(&one).await.remove(0);
    assert_eq!(listed(&around.environment), [format!("{first} signing")]);
    assert!(told(&["keys", "rotate"], &around.environment).contains("is published and signs from"));
    assert!(told(&["keys", "rotate"], &around.environment).starts_with("nothing to do"));
    for replica in [&one, &other] {
        until("two published keys", async || (kids(replica).await.len() == 2).then_some(())).await;
    }
    let next = kids(&one).await.remove(1);
    assert_eq!(listed(&around.environment), [format!("{first} signing"), format!("{next} next")]);
    let (tokens, ..) = person(&one, &other, &around).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(header(access)["kid"], first);
    for replica in [&one, &other] {
        account(replica, access).await.ok(200);
    }

    let dropped = told(&["keys", "rotate", "--compromised", &first], &around.environment);
    assert!(dropped.contains("signs in its place"), "{dropped}");
    for replica in [&one, &other] {
        until("a replica without the key", async || (!kids(replica).await.contains(&first)).then_some(())).await;
    }
    for replica in [&one, &other] {
        account(replica, access).await.refused(401, "access_token_invalid");
    }
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let new = other.post("/v1/sessions/refresh", &body).await.ok(200);
    account(&one, new["access_token"].as_str().unwrap()).await.ok(200);
    let left = listed(&around.environment);
    assert_eq!(
        (left.len(), left[0].ends_with(" signing"), left[1].as_str()),
        (2, true, format!("{next} next").as_str())
    );
    let again = fails(&["keys", "rotate", "--compromised", &first], &around.environment);
    assert!(again.contains(&first), "{again}");
    assert_eq!(run(&["keys", "rotate", "--compromised", "x"], &around.environment).status.code(), Some(2));
    around.embedded.stop().await.unwrap();
}
