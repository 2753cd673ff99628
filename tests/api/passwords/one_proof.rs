//! One destination, one proof: what carried the reset does not answer the second factor as well.

use serde_json::Value;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use super::PHONE;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;

const OTHER: &str = "+819087654321";

async fn enrol_phone(app: &TestApp, flow: &Value, number: &str) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": number });
    app.post("/v1/sign-ins/enrolments", &body).await
}

/// Somebody with one number for everything; the factor and the tokens.
async fn with_one_number(app: &TestApp) -> (Value, Value) {
    let flow = app.sign_up(PHONE).await;
    let factor = enrol_phone(app, &flow, PHONE).await.ok(201)["enrolment"]["factor_id"].clone();
    let code = app.code_to(PHONE).await;
    let tokens = app.confirm_enrolment(&flow, factor.as_str().unwrap(), &code).await.ok(201);
    app.message_to(PHONE).await;
    app.advance(30);
    (factor, tokens)
}

/// The walk of whoever got hold of a number: a new password by SMS, and then everything that a flow offers.
async fn reset_and_sign_in(app: &TestApp, identifier: &str) -> Value {
    let (_, asked, code) = app.reset_message(identifier).await;
    app.reset_by_code(&asked, &code, NEW).await.ok(204);
    app.start_sign_in(identifier, NEW).await.ok(200)
}

async fn ask(app: &TestApp, flow: &Value, factor: &Value, channel: &str) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": channel });
    app.post("/v1/sign-ins/codes", &body).await
}

/// security.md 38 and 39: a stolen number never opens the account: phone identifier, SMS reset, SMS factor.
#[test]
fn a_number_that_was_taken_over_opens_nothing() {
    test(async |app| {
        let (factor, tokens) = with_one_number(app).await;
        let old_flow = app.start_sign_in(PHONE, crate::support::PASSWORD).await.ok(200);
        ask(app, &old_flow, &factor, "sms").await.ok(202);
        let old_code = app.code_to(PHONE).await;
        let flow = reset_and_sign_in(app, PHONE).await;
        app.message_to(PHONE).await;
        assert_eq!(flow["next"], "second_factor");
        let kinds: Vec<&Value> = flow["factors"].as_array().unwrap().iter().map(|factor| &factor["kind"]).collect();
        assert_eq!(kinds, ["recovery_code"], "only what works is offered");
        for channel in ["sms", "voice"] {
            ask(app, &flow, &factor, channel).await.refused(409, "factor_carried_reset");
        }
        for body in [json!({ "factor_id": factor }), json!({})] {
            let mut body = body;
            body["sign_in_token"] = flow["sign_in_token"].clone();
            body["method"] = json!("code");
            body["code"] = json!(old_code);
            app.post("/v1/sign-ins/second-factor", &body).await.refused(409, "factor_carried_reset");
        }
        // A flow from before, with its code in hand, is over; a new factor cannot be enrolled; the session has ended.
        app.second_factor(&old_flow, &old_code).await.refused(410, "sign_in_expired");
        enrol_phone(app, &flow, OTHER).await.refused(409, "wrong_step");
        app.refresh(tokens["refresh_token"].as_str().unwrap()).await.refused(401, "session_revoked");
        // However often they try.
        app.advance(72 * 3600);
        let flow = app.start_sign_in(PHONE, NEW).await.ok(200);
        ask(app, &flow, &factor, "sms").await.refused(409, "factor_carried_reset");
        assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
    });
}

/// The owner comes in by something else, and from then on the phone answers again.
#[test]
fn a_recovery_code_gives_the_phone_its_voice_back() {
    test(async |app| {
        let (factor, tokens) = with_one_number(app).await;
        let flow = reset_and_sign_in(app, PHONE).await;
        app.recovery_code(&flow, tokens["recovery_codes"][0].as_str().unwrap()).await.ok(201);
        app.ignore_messages().await;
        let flow = app.start_sign_in(PHONE, NEW).await.ok(200);
        assert_eq!(flow["factors"][0]["id"], factor);
        ask(app, &flow, &factor, "sms").await.ok(202);
        let opened = app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
        assert_eq!(claims(opened["access_token"].as_str().unwrap())["amr"], json!(["pwd", "sms", "mfa"]));
    });
}

/// Another destination is another proof: a reset by mail, a code by SMS.
#[test]
fn a_reset_by_mail_leaves_the_phone_its_voice() {
    test(async |app| {
        let flow = app.sign_up(EMAIL).await;
        let factor = enrol_phone(app, &flow, PHONE).await.ok(201)["enrolment"]["factor_id"].clone();
        let code = app.code_to(PHONE).await;
        app.confirm_enrolment(&flow, factor.as_str().unwrap(), &code).await.ok(201);
        app.message_to(EMAIL).await;
        app.advance(30);
        let flow = reset_and_sign_in(app, EMAIL).await;
        app.message_to(EMAIL).await;
        app.message_to(PHONE).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
    });
}

/// Without any recovery code left the answer is as clear: nothing here fits, and the problem says what does.
#[test]
fn without_anything_else_the_flow_says_so() {
    test(async |app| {
        let (factor, _) = with_one_number(app).await;
        sqlx::query("DELETE FROM recovery_codes").execute(&app.app.db).await.unwrap();
        let flow = reset_and_sign_in(app, PHONE).await;
        app.message_to(PHONE).await;
        assert_eq!((&flow["next"], &flow["factors"]), (&json!("second_factor"), &json!([])));
        ask(app, &flow, &factor, "sms").await.refused(409, "factor_carried_reset");
        app.recovery_code(&flow, "AAAA-AAAA-AAAA-AAAA").await.refused(422, "invalid_code");
    });
}

/// An account that never had a factor: whoever holds the number may enrol one, but not that number.
#[test]
fn the_number_that_carried_the_reset_does_not_become_the_factor() {
    test(async |app| {
        app.sign_up(PHONE).await;
        let flow = reset_and_sign_in(app, PHONE).await;
        app.message_to(PHONE).await;
        assert_eq!(flow["next"], "verify_identifier");
        let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": flow["identifiers"][0]["id"] });
        app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "code": app.code_to(PHONE).await });
        let flow = app.post("/v1/sign-ins/identifier", &body).await.ok(200);
        enrol_phone(app, &flow, PHONE).await.refused(409, "factor_carried_reset");
        let factor = app.start_enrolment(&flow).await;
        app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to(PHONE).await;
    });
}
