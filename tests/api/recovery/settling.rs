//! Who can end a recovery: what was in the account long enough before it began.

use serde_json::Value;
use serde_json::json;

use super::HOUR;
use super::WAIT;
use super::outliving::add_phone;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const OTHER: &str = "taro@example.org";
const PHONE: &str = "+819012345678";
const IDENTIFIERS: &str = "/v1/account/identifiers";

/// Somebody whose account was made an hour ago, with a session.
async fn settled(app: &TestApp) -> Person<'_> {
    let mut person = app.person(TARO).await;
    app.advance(HOUR);
    person.tokens = person.sign_in().await;
    person
}

/// Signs in with a code of a factor.
async fn sign_in_with(app: &TestApp, person: &Person<'_>, factor: &str, code: Option<&str>) {
    let flow = person.start_sign_in().await;
    let code = if let Some(code) = code {
        code.to_owned()
    } else {
        app.ignore_notices().await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        app.code_to(PHONE).await
    };
    let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": factor, "code": code });
    app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
}

/// security.md 40: whoever was in the account for a moment and left a factor there does not keep its owner from coming back.
#[test]
fn a_sign_in_with_a_factor_that_was_new_ends_no_recovery() {
    test(async |app| {
        let person = settled(app).await;
        let phone = add_phone(app, &person.access()).await;
        let codes = person.post("/v1/account/recovery-codes", &json!({})).await.ok(201)["recovery_codes"].clone();
        let token = app.recovery(TARO, &["email"]).await;
        sign_in_with(app, &person, &phone, None).await;
        let flow = person.start_sign_in().await;
        app.recovery_code(&flow, codes[0].as_str().unwrap()).await.ok(201);
        assert_eq!(app.recovery_state(&token).await, "waiting");
        // It grows no older than the recovery by waiting.
        app.advance(WAIT);
        sign_in_with(app, &person, &phone, None).await;
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        sign_in_with(app, &person, &person.factor, Some(&app.totp(&person.factor).await)).await;
        assert_eq!(app.recovery_state(&token).await, "cancelled", "the app came with the account");

        let later = app.recovery(TARO, &["email"]).await;
        sign_in_with(app, &person, &phone, None).await;
        assert_eq!(app.recovery_state(&later).await, "cancelled", "the phone is old enough for this one");
        app.ignore_notices().await;
    });
}

/// Adds a mailbox.
async fn add_mailbox(app: &TestApp, person: &Person<'_>) {
    let added = person.post(IDENTIFIERS, &json!({ "identifier": OTHER })).await.ok(201);
    let path = format!("{IDENTIFIERS}/{}/verify", added["identifier"]["id"].as_str().unwrap());
    person.post(&path, &json!({ "code": app.code_to(OTHER).await })).await.ok(200);
    app.ignore_messages().await;
}

/// security.md 40: an address or number that came shortly before is told in words, and does not end it later either.
#[test]
fn what_was_new_hears_of_a_recovery_and_cannot_end_it() {
    test(async |app| {
        let person = settled(app).await;
        add_mailbox(app, &person).await;
        add_phone(app, &person.access()).await;
        let token = app.recovery(TARO, &["second_factor"]).await;
        let stop = app.cancel_token_to(TARO).await;
        let has_token = |message: &Value| message["code"].is_string();
        for new in [OTHER, PHONE] {
            assert!(!has_token(&app.message_to(new).await), "{new}");
        }
        app.advance(WAIT);
        app.due_is_told().await;
        assert!(!has_token(&app.message_to(OTHER).await), "grown old while it waited");
        app.ignore_notices().await;

        // Nor by one of their own that they begin beside it when they have settled: its token ends that one.
        app.advance(24 * HOUR);
        let beside = app.recovery(TARO, &["password"]).await;
        let theirs = app.cancel_token_to(OTHER).await;
        assert_eq!(app.cancel_recovery(&theirs).await.status, 204);
        assert_eq!(app.recovery_state(&beside).await, "cancelled");
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        assert_eq!(app.cancel_recovery(&stop).await.status, 204);
        assert_eq!(app.recovery_state(&token).await, "cancelled");
        app.ignore_notices().await;
    });
}
