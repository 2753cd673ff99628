//! Two replicas on one database: what is promised once is promised by both together.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::clock::Clock;
use serde_json::Value;
use serde_json::json;

use super::stores::Surroundings;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Process;

const EMAIL: &str = "taro@example.jp";

fn step() -> i64 {
    Clock::system().now().timestamp() / 30
}

/// Signs up at one replica and goes on at the other; answers the tokens, the app and the step that it has used.
pub async fn person(one: &Process, other: &Process, around: &Surroundings) -> (Value, Authenticator, i64) {
    let body = json!({ "identifier": EMAIL, "password": PASSWORD, "locale": "en" });
    let started = one.post("/v1/sign-ups", &body).await.ok(202);
    let code = around.mailbox.code_to(EMAIL).await;
    let body = json!({ "sign_up_token": started["sign_up_token"], "code": code });
    let flow = other.post("/v1/sign-ups/verify", &body).await.ok(200);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let started = one.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let app = Authenticator::new(started["enrolment"]["totp"]["secret"].as_str().unwrap());
    let used = step();
    let body = json!({
        "sign_in_token": started["sign_in_token"], "factor_id": started["enrolment"]["factor_id"],
        "method": "code", "code": app.code(used),
    });
    (other.post("/v1/sign-ins/enrolments/confirm", &body).await.ok(201), app, used)
}

/// security.md 27 and 57, across replicas.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_keep_one_promise() {
    let around = Surroundings::migrated().await;
    let (one, other) = (Process::serve(&around.environment).await, Process::serve(&around.environment).await);
    let replicas = [&one, &other];
    assert_eq!(
        one.get("/.well-known/jwks.json").await.ok(200),
        other.get("/.well-known/jwks.json").await.ok(200),
        "one key ring"
    );
    let (tokens, app, used) = person(&one, &other, &around).await;

    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let answers = join_all((0..50).map(|n| replicas[n % 2].post("/v1/sessions/refresh", &body))).await;
    let tokens: Vec<_> = answers.into_iter().map(|answer| answer.ok(200)).collect();
    let successors: BTreeSet<_> = tokens.iter().map(|tokens| tokens["refresh_token"].as_str().unwrap()).collect();
    assert_eq!(successors.len(), 1, "one successor");

    let sign_in = json!({ "identifier": EMAIL, "password": PASSWORD });
    let flows = join_all((0..10).map(|n| replicas[n % 2].post("/v1/sign-ins", &sign_in))).await;
    let flows: Vec<_> = flows.into_iter().map(|flow| flow.ok(200)).collect();
    // The next step is within the window now, and still is should the step end under the test.
    let code = app.code(used + 1);
    let give = |n: usize| {
        let body = json!({ "sign_in_token": flows[n / 2]["sign_in_token"], "method": "code", "code": code });
        async move { replicas[n % 2].post("/v1/sign-ins/second-factor", &body).await }
    };
    let answers = join_all((0..20).map(give)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "one code, one session");
    assert!(answers.iter().all(|answer| [201, 410, 422].contains(&answer.status)), "{answers:?}");

    let access = tokens[0]["access_token"].as_str().unwrap();
    one.with_token(access, Method::DELETE, "/v1/sessions?scope=all", None).await.ok(204);
    other.with_token(access, Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
    for replica in [one, other] {
        replica.signal("TERM");
        assert!(replica.ended().await.success());
    }
    around.embedded.stop().await.unwrap();
}
