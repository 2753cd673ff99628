//! Guessing in recoveries: it ends, and it closes nothing that the owner needs.

use std::time::Duration;

use reqwest::Method;
use sekisho::clock::Stopwatch;
use serde_json::Value;
use serde_json::json;

use super::CONTACT;
use super::WAIT;
use crate::imports::BCRYPT;
use crate::imports::bring;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
const TARO: &str = "taro@example.jp";
const NOBODY: &str = "nobody@example.jp";
const WRONG_PASSWORD: &str = "another horse battery";
const WRONG_RECOVERY_CODE: &str = "7K2M-9QXR-4TVB-H3ND";

async fn from(app: &TestApp, network: &str, path: &str, body: &Value) -> Answer {
    app.send(app.request(Method::POST, path).header("x-forwarded-for", network).json(body)).await
}

async fn start_from(app: &TestApp, network: &str, contact: &str) -> Answer {
    let body = json!({ "identifier": TARO, "contact": contact, "lost": ["phone"] });
    from(app, network, "/v1/recoveries", &body).await
}

/// A recovery of Taro's account that waits; answers its token.
async fn recovery_from(app: &TestApp, network: &str, contact: &str) -> String {
    let token = start_from(app, network, contact).await.ok(202)["recovery_token"].as_str().unwrap().to_owned();
    let body = json!({ "recovery_token": token, "code": app.code_to(contact).await });
    from(app, network, "/v1/recoveries/verify-contact", &body).await.ok(200);
    token
}

async fn prove_from(app: &TestApp, network: &str, token: &str, (kind, value): (&str, &str)) -> Answer {
    let body = json!({ "recovery_token": token, "kind": kind, "value": value });
    from(app, network, "/v1/recoveries/proofs", &body).await
}

/// security.md 22: whatever one network spoils in all the recoveries that it may begin, the owner gives their proofs.
#[test]
fn one_network_closes_nothing_to_the_owner() {
    test_with(LIMITED, async |app| {
        let person = app.person(TARO).await;
        let stranger = "203.0.113.1";
        for nth in 0..5 {
            let token = recovery_from(app, stranger, &format!("stranger{nth}@example.jp")).await;
            for (proof, tries) in [(("factor", "000000"), 5), (("recovery_code", WRONG_RECOVERY_CODE), 15)] {
                for _ in 0..tries {
                    prove_from(app, stranger, &token, proof).await.refused(422, "invalid_code");
                }
                prove_from(app, stranger, &token, proof).await.refused(429, "too_many_attempts");
            }
        }
        start_from(app, stranger, "stranger5@example.jp").await.refused(429, "rate_limited");

        let token = recovery_from(app, "198.51.100.1", CONTACT).await;
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// security.md 22: a hundred wrong codes of apps in a row, from many networks, close the apps in recoveries for a day, and
/// nothing else.
#[test]
fn many_networks_close_the_apps_alone_and_for_a_day() {
    test_with(LIMITED, async |app| {
        let person = app.person(TARO).await;
        for nth in 0..20 {
            let network = format!("203.0.113.{}", nth / 5);
            let token = recovery_from(app, &network, &format!("stranger{nth}@example.jp")).await;
            for _ in 0..5 {
                prove_from(app, &network, &token, ("factor", "000000")).await.refused(422, "invalid_code");
            }
        }
        let token = recovery_from(app, "198.51.100.1", CONTACT).await;
        let code = app.totp(&person.factor).await;
        let closed = app.prove(&token, "factor", &code).await.refused(429, "too_many_attempts");
        assert!((86_000..=86_400).contains(&closed["retry_after"].as_u64().unwrap()), "{closed}");
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.ignore_notices().await;
        app.advance(30);
        app.recovery_code_to(&token, TARO).await.ok(202);
        app.prove(&token, "code", &app.code_to(TARO).await).await.ok(200);
        app.advance(86_400);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

fn unproved() -> Value {
    json!({ "external_id": "1", "password_hash": BCRYPT, "identifiers": [{ "kind": "email", "value": TARO }] })
}

/// security.md 20: sign-ins and recoveries share one count, also for an address that was imported and nobody has proved.
#[test]
fn sign_ins_and_recoveries_are_one_count_whoever_has_the_address() {
    test_with(LIMITED, async |app| {
        bring(app, &[unproved()]).await;
        for identifier in [TARO, NOBODY] {
            app.start_sign_in(identifier, WRONG_PASSWORD).await.refused(401, "invalid_credentials");
            let token = app.recovery(identifier, &["phone"]).await;
            app.prove(&token, "password", WRONG_PASSWORD).await.refused(422, "invalid_code");
        }
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE lane = 'password' AND count = 2").await, 2);
        assert_eq!(app.count("SELECT count(*) FROM failures").await, 2);
    });
}

/// security.md 20: a refused password takes a whole step from arrival, as in a sign-in, whoever has the address.
#[test]
fn a_refused_password_takes_a_whole_step_of_time() {
    test_with(&[("sign_in.failure_step_ms", "200")], async |app| {
        app.person("hanako@example.jp").await;
        bring(app, &[unproved()]).await;
        for identifier in [TARO, NOBODY, "hanako@example.jp"] {
            let token = app.recovery(identifier, &["phone"]).await;
            let arrival = Stopwatch::start();
            app.prove(&token, "password", WRONG_PASSWORD).await.refused(422, "invalid_code");
            assert!(arrival.elapsed() >= Duration::from_millis(200), "{identifier}: {:?}", arrival.elapsed());
        }
        app.ignore_notices().await;
    });
}
