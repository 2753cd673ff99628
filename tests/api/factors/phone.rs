//! A phone as second factor: codes by SMS and by call.

use futures_util::future::join;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;
use crate::support::test_with;

const TARO: &str = "taro@example.jp";
const PHONE: &str = "+819012345678";
const OTHER: &str = "+819087654321";

/// Somebody whose only factor is a phone: the factor and the tokens.
async fn with_phone(app: &TestApp, email: &str, number: &str) -> (Value, Value) {
    let flow = app.sign_up(email).await;
    let enrolment = begin(app, &flow, json!({ "phone": number })).await.ok(201)["enrolment"].take();
    let factor = enrolment["factor_id"].clone();
    let tokens = confirm(app, &flow, &factor, &app.code_to(number).await).await.ok(201);
    app.message_to(email).await;
    app.advance(30);
    (factor, tokens)
}

async fn begin(app: &TestApp, flow: &Value, mut body: Value) -> Answer {
    body["sign_in_token"] = flow["sign_in_token"].clone();
    body["kind"] = json!("phone");
    app.post("/v1/sign-ins/enrolments", &body).await
}

async fn confirm(app: &TestApp, flow: &Value, factor: &Value, code: &str) -> Answer {
    app.confirm_enrolment(flow, factor.as_str().unwrap(), code).await
}

async fn ask(app: &TestApp, flow: &Value, factor: &Value, channel: &str) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": channel });
    app.post("/v1/sign-ins/codes", &body).await
}

async fn sign_in(app: &TestApp) -> Value {
    app.start_sign_in(TARO, PASSWORD).await.ok(200)
}

fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

/// security.md 5: a number is a factor once a code came back from it, and not before.
#[test]
fn a_phone_is_enrolled_by_the_code_that_was_sent_to_it() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        assert_eq!(flow["enrollable"], json!(["totp", "phone", "passkey"]));
        let started = begin(app, &flow, json!({ "phone": "090-1234-5678", "country": "JP" })).await.ok(201);
        let enrolment = &started["enrolment"];
        assert_eq!((&enrolment["kind"], &enrolment["phone"]["channel"]), (&json!("phone"), &json!("sms")));
        assert_eq!(enrolment["phone"]["destination_hint"], "•••5678");
        assert!(enrolment.get("totp").is_none(), "{enrolment}");
        let (factor, code) = (&enrolment["factor_id"], app.code_to(PHONE).await);
        let wrong = confirm(app, &flow, factor, other_than(&code)).await.refused(422, "invalid_code");
        assert_eq!(wrong["attempts_left"], 4);
        assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 0);
        let again = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(again["next"], "verify_identifier", "a number that was not proved is no factor");
        let tokens = confirm(app, &flow, factor, &code).await.ok(201);
        assert_eq!(claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["pwd", "sms", "mfa"]));
        assert_eq!(tokens["recovery_codes"].as_array().unwrap().len(), 10);
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Phone"));
        confirm(app, &flow, factor, &code).await.refused(410, "sign_in_expired");
    });
}

#[test]
fn a_code_signs_in_by_sms_or_by_call() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        for (channel, amr) in [("sms", "sms"), ("voice", "tel")] {
            let flow = sign_in(app).await;
            let shown = &flow["factors"][0];
            assert_eq!((&shown["id"], &shown["kind"], &shown["hint"]), (&factor, &json!("phone"), &json!("•••5678")));
            assert_eq!((&shown["channels"], &shown["label"]), (&json!(["sms", "voice"]), &json!("Phone")));
            let sent = ask(app, &flow, &factor, channel).await.ok(202);
            assert_eq!(sent["sign_in_token"], flow["sign_in_token"]);
            let delivery = &sent["delivery"];
            assert_eq!((&delivery["channel"], &delivery["destination_hint"]), (&json!(channel), &json!("•••5678")));
            let message = app.message_to(PHONE).await;
            assert_eq!(message["channel"], channel);
            let tokens = app.second_factor(&flow, message["code"].as_str().unwrap()).await.ok(201);
            assert_eq!(claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["pwd", amr, "mfa"]));
        }
    });
}

/// security.md 31: a code is bound to its flow and its factor, and void after a resend.
#[test]
fn a_code_counts_in_its_own_flow_only() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let (hanas, _) = with_phone(app, "hana@example.jp", OTHER).await;
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let first = app.code_to(PHONE).await;
        let other = sign_in(app).await;
        app.second_factor(&other, &first).await.refused(422, "invalid_code");
        let hanas_flow = app.start_sign_in("hana@example.jp", PASSWORD).await.ok(200);
        app.second_factor(&hanas_flow, &first).await.refused(422, "invalid_code");
        ask(app, &flow, &hanas, "sms").await.faults(&["/factor_id unknown_id"]);
        ask(app, &flow, &factor, "voice").await.refused(429, "rate_limited");
        app.advance(30);
        ask(app, &flow, &factor, "voice").await.ok(202);
        let second = app.code_to(PHONE).await;
        if first != second {
            let wrong = app.second_factor(&flow, &first).await.refused(422, "invalid_code");
            assert_eq!(wrong["attempts_left"], 4, "a new code comes with new tries");
        }
        app.second_factor(&flow, &second).await.ok(201);
        app.second_factor(&flow, &second).await.refused(410, "sign_in_expired");
    });
}

/// security.md 33
#[test]
fn a_code_is_good_for_ten_minutes() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let code = app.code_to(PHONE).await;
        app.advance(601);
        app.second_factor(&flow, &code).await.refused(410, "sign_in_expired");
        let flow = sign_in(app).await;
        app.advance(300);
        ask(app, &flow, &factor, "sms").await.ok(202);
        app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
    });
}

#[test]
fn five_wrong_codes_end_the_tries_of_a_code() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let code = app.code_to(PHONE).await;
        for left in (0..5).rev() {
            let wrong = app.second_factor(&flow, other_than(&code)).await.refused(422, "invalid_code");
            assert_eq!(wrong["attempts_left"], left);
        }
        app.second_factor(&flow, &code).await.refused(429, "too_many_attempts");
        app.advance(30);
        ask(app, &flow, &factor, "sms").await.ok(202);
        app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
    });
}

/// security.md 27: a code opens one session, however many try it at once.
#[test]
fn a_code_is_good_for_one_use_however_many_race() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let code = app.code_to(PHONE).await;
        let before = app.count("SELECT count(*) FROM sessions").await;
        let answers = join_all((0..5).map(|_| app.second_factor(&flow, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, before + 1);
    });
}

#[test]
fn of_many_who_ask_for_a_code_at_once_one_gets_it() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        let answers = join_all((0..20).map(|_| ask(app, &flow, &factor, "sms"))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
        app.message_to(PHONE).await;
    });
}

#[test]
fn a_code_goes_to_phones_alone_and_by_the_ways_that_lead_there() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let flow = taro.start_sign_in().await;
        let totp = json!(taro.factor);
        ask(app, &flow, &totp, "sms").await.faults(&["/factor_id unknown_id"]);
        ask(app, &flow, &flow["factors"][1]["id"], "sms").await.faults(&["/factor_id unknown_id"]);
        ask(app, &flow, &json!("01932c5e-7a10-7000-8000-000000000001"), "sms").await.faults(&["/factor_id unknown_id"]);
        ask(app, &flow, &totp, "fax").await.faults(&["/channel unknown_value"]);
        let (hanas, _) = with_phone(app, "hana@example.jp", PHONE).await;
        let flow = app.start_sign_in("hana@example.jp", PASSWORD).await.ok(200);
        ask(app, &flow, &hanas, "email").await.faults(&["/channel not_supported"]);
        app.second_factor(&flow, "123456").await.refused(422, "invalid_code");
        let nothing = json!({ "sign_in_token": "sit_x", "factor_id": hanas, "channel": "sms" });
        app.post("/v1/sign-ins/codes", &nothing).await.refused(410, "sign_in_expired");
    });
}

#[test]
fn what_an_enrolment_of_a_phone_may_say() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        for (body, fault) in [
            (json!({}), "/phone required"),
            (json!({ "phone": "taro@example.jp" }), "/phone invalid_phone"),
            (json!({ "phone": "+8190" }), "/phone invalid_phone"),
            (json!({ "phone": "090-1234-5678" }), "/phone country_code_required"),
            (json!({ "phone": "+81312345678" }), "/phone phone_not_supported"),
            (json!({ "phone": PHONE, "country": "Japan" }), "/country unknown_value"),
            (json!({ "phone": PHONE, "channel": "email" }), "/channel not_supported"),
            (json!({ "phone": PHONE, "label": " " }), "/label required"),
        ] {
            begin(app, &flow, body).await.faults(&[fault]);
        }
        let app_with_phone = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp", "phone": PHONE });
        app.post("/v1/sign-ins/enrolments", &app_with_phone).await.faults(&["/phone not_supported"]);
        assert_eq!(app.count("SELECT count(*) FROM factors").await, 0);
    });
}

/// One flow keeps one pace, whatever it enrols: nobody makes it write to many numbers.
#[test]
fn an_enrolment_is_sent_again_after_thirty_seconds_and_by_call_when_asked() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let started = begin(app, &flow, json!({ "phone": PHONE })).await.ok(201);
        let factor = &started["enrolment"]["factor_id"];
        let old = app.code_to(PHONE).await;
        begin(app, &flow, json!({ "phone": OTHER })).await.refused(429, "rate_limited");
        let resend = async |channel: &str| {
            let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": channel });
            app.post("/v1/sign-ins/enrolments/resend", &body).await
        };
        resend("voice").await.refused(429, "rate_limited");
        app.advance(30);
        assert_eq!(resend("voice").await.ok(202)["delivery"]["channel"], "voice");
        let new = app.code_to(PHONE).await;
        if new != old {
            confirm(app, &flow, factor, &old).await.refused(422, "invalid_code");
        }
        let tokens = confirm(app, &flow, factor, &new).await.ok(201);
        assert_eq!(claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["pwd", "tel", "mfa"]));
        app.message_to(TARO).await;
    });
}

/// An enrolment that a thief of the password keeps open dies when the owner enrols.
#[test]
fn an_open_enrolment_dies_when_the_owner_enrols() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let started = begin(app, &flow, json!({ "phone": OTHER })).await.ok(201);
        let code = app.code_to(OTHER).await;
        app.advance(30);
        let again = sign_in(app).await;
        let body = json!({ "sign_in_token": again["sign_in_token"], "identifier_id": again["identifiers"][0]["id"] });
        app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
        let proof = json!({ "sign_in_token": again["sign_in_token"], "code": app.code_to(TARO).await });
        let owners = app.post("/v1/sign-ins/identifier", &proof).await.ok(200);
        let factor = app.start_enrolment(&owners).await;
        app.confirm_enrolment(&owners, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to(TARO).await;
        confirm(app, &flow, &started["enrolment"]["factor_id"], &code).await.refused(409, "wrong_step");
    });
}

/// security.md 32: a new flow and a new code bring new tries, and yet wrong codes add up to one limit of the account.
#[test]
fn wrong_codes_add_up_over_flows_and_codes() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let sent = async || {
            app.advance(1200);
            let flow = sign_in(app).await;
            ask(app, &flow, &factor, "sms").await.ok(202);
            (flow, app.code_to(PHONE).await)
        };
        for _ in 0..20 {
            let (flow, code) = sent().await;
            for _ in 0..5 {
                app.second_factor(&flow, other_than(&code)).await.refused(422, "invalid_code");
            }
        }
        let (flow, code) = sent().await;
        app.second_factor(&flow, &code).await.refused(429, "too_many_attempts");
        app.ignore_messages().await;
    });
}

/// security.md 69: what a stolen session asks for leaves the owner the codes that a sign-in needs, and those of other sessions.
#[test]
fn codes_of_one_session_use_up_nothing_that_the_owner_needs() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let (_, tokens) = with_phone(app, TARO, PHONE).await;
        let ask_in = async |tokens: &Value| {
            let access = tokens["access_token"].as_str().unwrap();
            let body = json!({ "channel": "sms" });
            app.with_token(access, Method::POST, "/v1/reauthentications/codes", Some(&body)).await
        };
        for _ in 0..5 {
            ask_in(&tokens).await.ok(202);
            app.code_to(PHONE).await;
            app.advance(30);
        }
        ask_in(&tokens).await.refused(429, "message_limit_reached");
        let flow = sign_in(app).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        let other = app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
        ask_in(&other).await.ok(202);
        app.code_to(PHONE).await;
    });
}

/// A code for a re-authentication is bound to its session and its token, and voids the one before.
#[test]
fn a_phone_proves_again_who_somebody_is() {
    test(async |app| {
        let (factor, tokens) = with_phone(app, TARO, PHONE).await;
        let access = tokens["access_token"].as_str().unwrap();
        let post = async |token: &str, path: &str, body: &Value| {
            app.with_token(token, reqwest::Method::POST, path, Some(body)).await
        };
        let codes = json!({ "factor_id": factor, "channel": "sms" });
        let old = post(access, "/v1/reauthentications/codes", &codes).await.ok(202);
        assert_eq!(old["delivery"]["destination_hint"], "•••5678");
        let old_code = app.code_to(PHONE).await;
        post(access, "/v1/reauthentications/codes", &codes).await.refused(429, "rate_limited");
        app.advance(30);
        let new = post(access, "/v1/reauthentications/codes", &codes).await.ok(202);
        let code = app.code_to(PHONE).await;
        let body = |token: &Value, code: &str| json!({ "method": "code", "password": PASSWORD, "code": code, "reauthentication_token": token });
        let (old_token, token) = (&old["reauthentication_token"], &new["reauthentication_token"]);
        let path = "/v1/reauthentications";
        for (token, code) in [(old_token, &old_code), (old_token, &code), (&json!("rat_x"), &code)] {
            post(access, path, &body(token, code)).await.refused(410, "reauthentication_expired");
        }
        let mut without = body(token, &code);
        without.as_object_mut().unwrap().remove("reauthentication_token");
        post(access, path, &without).await.faults(&["/reauthentication_token required"]);
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let elsewhere = app.second_factor(&flow, &app.code_to(PHONE).await).await.ok(201);
        let other = elsewhere["access_token"].as_str().unwrap();
        post(other, path, &body(token, &code)).await.refused(410, "reauthentication_expired");
        post(access, path, &body(token, other_than(&code))).await.refused(422, "invalid_code");
        let fresh = post(access, path, &body(token, &code)).await.ok(200);
        assert_eq!(claims(fresh["access_token"].as_str().unwrap())["amr"], json!(["pwd", "sms", "mfa"]));
        post(access, path, &body(token, &code)).await.refused(410, "reauthentication_expired");
    });
}

/// Between the look at a code and its use the phone can go: then the code opens nothing.
#[test]
fn a_phone_that_goes_while_its_code_is_looked_at_opens_nothing() {
    test(async |app| {
        let (factor, _) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        ask(app, &flow, &factor, "sms").await.ok(202);
        let code = app.code_to(PHONE).await;
        let mut removal = app.app.db.begin().await.unwrap();
        sqlx::query("DELETE FROM factors WHERE id = $1")
            .bind(factor.as_str().unwrap().parse::<uuid::Uuid>().unwrap())
            .execute(&mut *removal)
            .await
            .unwrap();
        let before = app.count("SELECT count(*) FROM sessions").await;
        let removed = async {
            app.poll("a use that waits", async || {
                let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
                (app.count(waiting).await == 1).then_some(())
            })
            .await;
            removal.commit().await.unwrap();
        };
        let (answer, ()) = join(app.second_factor(&flow, &code), removed).await;
        answer.refused(422, "invalid_code");
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, before);
    });
}

/// api.md §0: wrong codes end the tries until another code is sent; a token that was used is 410; the one phone that there is
/// need not be named.
#[test]
fn another_code_brings_other_tries_at_a_reauthentication() {
    test(async |app| {
        let (_, tokens) = with_phone(app, TARO, PHONE).await;
        let access = tokens["access_token"].as_str().unwrap();
        let post = async |path: &str, body: Value| app.with_token(access, Method::POST, path, Some(&body)).await;
        let ask = async || {
            let sent = post("/v1/reauthentications/codes", json!({ "channel": "sms" })).await.ok(202);
            (sent["reauthentication_token"].clone(), app.code_to(PHONE).await)
        };
        let again = async |token: &Value, code: &str| {
            let body = json!({ "method": "code", "password": PASSWORD, "code": code, "reauthentication_token": token });
            post("/v1/reauthentications", body).await
        };
        let (token, code) = ask().await;
        for left in (0..5).rev() {
            let wrong = again(&token, other_than(&code)).await.refused(422, "invalid_code");
            assert_eq!(wrong["attempts_left"], left);
        }
        again(&token, &code).await.refused(429, "too_many_attempts");
        app.advance(30);
        let (token, code) = ask().await;
        again(&token, &code).await.ok(200);
        again(&token, &code).await.refused(410, "reauthentication_expired");
    });
}

/// The one phone of a flow need not be named; of two, one must be.
#[test]
fn a_phone_is_named_where_there_are_several() {
    test(async |app| {
        let (_, tokens) = with_phone(app, TARO, PHONE).await;
        let flow = sign_in(app).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        app.code_to(PHONE).await;
        let access = tokens["access_token"].as_str().unwrap();
        let add = json!({ "kind": "phone", "phone": OTHER });
        let added = app.with_token(access, Method::POST, "/v1/account/factors", Some(&add)).await.ok(201);
        let confirm = json!({ "method": "code", "code": app.code_to(OTHER).await });
        let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
        app.with_token(access, Method::POST, &path, Some(&confirm)).await.ok(200);
        app.message_to(TARO).await;
        app.message_to(PHONE).await;
        let flow = sign_in(app).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.faults(&["/factor_id required"]);
        let body = json!({ "sign_in_token": flow["sign_in_token"] });
        app.post("/v1/sign-ins/passkey-options", &body).await.faults(&["/factor_id unknown_id"]);
    });
}
