//! `src/factors`.

mod enrolment;
mod phone;
mod recovery_codes;
mod telling;
mod totp;

use serde_json::Value;
use serde_json::json;

use crate::support::TestApp;
use crate::support::test;

async fn faults(app: &TestApp, flow: &Value, given: Value, expected: &str) {
    let mut body = given;
    body["sign_in_token"] = flow["sign_in_token"].clone();
    app.post("/v1/sign-ins/second-factor", &body).await.faults(&[expected]);
}

/// The method says which member counts; the others must be absent.
#[test]
fn the_method_says_which_member_counts() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        for (given, fault) in [
            (json!({ "method": "code" }), "/code required"),
            (json!({ "method": "recovery_code" }), "/recovery_code required"),
            (json!({ "method": "code", "code": "123456", "recovery_code": "x" }), "/recovery_code not_supported"),
            (json!({ "method": "recovery_code", "recovery_code": "x", "code": "123456" }), "/code not_supported"),
            (json!({ "method": "passkey" }), "/credential required"),
            (json!({ "method": "fax" }), "/method unknown_value"),
            (json!({ "code": "123456" }), "/method required"),
            (json!({ "method": "code", "code": "123456", "factor_id": "mine" }), "/factor_id invalid_format"),
        ] {
            faults(app, &flow, given, fault).await;
        }
        let code = app.totp(&taro.factor).await;
        app.second_factor(&flow, &code).await.ok(201);
    });
}

/// A factor that is not the account's, or not of the kind of the code, is not known; nobody's tries are used up.
#[test]
fn a_factor_is_named_by_its_owner_and_for_its_kind() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let flow = taro.start_sign_in().await;
        let hanas = hana.start_sign_in().await;
        let (codes, hanas_codes) = (&flow["factors"][1]["id"], &hanas["factors"][1]["id"]);
        let code = app.totp(&taro.factor).await;
        let written = &taro.recovery_codes[0];
        for (given, fault) in [
            (json!({ "method": "code", "code": code, "factor_id": hana.factor }), "/factor_id unknown_id"),
            (json!({ "method": "code", "code": code, "factor_id": codes }), "/factor_id unknown_id"),
            (
                json!({ "method": "recovery_code", "recovery_code": written, "factor_id": taro.factor }),
                "/factor_id unknown_id",
            ),
            (
                json!({ "method": "recovery_code", "recovery_code": written, "factor_id": hanas_codes }),
                "/factor_id unknown_id",
            ),
        ] {
            faults(app, &flow, given, fault).await;
        }
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "code": code, "factor_id": taro.factor,
        });
        app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
    });
}

/// security.md 8 and 30: a client's own idea of the time changes nothing.
#[test]
fn the_clock_of_the_client_does_not_count() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let step = app.next_step();
        app.advance(300);
        let flow = taro.start_sign_in().await;
        let mut body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "code": taro.authenticator.code(step),
        });
        let request = app.request(reqwest::Method::POST, "/v1/sign-ins/second-factor");
        let dated = request.header("date", "Sun, 22 Nov 2026 00:00:00 GMT").header("x-time", (step * 30).to_string());
        app.send(dated.json(&body)).await.refused(422, "invalid_code");
        body["time"] = json!(step * 30);
        app.post("/v1/sign-ins/second-factor", &body).await.refused(400, "unsupported_field");
    });
}
