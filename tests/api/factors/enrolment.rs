//! The first factor, enrolled inside the flow.

use futures_util::future::join_all;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";

/// A second flow of the same account that may enrol too.
async fn proved_again(app: &TestApp) -> Value {
    let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
    let (token, id) = (&flow["sign_in_token"], &flow["identifiers"][0]["id"]);
    let body = json!({ "sign_in_token": token, "identifier_id": id });
    app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
    let body = json!({ "sign_in_token": token, "code": app.code_to(TARO).await });
    app.post("/v1/sign-ins/identifier", &body).await.ok(200)
}

#[test]
fn an_enrolment_shows_all_that_an_app_needs() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp", "label": " 私の携帯 " });
        let started = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
        assert_eq!(started["sign_in_token"], flow["sign_in_token"]);
        let enrolment = &started["enrolment"];
        assert_eq!((&enrolment["kind"], &enrolment["expires_in"]), (&json!("totp"), &json!(600)));
        let secret = enrolment["totp"]["secret"].as_str().unwrap();
        let uri = enrolment["totp"]["otpauth_uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/") && uri.contains(secret) && uri.contains("taro"), "{uri}");
        assert!(enrolment["totp"]["qr_svg"].as_str().unwrap().contains("<svg"));
        let code = crate::support::Authenticator::new(secret).code(app.next_step());
        let factor = enrolment["factor_id"].as_str().unwrap();
        app.confirm_enrolment(&flow, factor, &code).await.ok(201);
        let notice = app.message_to(TARO).await;
        assert!(notice["text"].as_str().unwrap().contains("私の携帯"), "{notice}");
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(flow["factors"][0]["label"], "私の携帯");
    });
}

#[test]
fn the_members_of_an_enrolment_are_judged() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let token = &flow["sign_in_token"];
        for (body, fault) in [
            (json!({ "sign_in_token": token, "kind": "sms" }), "/kind unknown_value"),
            (json!({ "sign_in_token": token }), "/kind required"),
            (json!({ "sign_in_token": token, "kind": "totp", "label": "　" }), "/label required"),
            (json!({ "sign_in_token": token, "kind": "totp", "label": "太".repeat(101) }), "/label too_long"),
        ] {
            app.post("/v1/sign-ins/enrolments", &body).await.faults(&[fault]);
        }
        let factor = app.start_enrolment(&flow).await;
        for (body, fault) in [
            (json!({ "sign_in_token": token, "factor_id": factor, "method": "code" }), "/code required"),
            (json!({ "sign_in_token": token, "factor_id": factor, "method": "passkey" }), "/credential required"),
            (json!({ "sign_in_token": token, "method": "code", "code": "123456" }), "/factor_id required"),
        ] {
            app.post("/v1/sign-ins/enrolments/confirm", &body).await.faults(&[fault]);
        }
    });
}

#[test]
fn after_five_wrong_codes_the_right_one_does_not_count() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let factor = app.start_enrolment(&flow).await;
        for left in [4, 3, 2, 1, 0] {
            let problem = app.confirm_enrolment(&flow, &factor, "not a code").await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        let code = app.totp(&factor).await;
        app.confirm_enrolment(&flow, &factor, &code).await.refused(429, "too_many_attempts");
        let again = proved_again(app).await;
        let factor = app.start_enrolment(&again).await;
        app.confirm_enrolment(&again, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to(TARO).await;
    });
}

/// An enrolment belongs to the flow that began it: of the same account, of another one.
#[test]
fn an_enrolment_of_another_flow_is_not_known() {
    test(async |app| {
        let taros = app.sign_up(TARO).await;
        let (factor, authenticator) = app.set_up_app(&taros).await;
        let second = proved_again(app).await;
        let hanas = app.sign_up("hana@example.jp").await;
        let code = authenticator.code(app.next_step());
        for flow in [&second, &hanas] {
            app.confirm_enrolment(flow, &factor, &code).await.faults(&["/factor_id unknown_id"]);
        }
        app.confirm_enrolment(&taros, &factor, &code).await.ok(201);
        app.message_to(TARO).await;
    });
}

/// Someone who lost the QR code half way sets up the app again; what is left over of the first try opens nothing.
#[test]
fn an_app_can_be_set_up_again_before_it_is_confirmed() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let (_, lost) = app.set_up_app(&flow).await;
        let (factor, authenticator) = app.set_up_app(&flow).await;
        let step = app.next_step();
        app.confirm_enrolment(&flow, &factor, &authenticator.code(step)).await.ok(201);
        app.message_to(TARO).await;
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let apps = flow["factors"].as_array().unwrap().iter().filter(|factor| factor["kind"] == "totp").count();
        assert_eq!(apps, 1);
        app.second_factor(&flow, &lost.code(step + 1)).await.refused(422, "invalid_code");
        app.second_factor(&flow, &authenticator.code(step + 1)).await.ok(201);
    });
}

/// A thief's open enrolment dies when the owner enrols: the flow asks for the owner's factor now.
#[test]
fn an_open_enrolment_dies_when_the_owner_enrols_elsewhere() {
    test(async |app| {
        let thiefs = app.sign_up(TARO).await;
        let (thiefs_factor, thiefs_app) = app.set_up_app(&thiefs).await;
        let owners = proved_again(app).await;
        let (factor, owners_app) = app.set_up_app(&owners).await;
        let step = app.next_step();
        app.confirm_enrolment(&owners, &factor, &owners_app.code(step)).await.ok(201);
        app.message_to(TARO).await;
        let code = thiefs_app.code(step);
        app.confirm_enrolment(&thiefs, &thiefs_factor, &code).await.refused(409, "wrong_step");
        let body = json!({ "sign_in_token": thiefs["sign_in_token"], "kind": "totp" });
        app.post("/v1/sign-ins/enrolments", &body).await.refused(409, "wrong_step");
        app.second_factor(&thiefs, &code).await.refused(422, "invalid_code");
        let body = json!({
            "sign_in_token": thiefs["sign_in_token"], "method": "code", "code": code, "factor_id": thiefs_factor,
        });
        app.post("/v1/sign-ins/second-factor", &body).await.faults(&["/factor_id unknown_id"]);
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
    });
}

/// Of 50 confirmations one opens a session, with one factor and one set of codes.
#[test]
fn an_enrolment_is_confirmed_once_however_many_race() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let (factor, authenticator) = app.set_up_app(&flow).await;
        let code = authenticator.code(app.next_step());
        let answers = join_all((0..50).map(|_| app.confirm_enrolment(&flow, &factor, &code))).await;
        let opened: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(opened.len(), 1);
        Answer::all(&answers, &[201, 409, 410, 422, 429]);
        app.message_to(TARO).await;
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM recovery_codes").await, 10);
        let again = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let code = opened[0].body["recovery_codes"][0].as_str().unwrap();
        app.recovery_code(&again, code).await.ok(201);
        app.message_to(TARO).await;
    });
}

/// Of many flows of one account that enrol at once one does.
#[test]
fn one_flow_of_an_account_enrols_however_many_race() {
    test(async |app| {
        let mut enrolments = Vec::new();
        let mut flow = app.sign_up(TARO).await;
        for _ in 0..10 {
            let (factor, authenticator) = app.set_up_app(&flow).await;
            enrolments.push((flow, factor, authenticator));
            flow = proved_again(app).await;
        }
        let step = app.next_step();
        let tries = enrolments.iter().flat_map(|enrolment| std::iter::repeat_n(enrolment, 5));
        let codes: Vec<_> = tries.map(|(flow, factor, app)| (flow, factor, app.code(step))).collect();
        let answers =
            join_all(codes.iter().map(|(flow, factor, code)| app.confirm_enrolment(flow, factor, code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        Answer::all(&answers, &[201, 409, 410, 422]);
        app.message_to(TARO).await;
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 1);
    });
}
