//! Password and second factor again, inside a session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const PATH: &str = "/v1/reauthentications";

async fn again(person: &Person<'_>, password: &str, code: &str) -> Answer {
    person.post(PATH, &json!({ "method": "code", "password": password, "code": code })).await
}

/// A sensitive act.
async fn renew_codes(app: &TestApp, token: &str) -> Answer {
    app.with_token(token, Method::POST, "/v1/account/recovery-codes", None).await
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// security.md 37: an old session alone changes nothing sensitive; the fresh `auth_time` is not kept in the session.
#[test]
fn a_reauthentication_opens_sensitive_acts_and_a_refresh_closes_them() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let begun = claims(&taro.access())["auth_time"].clone();
        app.advance(601);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        let problem = renew_codes(app, &taro.access()).await;
        assert!(problem.header("www-authenticate").contains("insufficient_user_authentication"));
        problem.refused(401, "insufficient_user_authentication");
        let answer = again(&taro, PASSWORD, &app.totp(&taro.factor).await).await.ok(200);
        assert_eq!(answer["expires_in"], 300);
        let fresh = answer["access_token"].as_str().unwrap();
        let told = claims(fresh);
        assert!(told["auth_time"].as_i64().unwrap() >= begun.as_i64().unwrap() + 601);
        assert_eq!(told["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!((&told["sid"], &told["sub"]), (&taro.tokens["session_id"], &taro.tokens["account_id"]));
        renew_codes(app, fresh).await.ok(201);
        app.message_to("taro@example.jp").await;
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        assert_eq!(claims(&taro.access())["auth_time"], begun);
        renew_codes(app, &taro.access()).await.refused(401, "insufficient_user_authentication");
    });
}

/// security.md 16.
#[test]
fn a_wrong_password_is_refused_and_leaves_the_code_unused() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = app.totp(&taro.factor).await;
        again(&taro, "another phrase", &code).await.faults(&["/password wrong_password"]);
        again(&taro, PASSWORD, &code).await.ok(200);
    });
}

/// security.md 27: a code is used up by any endpoint, for every endpoint.
#[test]
fn a_code_that_was_used_is_wrong_here_and_elsewhere() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = taro.authenticator.code(app.next_step());
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, &code).await.ok(201);
        again(&taro, PASSWORD, &code).await.refused(422, "invalid_code");
        let code = taro.authenticator.code(app.next_step());
        again(&taro, PASSWORD, &code).await.ok(200);
        again(&taro, PASSWORD, &code).await.refused(422, "invalid_code");
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, &code).await.refused(422, "invalid_code");
    });
}

#[test]
fn five_failures_end_the_tries_of_a_session_and_a_success_renews_them() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        for left in [4, 3, 2, 1] {
            let problem = again(&taro, PASSWORD, "not a code").await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        again(&taro, PASSWORD, &app.totp(&taro.factor).await).await.ok(200);
        for _ in 0..3 {
            again(&taro, "another phrase", "123456").await.faults(&["/password wrong_password"]);
        }
        for left in [1, 0] {
            let problem = again(&taro, PASSWORD, "not a code").await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        again(&taro, PASSWORD, &app.totp(&taro.factor).await).await.refused(429, "too_many_attempts");
        taro.sign_in().await;
    });
}

#[test]
fn a_recovery_code_reauthenticates_once_and_its_owner_is_told() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = &taro.recovery_codes[0];
        let body = json!({ "method": "recovery_code", "password": PASSWORD, "recovery_code": code });
        taro.post(PATH, &body).await.ok(200);
        assert!(app.message_to("taro@example.jp").await.get("code").is_none());
        taro.post(PATH, &body).await.refused(422, "invalid_code");
        assert_eq!(taro.get("/v1/account/recovery-codes").await.ok(200)["remaining"], 9);
    });
}

#[test]
fn of_fifty_uses_of_one_code_one_reauthenticates() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = taro.authenticator.code(app.next_step());
        let answers = join_all((0..50).map(|_| again(&taro, PASSWORD, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        Answer::all(&answers, &[200, 422, 429]);
    });
}

#[test]
fn the_members_of_a_reauthentication_are_judged() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        for (body, fault) in [
            (json!({ "method": "code", "code": "123456" }), "/password required"),
            (json!({ "method": "code", "password": PASSWORD }), "/code required"),
            (json!({ "method": "recovery_code", "password": PASSWORD }), "/recovery_code required"),
            (
                json!({ "method": "recovery_code", "password": PASSWORD, "recovery_code": "x", "code": "123456" }),
                "/code not_supported",
            ),
            (json!({ "method": "passkey", "password": PASSWORD }), "/credential required"),
            (json!({ "method": "fax", "password": PASSWORD }), "/method unknown_value"),
            (
                json!({ "method": "code", "password": PASSWORD, "code": "123456", "factor_id": hana.factor }),
                "/factor_id unknown_id",
            ),
        ] {
            taro.post(PATH, &body).await.faults(&[fault]);
        }
        app.post(PATH, &json!({ "method": "code" })).await.refused(401, "access_token_missing");
        let code = app.totp(&hana.factor).await;
        again(&taro, PASSWORD, &code).await.refused(422, "invalid_code");
    });
}
