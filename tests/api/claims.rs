//! `src/claims`: a number that a carrier has given to somebody else.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::janitor;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const PHONE: &str = "+819012345678";
const TARO: &str = "taro@example.jp";
const DAYS_30: u64 = 30 * 24 * 3600;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn claim(app: &TestApp, number: &str) -> String {
    let started = app.post("/v1/identifier-claims", &json!({ "identifier": number })).await.ok(202);
    assert_eq!((&started["delivery"]["channel"], &started["delivery"]["expires_in"]), (&json!("sms"), &json!(600)));
    text(&started["claim_token"]).to_owned()
}

async fn confirm(app: &TestApp, token: &str, code: &str) -> Answer {
    app.post("/v1/identifier-claims/confirm", &json!({ "claim_token": token, "code": code })).await
}

/// A claim whose code came back; answers what it said.
async fn claimed(app: &TestApp) -> Value {
    let token = claim(app, PHONE).await;
    let code = app.code_to(PHONE).await;
    confirm(app, &token, &code).await.ok(200)
}

/// Someone with a mail address, and the number as a second identifier.
async fn with_number<'a>(app: &'a TestApp, email: &str) -> Person<'a> {
    let person = app.person(email).await;
    let begun = person.post("/v1/account/identifiers", &json!({ "identifier": PHONE })).await.ok(201);
    let path = format!("/v1/account/identifiers/{}/verify", text(&begun["identifier"]["id"]));
    person.post(&path, &json!({ "code": app.code_to(PHONE).await })).await.ok(200);
    app.ignore_messages().await;
    person
}

/// The phone of the number as a factor.
async fn add_factor(app: &TestApp, person: &Person<'_>) {
    app.advance(30);
    let begun = person.post("/v1/account/factors", &json!({ "kind": "phone", "phone": PHONE })).await.ok(201);
    let path = format!("/v1/account/factors/{}/confirm", text(&begun["factor_id"]));
    person.post(&path, &json!({ "method": "code", "code": app.code_to(PHONE).await })).await.ok(200);
    app.ignore_messages().await;
}

async fn carry_out(app: &TestApp) -> u64 {
    janitor::carry_out(&app.app).await.unwrap()
}

const IDENTIFIERS: &str = "SELECT count(*) FROM identifiers";

#[test]
fn a_number_that_nobody_has_is_free() {
    test(async |app| {
        assert_eq!(claimed(app).await, json!({ "state": "free" }));
        assert_eq!(app.count("SELECT count(*) FROM pending_changes").await, 0);
    });
}

/// The walk of a new holder: thirty days, told to the old account where it can still be reached, then a sign-up.
#[test]
fn a_claimed_number_is_released_after_thirty_days() {
    test(async |app| {
        let mut taro = with_number(app, TARO).await;
        add_factor(app, &taro).await;
        let answer = claimed(app).await;
        assert_eq!(answer["state"], "waiting");
        let notice = app.message_to(TARO).await;
        assert!(text(&notice["text"]).contains("•••5678") && text(&notice["code"]).starts_with("cct_"), "{notice}");
        let change = taro.get("/v1/account").await.ok(200)["pending_changes"][0].clone();
        assert_eq!((&change["kind"], &change["effective_at"]), (&json!("identifier_claim"), &answer["effective_at"]));
        app.advance(3600);
        assert_eq!(claimed(app).await, answer, "claiming again changes nothing");
        app.start_sign_in(PHONE, PASSWORD).await.ok(200);
        app.advance(DAYS_30 - 3600 - 60);
        assert_eq!(carry_out(app).await, 0);
        app.advance(60);
        assert_eq!(carry_out(app).await, 1);
        let both = [app.message_to(TARO).await, app.message_to(TARO).await];
        assert!(both.iter().all(|notice| notice.get("code").is_none()), "the number and the factor: {both:?}");
        assert!(text(&app.message_to(PHONE).await["text"]).contains("sign up"));
        app.start_sign_in(PHONE, PASSWORD).await.refused(401, "invalid_credentials");
        taro.tokens = taro.sign_in().await;
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!(account["second_factor_kinds"], json!(["totp", "recovery_code"]), "the phone is gone");
        assert_eq!(account["identifiers"].as_array().map(Vec::len), Some(1));
        assert_eq!(app.sign_up(PHONE).await["next"], "enrol_second_factor");
        assert_eq!(carry_out(app).await, 0);
    });
}

/// An objection stops the claim and nothing else; the next one waits for ninety days.
#[test]
fn an_owner_objects() {
    test(async |app| {
        let mut taro = with_number(app, TARO).await;
        claimed(app).await;
        let token = text(&app.message_to(TARO).await["code"]).to_owned();
        let cancel = json!({ "cancel_token": token });
        app.post("/v1/account/changes/cancel", &cancel).await.ok(204);
        app.post("/v1/account/changes/cancel", &cancel).await.refused(410, "cancel_token_invalid");
        for address in [TARO, PHONE] {
            assert!(app.message_to(address).await.get("code").is_none());
        }
        assert_eq!(taro.get("/v1/account").await.ok(200)["pending_changes"], json!([]), "the session lives");
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let again = claim(app, PHONE).await;
        confirm(app, &again, &app.code_to(PHONE).await).await.refused(409, "conflict");
        app.advance(DAYS_30);
        assert_eq!(carry_out(app).await, 0);
        app.start_sign_in(PHONE, PASSWORD).await.ok(200);
        app.advance(2 * DAYS_30);
        assert_eq!(claimed(app).await["state"], "waiting");
        app.message_to(TARO).await;
        taro.tokens = taro.sign_in().await;
    });
}

/// An objection at the last moment and the janitor: one of them wins.
#[test]
fn an_objection_and_the_janitor_that_race_do_not_both_win() {
    test(async |app| {
        let _taro = with_number(app, TARO).await;
        claimed(app).await;
        let token = text(&app.message_to(TARO).await["code"]).to_owned();
        app.advance(DAYS_30);
        let cancel = json!({ "cancel_token": token });
        let (objected, ended) = tokio::join!(app.post("/v1/account/changes/cancel", &cancel), carry_out(app));
        assert_eq!((objected.status, ended), (410, 1));
        assert_eq!(app.count(IDENTIFIERS).await, 1);
        app.ignore_messages().await;
    });
}

/// Who has nothing but the number cannot be told elsewhere: it stays theirs while they use their account.
#[test]
fn the_only_identifier_of_an_account_in_use_stays() {
    test(async |app| {
        let flow = app.sign_up(PHONE).await;
        let factor = app.start_enrolment(&flow).await;
        let tokens = app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        app.ignore_messages().await;
        claimed(app).await;
        app.advance(7 * 24 * 3600);
        app.refresh(text(&tokens["refresh_token"])).await.ok(200);
        app.advance(23 * 24 * 3600);
        assert_eq!(carry_out(app).await, 1);
        assert!(text(&app.message_to(PHONE).await["text"]).contains("stopped"));
        app.start_sign_in(PHONE, PASSWORD).await.ok(200);
    });
}

/// An account that nobody uses any more lets even its only identifier go, and goes on existing.
#[test]
fn the_only_identifier_of_an_abandoned_account_is_released() {
    test(async |app| {
        let flow = app.sign_up(PHONE).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": PHONE });
        app.advance(30);
        let begun = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
        let factor = text(&begun["enrolment"]["factor_id"]);
        app.confirm_enrolment(&flow, factor, &app.code_to(PHONE).await).await.ok(201);
        app.ignore_messages().await;
        app.advance(60);
        claimed(app).await;
        app.advance(DAYS_30);
        assert_eq!(carry_out(app).await, 1);
        assert!(text(&app.message_to(PHONE).await["text"]).contains("sign up"));
        assert_eq!(app.count(IDENTIFIERS).await, 0);
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM factors").await, 1, "never below one factor");
        assert_eq!(app.sign_up(PHONE).await["next"], "enrol_second_factor");
    });
}

/// security.md 31 and 33: a code is good for its claim, ten minutes, five tries and one use.
#[test]
fn a_code_counts_for_its_claim_once() {
    test(async |app| {
        let (first, other) = (claim(app, PHONE).await, claim(app, "+819087654321").await);
        let (code, others) = (app.code_to(PHONE).await, app.code_to("+819087654321").await);
        if code != others {
            assert_eq!(confirm(app, &first, &others).await.refused(422, "invalid_code")["attempts_left"], 4);
        }
        let answers = join_all((0..20).map(|_| confirm(app, &first, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        Answer::all(&answers, &[200, 410, 429]);
        for token in [first.as_str(), "icl_", "", "x", &first[..first.len() - 1]] {
            confirm(app, token, &code).await.refused(410, "claim_token_invalid");
        }
        for left in (0..5).rev() {
            let wrong = confirm(app, &other, "no code").await;
            if wrong.status == 422 {
                assert_eq!(wrong.refused(422, "invalid_code")["attempts_left"], left);
            }
        }
        confirm(app, &other, &others).await.refused(429, "too_many_attempts");
        let late = claim(app, PHONE).await;
        let code = app.code_to(PHONE).await;
        app.advance(600);
        confirm(app, &late, &code).await.refused(410, "claim_token_invalid");
    });
}

#[test]
fn a_mail_address_cannot_be_claimed() {
    test(async |app| {
        for (identifier, fault) in [
            (TARO, "/identifier invalid_phone"),
            ("090-1234-5678", "/identifier country_code_required"),
            ("+81312345678", "/identifier phone_not_supported"),
        ] {
            app.post("/v1/identifier-claims", &json!({ "identifier": identifier })).await.faults(&[fault]);
        }
        let body = json!({ "identifier": PHONE, "channel": "email" });
        app.post("/v1/identifier-claims", &body).await.faults(&["/channel not_supported"]);
    });
}

/// security.md 1 and 20: asking does not tell whether a number has an account; the same is written for either.
#[test]
fn asking_is_answered_alike() {
    test(async |app| {
        let _taro = with_number(app, TARO).await;
        let mut shapes = Vec::new();
        for number in [PHONE, "+819087654321"] {
            let before = app.count("SELECT count(*) FROM outbox").await;
            let answer = app.post("/v1/identifier-claims", &json!({ "identifier": number })).await;
            assert_eq!(app.count("SELECT count(*) FROM outbox").await, before + 1);
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            let body = answer.ok(202);
            shapes.push((names, body["delivery"]["hints"].clone(), text(&body["claim_token"]).len()));
            app.code_to(number).await;
        }
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!(app.count("SELECT count(*) FROM pending_changes").await, 0);
    });
}

/// security.md 32: begun again and again, the guesses at one number add up.
#[test]
fn guesses_at_one_number_add_up() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let mut refused = 0;
        for _ in 0..21 {
            let token = claim(app, PHONE).await;
            app.message_to(PHONE).await;
            for _ in 0..5 {
                refused += u32::from(confirm(app, &token, "no code").await.status == 429);
            }
            // A block of numbers from which nothing comes back is closed for the day after twenty.
            app.advance(2 * 3600);
        }
        assert_eq!(refused, 5, "a hundred are judged");
    });
}

/// A stranger who guesses closes the number to their own network and to no other, from wherever they try their codes.
#[test]
fn guesses_of_a_stranger_close_no_claim_of_the_holder() {
    test_with(&[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")], async |app| {
        for round in 0..21 {
            let request = app.request(Method::POST, "/v1/identifier-claims").header("x-forwarded-for", "203.0.113.9");
            let started = app.send(request.json(&json!({ "identifier": PHONE }))).await.ok(202);
            app.message_to(PHONE).await;
            for _ in 0..5 {
                let tried = confirm(app, text(&started["claim_token"]), "no code").await;
                assert_eq!(tried.status, if round < 20 { 422 } else { 429 }, "{}", tried.body);
            }
            app.advance(2 * 3600);
        }
        assert_eq!(claimed(app).await, json!({ "state": "free" }));
    });
}

/// What its owner has removed meanwhile cannot be released again.
#[test]
fn an_owner_may_let_the_number_go_sooner() {
    test(async |app| {
        let mut taro = with_number(app, TARO).await;
        claimed(app).await;
        app.message_to(TARO).await;
        taro.tokens = taro.sign_in().await;
        let listed = taro.get("/v1/account/identifiers").await.ok(200);
        let path = format!("/v1/account/identifiers/{}", text(&listed["items"][0]["id"]));
        app.with_token(&taro.access(), Method::DELETE, &path, None).await.ok(202);
        app.advance(72 * 3600);
        assert_eq!(carry_out(app).await, 1);
        app.ignore_messages().await;
        app.sign_up(PHONE).await;
        app.advance(DAYS_30);
        assert_eq!(carry_out(app).await, 1);
        assert_eq!(app.count("SELECT count(*) FROM identifiers WHERE kind = 'phone'").await, 1, "the new holder's");
    });
}

/// A stranger who holds the number decides nothing about the other identifiers, nor about a merge.
#[test]
fn a_claim_that_waits_keeps_no_other_identifier_and_no_merge() {
    test(async |app| {
        let (taro, hana) = (with_number(app, TARO).await, app.person("hana@example.jp").await);
        assert_eq!(claimed(app).await["state"], "waiting");
        let identifiers = taro.get("/v1/account/identifiers").await.ok(200)["items"].clone();
        let id = |kind: &str| {
            let own = identifiers.as_array().unwrap().iter().find(|own| own["kind"] == kind).unwrap();
            format!("/v1/account/identifiers/{}", text(&own["id"]))
        };
        let body = json!({ "other_access_token": hana.access(), "dry_run": true });
        assert_eq!(taro.post("/v1/account/merges", &body).await.ok(200)["clashes"], json!([]));
        let body = json!({ "other_access_token": taro.access(), "dry_run": true });
        let away = hana.post("/v1/account/merges", &body).await.ok(200);
        assert_eq!(away["clashes"], json!(["change_waiting"]), "the claim would be gone with the account");
        let primary = format!("{}/primary", id("phone"));
        app.with_token(&taro.access(), Method::POST, &primary, None).await.ok(200);
        taro.delete(&id("email")).await.ok(202);
        taro.delete(&id("phone")).await.refused(409, "last_identifier");
        app.ignore_messages().await;
    });
}
