//! What the owner of an account is told at a phone that is a factor and nothing else.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::passwords::NEW;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const TARO: &str = "taro@example.jp";
const OTHER: &str = "taro@example.org";
const PHONE: &str = "+819012345678";
const SECOND: &str = "+819087654321";
const FACTORS: &str = "/v1/account/factors";
const IDENTIFIERS: &str = "/v1/account/identifiers";
const DAYS_3: u64 = 72 * 3600;

/// Adds a phone as a factor; answers its path.
async fn add_phone(app: &TestApp, person: &Person<'_>, number: &str) -> String {
    let begun = person.post(FACTORS, &json!({ "kind": "phone", "phone": number })).await.ok(201);
    let path = format!("{FACTORS}/{}", begun["factor_id"].as_str().unwrap());
    let body = json!({ "method": "code", "code": app.code_to(number).await });
    person.post(&format!("{path}/confirm"), &body).await.ok(200);
    app.advance(30);
    path
}

/// Someone with an app and a phone as factors.
async fn with_phone(app: &TestApp) -> Person<'_> {
    let taro = app.person(TARO).await;
    add_phone(app, &taro, PHONE).await;
    app.ignore_messages().await;
    taro
}

/// Adds an identifier; answers its path.
async fn add_identifier(app: &TestApp, person: &Person<'_>, identifier: &str) -> String {
    let begun = person.post(IDENTIFIERS, &json!({ "identifier": identifier })).await.ok(201);
    let path = format!("{IDENTIFIERS}/{}", begun["identifier"]["id"].as_str().unwrap());
    person.post(&format!("{path}/verify"), &json!({ "code": app.code_to(identifier).await })).await.ok(200);
    app.ignore_messages().await;
    path
}

/// Each of these was told this.
async fn told(app: &TestApp, addresses: &[&str], words: &str) {
    for address in addresses {
        let notice = app.message_to(address).await;
        let text = notice["text"].as_str().unwrap();
        assert!(text.contains(words) && notice.get("code").is_none(), "{notice:#}");
    }
}

/// security.md 26: who has the mailbox of an owner cannot keep from them what becomes of their account.
#[test]
fn a_new_password_is_told_at_a_phone_that_is_a_factor() {
    test(async |app| {
        let taro = with_phone(app).await;
        let body = json!({ "current_password": PASSWORD, "new_password": NEW });
        taro.post("/v1/account/password", &body).await.ok(204);
        told(app, &[TARO, PHONE], "password was changed").await;
        let (_, asked, code) = app.reset_message(TARO).await;
        app.reset_by_code(&asked, &code, PASSWORD).await.ok(204);
        let notice = app.message_to(PHONE).await;
        assert!(notice["text"].as_str().unwrap().contains("was reset"), "{notice:#}");
        app.message_to(TARO).await;
    });
}

/// security.md 26: also at the phone that leaves; not at the one that has just given its code.
#[test]
fn a_change_of_factors_is_told_at_every_phone_that_is_one() {
    test(async |app| {
        let taro = with_phone(app).await;
        let second = add_phone(app, &taro, SECOND).await;
        told(app, &[TARO, PHONE], "was added").await;
        taro.delete(&second).await.ok(204);
        told(app, &[TARO, PHONE, SECOND], "was removed").await;
        let answer = app.with_token(&taro.access(), Method::POST, "/v1/account/recovery-codes", None).await;
        assert!(answer.status < 300, "{:#}", answer.body);
        app.message_to(TARO).await;
        app.message_to(PHONE).await;
    });
}

/// security.md 26: at its beginning, at its end, and when it is stopped.
#[test]
fn the_removal_of_an_identifier_is_told_at_a_phone_that_is_a_factor() {
    test(async |app| {
        let mut taro = with_phone(app).await;
        let first = taro.get(IDENTIFIERS).await.ok(200)["items"][0]["id"].clone();
        let other = add_identifier(app, &taro, OTHER).await;
        taro.delete(&other).await.ok(202);
        told(app, &[PHONE], "will leave").await;
        app.advance(DAYS_3);
        sekisho::janitor::carry_out(&app.app).await.unwrap();
        told(app, &[PHONE], "has left").await;
        app.ignore_messages().await;

        let flow = taro.start_sign_in().await;
        taro.tokens = app.recovery_code(&flow, &taro.recovery_codes[0]).await.ok(201);
        app.ignore_messages().await;
        add_identifier(app, &taro, OTHER).await;
        taro.delete(&format!("{IDENTIFIERS}/{}", first.as_str().unwrap())).await.ok(202);
        app.message_to(PHONE).await;
        let token: Value = app.message_to(TARO).await["code"].clone();
        app.post("/v1/account/changes/cancel", &json!({ "cancel_token": token })).await.ok(204);
        told(app, &[PHONE], "was stopped").await;
        app.ignore_messages().await;
    });
}

/// A number that is an identifier as well is told once.
#[test]
fn a_number_that_is_both_is_told_once() {
    test(async |app| {
        let taro = with_phone(app).await;
        add_identifier(app, &taro, PHONE).await;
        let second = add_phone(app, &taro, SECOND).await;
        told(app, &[TARO, PHONE], "was added").await;
        taro.delete(&second).await.ok(204);
        told(app, &[TARO, PHONE, SECOND], "was removed").await;
    });
}

/// Phones are told as long as the day's budget of notices lasts, mailboxes always.
#[test]
fn a_phone_is_left_out_when_the_budget_of_notices_is_spent() {
    test_with(&[("limits.enabled", "true"), ("phone.notices_per_day", "1")], async |app| {
        let taro = with_phone(app).await;
        app.ignore_messages().await;
        let body = json!({ "current_password": PASSWORD, "new_password": NEW });
        taro.post("/v1/account/password", &body).await.ok(204);
        app.message_to(TARO).await;
        app.message_to(PHONE).await;
        let body = json!({ "current_password": NEW, "new_password": PASSWORD });
        taro.post("/v1/account/password", &body).await.ok(204);
        app.message_to(TARO).await;
    });
}
