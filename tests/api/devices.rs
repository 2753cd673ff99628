//! `src/devices`: strangers who guess do not keep the owner out.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
const EMAIL: &str = "taro@example.jp";
const WRONG: &str = "another horse battery";

async fn with_device(app: &TestApp, email: &str, password: &str, device: &Value) -> Answer {
    let body = json!({ "identifier": email, "password": password, "device_token": device });
    app.post("/v1/sign-ins", &body).await
}

async fn close_the_lane(app: &TestApp, email: &str) {
    for network in 0..=100 {
        let body = json!({ "identifier": email, "password": WRONG });
        let request = app.request(Method::POST, "/v1/sign-ins");
        let answer = app.send(request.header("x-forwarded-for", format!("203.0.113.{network}")).json(&body)).await;
        assert_eq!(answer.status, if network < 100 { 401 } else { 429 });
    }
}

/// security.md 22: after a hundred failures of strangers the known device gets in, any other does not.
#[test]
fn strangers_do_not_keep_a_known_device_out() {
    test_with(LIMITED, async |app| {
        let (taro, hana) = (app.person(EMAIL).await, app.person("hana@example.jp").await);
        close_the_lane(app, EMAIL).await;
        app.start_sign_in(EMAIL, PASSWORD).await.refused(429, "too_many_attempts");
        for other in [&hana.tokens["device_token"], &json!("sdt_AAAA"), &json!(""), &taro.tokens["refresh_token"]] {
            with_device(app, EMAIL, PASSWORD, other).await.refused(429, "too_many_attempts");
        }
        let flow = with_device(app, EMAIL, PASSWORD, &taro.tokens["device_token"]).await.ok(200);
        assert_eq!(flow["next"], "second_factor", "a device is no factor");
        let tokens = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        assert!(tokens.get("device_token").is_none(), "it has one");
        app.ignore_messages().await;
    });
}

/// A device that was stolen with its token does not guess for long.
#[test]
fn ten_failures_revoke_a_device() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        let device = &taro.tokens["device_token"];
        for _ in 0..10 {
            with_device(app, EMAIL, WRONG, device).await.refused(401, "invalid_credentials");
        }
        assert_eq!(app.count("SELECT count(*) FROM devices").await, 0);
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE lane = 'password'").await, 0);
        with_device(app, EMAIL, WRONG, device).await.refused(401, "invalid_credentials");
        assert_eq!(app.count("SELECT count::bigint FROM failures WHERE lane = 'password'").await, 1, "as good as none");
        app.ignore_messages().await;
    });
}

#[test]
fn the_twenty_first_device_replaces_the_one_unused_for_longest() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let second = taro.sign_in().await;
        for _ in 0..18 {
            app.advance(60);
            taro.sign_in().await;
        }
        app.advance(60);
        let flow = with_device(app, EMAIL, PASSWORD, &taro.tokens["device_token"]).await.ok(200);
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        assert_eq!(app.count("SELECT count(*) FROM devices").await, 20);
        app.advance(60);
        taro.sign_in().await;
        assert_eq!(app.count("SELECT count(*) FROM devices").await, 20);
        for (token, known) in [(&taro.tokens["device_token"], true), (&second["device_token"], false)] {
            let flow = with_device(app, EMAIL, PASSWORD, token).await.ok(200);
            app.advance(60);
            let tokens = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
            assert_eq!(tokens.get("device_token").is_none(), known);
        }
    });
}

/// The way back for an owner whose lane is closed and who has no known device here.
#[test]
fn a_message_makes_a_device_known_once() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        close_the_lane(app, EMAIL).await;
        app.ignore_messages().await;
        app.post("/v1/device-tokens", &json!({ "identifier": EMAIL })).await.ok(202);
        let body = json!({ "token": app.code_to(EMAIL).await });
        let answers = join_all((0..50).map(|_| app.post("/v1/device-tokens/confirm", &body))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(410, "device_token_invalid");
        }
        let device = won[0].body["device_token"].clone();
        with_device(app, EMAIL, PASSWORD, &device).await.ok(200);
        app.start_sign_in(EMAIL, PASSWORD).await.refused(429, "too_many_attempts");
        drop(taro);
    });
}

/// A token for a device, by message.
async fn by_message(app: &TestApp) -> Value {
    app.ignore_messages().await;
    app.post("/v1/device-tokens", &json!({ "identifier": EMAIL })).await.ok(202);
    let body = json!({ "token": app.code_to(EMAIL).await });
    app.post("/v1/device-tokens/confirm", &body).await.ok(200)["device_token"].clone()
}

/// security.md 21: whoever reads the messages has ten guesses, however many tokens they ask for; and they close nothing to
/// a device that its owner has signed in on.
#[test]
fn devices_of_messages_share_ten_guesses() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        for guesses in [4, 6] {
            let device = by_message(app).await;
            for _ in 0..guesses {
                with_device(app, EMAIL, WRONG, &device).await.refused(401, "invalid_credentials");
            }
        }
        let device = by_message(app).await;
        with_device(app, EMAIL, PASSWORD, &device).await.refused(429, "too_many_attempts");
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE lane = 'password'").await, 0);
        with_device(app, EMAIL, PASSWORD, &taro.tokens["device_token"]).await.ok(200);
        app.start_sign_in(EMAIL, PASSWORD).await.ok(200);
        // A day later the last one opens the lane, and has one of its own once a sign-in is complete.
        app.advance(86_400);
        let flow = with_device(app, EMAIL, PASSWORD, &device).await.ok(200);
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        let guess = by_message(app).await;
        for _ in 0..10 {
            with_device(app, EMAIL, WRONG, &guess).await.refused(401, "invalid_credentials");
        }
        with_device(app, EMAIL, PASSWORD, &device).await.ok(200);
        app.ignore_messages().await;
    });
}

/// However many are asked for, they drive out one known device at most.
#[test]
fn one_device_of_a_message_is_known_at_a_time() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        for _ in 0..19 {
            app.advance(60);
            taro.sign_in().await;
        }
        let old = by_message(app).await;
        for _ in 0..3 {
            by_message(app).await;
        }
        assert_eq!(app.count("SELECT count(*) FROM devices").await, 20);
        assert_eq!(app.count("SELECT count(*) FROM devices WHERE by_message").await, 1);
        let flow = with_device(app, EMAIL, PASSWORD, &old).await.ok(200);
        app.advance(60);
        let tokens = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        assert!(tokens["device_token"].is_string(), "it was as good as none");
    });
}

/// Known or not, the answer is the same and the same is written; only the worker knows whom to write to.
#[test]
fn a_request_does_not_tell_who_has_an_account() {
    test(async |app| {
        app.person(EMAIL).await;
        for (email, count) in [(EMAIL, 1), ("nobody@example.jp", 2)] {
            let answer = app.post("/v1/device-tokens", &json!({ "identifier": email })).await;
            assert_eq!((answer.status, answer.body), (202, Value::Null));
            assert_eq!(app.count("SELECT count(*) FROM device_requests").await, count);
            assert_eq!(app.count("SELECT count(*) FROM outbox WHERE kind = 'device_token'").await, count);
        }
        app.code_to(EMAIL).await;
        app.post("/v1/device-tokens", &json!({ "identifier": "no address" }))
            .await
            .faults(&["/identifier invalid_email"]);
    });
}

#[test]
fn a_token_of_a_message_is_void_after_ten_minutes() {
    test(async |app| {
        app.person(EMAIL).await;
        app.post("/v1/device-tokens", &json!({ "identifier": EMAIL })).await.ok(202);
        let token = app.code_to(EMAIL).await;
        app.advance(600);
        for token in [token.as_str(), "sdr_", "", "x"] {
            app.post("/v1/device-tokens/confirm", &json!({ "token": token }))
                .await
                .refused(410, "device_token_invalid");
        }
        assert_eq!(app.count("SELECT count(*) FROM devices").await, 1);
    });
}
