//! One reset over two replicas, and over a Redis that comes back to what it was before.

use futures_util::future::join_all;
use serde_json::json;

use super::replicas::person;
use super::stores::Surroundings;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::fails;
use crate::support::told;

const EMAIL: &str = "taro@example.jp";
const NEW: &str = "tidal mango ledger vowel";

type Dump = Vec<(String, Vec<u8>)>;

async fn redis(around: &Surroundings) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(around.embedded.redis_url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// All that Redis holds.
async fn dump(around: &Surroundings) -> Dump {
    let mut redis = redis(around).await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    let mut dump = Dump::new();
    for key in keys {
        let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut redis).await.unwrap();
        dump.push((key, value));
    }
    dump
}

/// Redis forgets everything, and holds then what it held at the dump.
async fn restore(around: &Surroundings, dump: &Dump) {
    let mut redis = redis(around).await;
    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    for (key, value) in dump {
        redis::cmd("RESTORE").arg(key).arg(0).arg(value).exec_async(&mut redis).await.unwrap();
    }
}

/// Fifty at once, half of them at each replica; how many set a password.
async fn fifty(replicas: [&Process; 2], token: &str) -> usize {
    let bodies: Vec<_> = (0..50)
        .map(|n| json!({ "method": "link", "reset_token": token, "new_password": format!("{NEW} {n}") }))
        .collect();
    let answers =
        join_all(bodies.iter().enumerate().map(|(n, body)| replicas[n % 2].post("/v1/password-resets/confirm", body)))
            .await;
    for answer in &answers {
        assert!([204, 410, 503].contains(&answer.status), "{} {}", answer.status, answer.body);
    }
    answers.iter().filter(|answer| answer.status == 204).count()
}

/// security.md 66: fifty confirmations over two replicas set one password, and a Redis that was flushed and restored to its
/// state before sets no second one.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_take_a_reset_once_whatever_redis_says() {
    let around = Surroundings::migrated().await;
    let environment = around.with("pages.password_reset", "https://auth.example.com/reset");
    let (one, other) = (Process::serve(&environment).await, Process::serve(&environment).await);
    let (tokens, ..) = person(&one, &other, &around).await;
    one.post("/v1/password-resets", &json!({ "identifier": EMAIL })).await.ok(202);
    let token = around.mailbox.word_to(EMAIL, "rst_").await;
    let inspect = json!({ "reset_token": token });
    other.post("/v1/password-resets/inspect", &inspect).await.ok(200);
    let before = dump(&around).await;
    assert!(before.iter().any(|(key, _)| key.contains("reset")), "the request is in Redis");

    assert_eq!(fifty([&one, &other], &token).await, 1);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    other.post("/v1/sessions/refresh", &refresh).await.refused(401, "session_revoked");
    restore(&around, &before).await;
    assert_eq!(fifty([&one, &other], &token).await, 0, "Redis says that it was never used");
    other.post("/v1/password-resets/inspect", &inspect).await.refused(410, "reset_token_invalid");

    restore(&around, &Dump::new()).await;
    one.post("/v1/password-resets/inspect", &inspect).await.refused(410, "reset_token_invalid");
    for replica in [one, other] {
        replica.signal("TERM");
        assert!(replica.ended().await.success());
    }
    around.embedded.stop().await.unwrap();
}

/// The README promises it: an operator demands a new password, by address or by id.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_demands_a_new_password() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let (tokens, ..) = person(&server, &server, &around).await;
    let account = tokens["account_id"].as_str().unwrap();
    let sign_in = json!({ "identifier": EMAIL, "password": PASSWORD });
    for whose in [EMAIL, account] {
        told(&["accounts", "require-password-change", whose], &around.environment);
        assert_eq!(server.post("/v1/sign-ins", &sign_in).await.ok(200)["next"], "change_password", "{whose}");
    }
    for nobody in ["nobody@example.jp", "01932c5e-7a10-7000-8000-000000000001", "nobody"] {
        fails(&["accounts", "require-password-change", nobody], &around.environment);
    }
    around.embedded.stop().await.unwrap();
}
