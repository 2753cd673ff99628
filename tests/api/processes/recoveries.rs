//! A recovery from beginning to end, with a `kill -9` after each acknowledged step.

use serde_json::json;
use sqlx::Connection;
use sqlx::PgConnection;

use super::dev::enrol_in;
use super::dev::killed_and_started_again;
use super::dev::stores;
use crate::support::Folder;
use crate::support::PASSWORD;
use crate::support::Process;

const EMAIL: &str = "taro@example.jp";
const CONTACT: &str = "helper@example.jp";
const NEW: &str = "tidal mango ledger vowel";

/// Lets the wait be over: the clock of a real server cannot be moved.
async fn skip_the_wait(folder: &Folder) {
    let password = std::fs::read_to_string(folder.path().join("postgres/password")).unwrap();
    let [port, _] = stores(folder.path());
    let url = format!("postgres://sekisho:{}@127.0.0.1:{port}/sekisho?sslmode=disable", password.trim());
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let skip = "UPDATE recoveries SET opens_at = opens_at - interval '72 hours', contact_due_at = contact_due_at - interval '72 hours'";
    sqlx::query(skip).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// security.md 87: whatever was acknowledged is there after a crash, and has its effect once.
#[tokio::test]
async fn no_acknowledged_step_of_a_recovery_is_lost_to_a_kill() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let sign_up = dev.post("/v1/sign-ups", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(202);
    let body = json!({ "sign_up_token": sign_up["sign_up_token"], "code": dev.code_to(EMAIL, "").await });
    let flow = dev.post("/v1/sign-ups/verify", &body).await.ok(200);
    let (tokens, factor) = enrol_in(&dev, &flow).await;
    let body = json!({ "identifier": EMAIL, "contact": CONTACT, "lost": ["password"] });
    let started = dev.post("/v1/recoveries", &body).await.ok(202);
    let token = &started["recovery_token"];
    let this = json!({ "recovery_token": token });

    let dev = killed_and_started_again(dev, &folder).await;
    let body = json!({ "recovery_token": token, "code": dev.code_to(CONTACT, "").await });
    assert_eq!(dev.post("/v1/recoveries/verify-contact", &body).await.ok(200)["state"], "waiting");

    let dev = killed_and_started_again(dev, &folder).await;
    dev.post("/v1/recoveries/verify-contact", &body).await.refused(409, "wrong_step");
    let body = json!({ "recovery_token": token, "kind": "recovery_code", "value": tokens["recovery_codes"][0] });
    assert_eq!(dev.post("/v1/recoveries/proofs", &body).await.ok(200)["proofs"], json!(["recovery_code"]));

    let dev = killed_and_started_again(dev, &folder).await;
    let stands = dev.post("/v1/recoveries/inspect", &this).await.ok(200);
    assert_eq!((&stands["state"], &stands["proofs"]), (&json!("waiting"), &json!(["recovery_code"])));
    let flow = dev.post("/v1/sign-ins", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(200);
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "method": "recovery_code", "recovery_code": tokens["recovery_codes"][0],
    });
    dev.post("/v1/sign-ins/second-factor", &body).await.refused(422, "invalid_code");
    let body = json!({ "recovery_token": token, "kind": "factor", "value": dev.totp(&factor).await });
    dev.post("/v1/recoveries/proofs", &body).await.ok(200);
    skip_the_wait(&folder).await;
    assert_eq!(dev.post("/v1/recoveries/inspect", &this).await.ok(200)["state"], "open");
    let body = json!({ "recovery_token": token, "new_password": NEW });
    assert_eq!(dev.post("/v1/recoveries/complete", &body).await.ok(200)["next"], "second_factor");

    let dev = killed_and_started_again(dev, &folder).await;
    dev.post("/v1/recoveries/complete", &body).await.refused(410, "recovery_token_invalid");
    assert_eq!(dev.post("/v1/recoveries/inspect", &this).await.ok(200)["state"], "completed");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    dev.post("/v1/sessions/refresh", &refresh).await.refused(401, "session_revoked");
    let old = json!({ "identifier": EMAIL, "password": PASSWORD });
    dev.post("/v1/sign-ins", &old).await.refused(401, "invalid_credentials");
    for identifier in [EMAIL, CONTACT] {
        let new = json!({ "identifier": identifier, "password": NEW });
        assert_eq!(dev.post("/v1/sign-ins", &new).await.ok(200)["next"], "second_factor", "{identifier}");
    }
}
