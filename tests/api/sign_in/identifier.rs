//! An account without a factor proves an identifier before it may enrol one.

use futures_util::future::join_all;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";

/// The flow of someone who signed up, enrolled nothing and came back.
async fn unproved(app: &TestApp, email: &str) -> Value {
    app.sign_up(email).await;
    app.start_sign_in(email, PASSWORD).await.ok(200)
}

async fn send_code(app: &TestApp, flow: &Value) -> Answer {
    let id = &flow["identifiers"][0]["id"];
    let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": id });
    app.post("/v1/sign-ins/identifier-codes", &body).await
}

async fn prove(app: &TestApp, flow: &Value, code: &str) -> Answer {
    app.post("/v1/sign-ins/identifier", &json!({ "sign_in_token": flow["sign_in_token"], "code": code })).await
}

fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

/// security.md 24: the token changes when its authority rises, and the old one is dead.
#[test]
fn a_proved_identifier_leads_to_an_enrolment_under_a_new_token() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        assert_eq!((&flow["next"], &flow["enrollable"]), (&json!("verify_identifier"), &json!([])));
        let identifiers = flow["identifiers"].as_array().unwrap();
        assert_eq!(identifiers.len(), 1);
        assert_eq!((&identifiers[0]["kind"], &identifiers[0]["hint"]), (&json!("email"), &json!("t•••@example.jp")));
        let sent = send_code(app, &flow).await.ok(202);
        assert_eq!(sent["sign_in_token"], flow["sign_in_token"]);
        assert_eq!(sent["delivery"]["destination_hint"], "t•••@example.jp");
        let proved = prove(app, &flow, &app.code_to(TARO).await).await.ok(200);
        assert_ne!(proved["sign_in_token"], flow["sign_in_token"]);
        assert_eq!(proved["next"], "enrol_second_factor");
        let old = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
        app.post("/v1/sign-ins/enrolments", &old).await.refused(410, "sign_in_expired");
        send_code(app, &flow).await.refused(410, "sign_in_expired");
        let factor = app.start_enrolment(&proved).await;
        app.confirm_enrolment(&proved, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to(TARO).await;
    });
}

/// security.md 31: after a resend the old code is void, and the tries are new.
#[test]
fn another_code_voids_the_one_before() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        send_code(app, &flow).await.ok(202);
        let old = app.code_to(TARO).await;
        let answer = send_code(app, &flow).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        answer.refused(429, "rate_limited");
        prove(app, &flow, other_than(&old)).await.refused(422, "invalid_code");
        app.advance(wait);
        send_code(app, &flow).await.ok(202);
        let new = app.code_to(TARO).await;
        if new != old {
            assert_eq!(prove(app, &flow, &old).await.refused(422, "invalid_code")["attempts_left"], 4);
        }
        prove(app, &flow, &new).await.ok(200);
    });
}

#[test]
fn of_many_who_ask_for_a_code_at_once_one_gets_it() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        let answers = join_all((0..50).map(|_| send_code(app, &flow))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 202) {
            answer.refused(429, "rate_limited");
        }
        prove(app, &flow, &app.code_to(TARO).await).await.ok(200);
    });
}

#[test]
fn after_five_wrong_codes_the_right_one_does_not_count() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        send_code(app, &flow).await.ok(202);
        let code = app.code_to(TARO).await;
        for left in [4, 3, 2, 1, 0] {
            let problem = prove(app, &flow, other_than(&code)).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        prove(app, &flow, &code).await.refused(429, "too_many_attempts");
        app.advance(30);
        send_code(app, &flow).await.ok(202);
        prove(app, &flow, &app.code_to(TARO).await).await.ok(200);
    });
}

#[test]
fn without_a_code_every_code_is_wrong() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        prove(app, &flow, "000000").await.refused(422, "invalid_code");
    });
}

/// security.md 33: neither code nor flow outlives ten minutes.
#[test]
fn a_code_is_good_for_ten_minutes() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        send_code(app, &flow).await.ok(202);
        let code = app.code_to(TARO).await;
        app.advance(601);
        prove(app, &flow, &code).await.refused(410, "sign_in_expired");
    });
}

/// Of 50 uses of one code one goes on; the rest of the flow is one flow.
#[test]
fn a_code_is_good_for_one_use_however_many_race() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        send_code(app, &flow).await.ok(202);
        let code = app.code_to(TARO).await;
        let answers = join_all((0..50).map(|_| prove(app, &flow, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        Answer::all(&answers, &[200, 410, 422, 429]);
    });
}

/// security.md 31: the code of one flow is nothing to another, of the same person or of somebody else.
#[test]
fn a_code_counts_in_its_own_flow_only() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        let second = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let hanas = unproved(app, "hana@example.jp").await;
        send_code(app, &flow).await.ok(202);
        let code = app.code_to(TARO).await;
        prove(app, &second, &code).await.refused(422, "invalid_code");
        prove(app, &hanas, &code).await.refused(422, "invalid_code");
        prove(app, &flow, &code).await.ok(200);
    });
}

#[test]
fn a_code_goes_to_an_identifier_of_the_account_by_its_own_way() {
    test(async |app| {
        let flow = unproved(app, TARO).await;
        let hanas = unproved(app, "hana@example.jp").await;
        let body = |id: &Value, channel: &str| json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": id, "channel": channel });
        let path = "/v1/sign-ins/identifier-codes";
        let (own, other) = (&flow["identifiers"][0]["id"], &hanas["identifiers"][0]["id"]);
        app.post(path, &body(other, "email")).await.faults(&["/identifier_id unknown_id"]);
        app.post(path, &body(&json!("taro"), "email")).await.faults(&["/identifier_id invalid_format"]);
        app.post(path, &body(own, "sms")).await.faults(&["/channel not_supported"]);
        app.post(path, &body(own, "email")).await.ok(202);
        app.message_to(TARO).await;
    });
}
