//! What a recovery outlives, and what its proofs do not.

use reqwest::Method;
use sekisho::janitor;
use sekisho::recovery;
use serde_json::json;

use super::HOUR;
use super::NOTICE;
use super::WAIT;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const TARO: &str = "taro@example.jp";
const OTHER: &str = "taro@example.org";
const PHONE: &str = "+819012345678";
const FACTORS: &str = "/v1/account/factors";
const IDENTIFIERS: &str = "/v1/account/identifiers";
const DAY: u64 = 24 * HOUR;

/// What counts of the only recovery.
async fn proofs(app: &TestApp) -> Vec<&'static str> {
    let listed = recovery::list(&app.app, None, 100).await.unwrap();
    let [one] = listed.as_slice() else { panic!("one recovery") };
    let mut proofs = one.proofs.clone();
    proofs.sort_unstable();
    proofs
}

/// Whoever stole a recovery code loses what they proved by it when the owner makes new ones.
#[test]
fn a_recovery_code_proves_nothing_once_the_codes_were_renewed() {
    test(async |app| {
        let person = app.person(TARO).await;
        let token = app.recovery(TARO, &["phone"]).await;
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        assert_eq!(proofs(app).await, ["factor", "recovery_code"]);
        let renewed = person.post("/v1/account/recovery-codes", &json!({})).await.ok(201);
        assert_eq!(proofs(app).await, ["factor"]);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        let code = renewed["recovery_codes"][0].as_str().unwrap();
        assert_eq!(app.prove(&token, "recovery_code", code).await.ok(200)["state"], "waiting");
        app.advance(NOTICE);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// Adds a phone to the factors; answers its id.
pub async fn add_phone(app: &TestApp, access: &str) -> String {
    let body = json!({ "kind": "phone", "phone": PHONE });
    let added = app.with_token(access, Method::POST, FACTORS, Some(&body)).await.ok(201);
    let id = added["factor_id"].as_str().unwrap();
    let body = json!({ "method": "code", "code": app.code_to(PHONE).await });
    app.with_token(access, Method::POST, &format!("{FACTORS}/{id}/confirm"), Some(&body)).await.ok(200);
    app.ignore_messages().await;
    id.to_owned()
}

#[test]
fn an_app_proves_nothing_once_it_was_removed() {
    test(async |app| {
        let person = app.person(TARO).await;
        add_phone(app, &person.access()).await;
        let token = app.recovery(TARO, &["email"]).await;
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        assert_eq!(proofs(app).await, ["factor", "recovery_code"]);
        person.delete(&format!("{FACTORS}/{}", person.factor)).await.ok(204);
        assert_eq!(proofs(app).await, ["recovery_code"]);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        assert_eq!(app.prove(&token, "password", PASSWORD).await.ok(200)["state"], "waiting");
        app.advance(NOTICE);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// Destinations that are the account's no more prove nothing: a phone at once, an identifier when it has left.
#[test]
fn a_destination_proves_nothing_once_it_was_removed() {
    test(async |app| {
        let mut person = app.person(TARO).await;
        let phone = add_phone(app, &person.access()).await;
        let other = person.post(IDENTIFIERS, &json!({ "identifier": OTHER })).await.ok(201);
        let other = format!("{IDENTIFIERS}/{}", other["identifier"]["id"].as_str().unwrap());
        let body = json!({ "code": app.code_to(OTHER).await });
        person.post(&format!("{other}/verify"), &body).await.ok(200);
        app.advance(72 * HOUR);
        let flow = person.start_sign_in().await;
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": person.factor,
            "code": app.totp(&person.factor).await,
        });
        person.tokens = app.post("/v1/sign-ins/second-factor", &body).await.ok(201);

        let token = app.recovery(TARO, &["password"]).await;
        app.ignore_notices().await;
        for (destination, counts) in [(OTHER, vec!["identifier"]), (PHONE, vec!["factor", "identifier"])] {
            app.advance(30);
            app.recovery_code_to(&token, destination).await.ok(202);
            app.prove(&token, "code", &app.code_to(destination).await).await.ok(200);
            assert_eq!(proofs(app).await, counts);
        }
        person.delete(&format!("{FACTORS}/{phone}")).await.ok(204);
        person.delete(&other).await.ok(202);
        assert_eq!(proofs(app).await, ["identifier"]);
        app.advance(WAIT);
        janitor::carry_out(&app.app).await.unwrap();
        assert!(proofs(app).await.is_empty());
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.ignore_notices().await;
    });
}

/// security.md 20: that there was an account is not told by its end either.
#[test]
fn a_recovery_goes_on_when_its_account_is_gone_like_one_of_nobody() {
    test(async |app| {
        let person = app.person(TARO).await;
        person.post("/v1/account/closure", &json!({})).await.ok(202);
        app.advance(DAY);
        let of_account = app.recovery(TARO, &["phone"]).await;
        let of_nobody = app.recovery("nobody@example.jp", &["phone"]).await;
        app.prove(&of_account, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.prove(&of_account, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.ignore_notices().await;
        app.advance(29 * DAY + 60);
        assert_eq!(app.recovery_state(&of_account).await, "open");
        assert_eq!(app.purge().await["closed_accounts"], 1);
        for token in [&of_account, &of_nobody] {
            assert_eq!(app.recovery_state(token).await, "awaiting_operator");
            for (kind, value) in [("password", PASSWORD), ("recovery_code", &person.recovery_codes[1]), ("factor", "1")]
            {
                app.prove(token, kind, value).await.refused(422, "invalid_code");
            }
            app.recovery_code_to(token, TARO).await.ok(202);
            app.complete_recovery(token, Some("tidal mango ledger vowel")).await.refused(409, "wrong_step");
        }
        assert!(recovery::list(&app.app, None, 100).await.unwrap().iter().all(|one| one.account.is_none()));
        app.ignore_notices().await;
    });
}

/// A code that a phone gave back speaks for its block of numbers, as in a sign-up.
#[test]
fn codes_that_come_back_from_phones_are_credited() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let back = async || {
            let back =
                "SELECT coalesce(sum(back), 0)::bigint FROM phone_spend WHERE scope = 'block' AND budget = 'unproved'";
            app.count(back).await
        };
        let contact = "+818011112222";
        let body = json!({ "identifier": "nobody@example.jp", "contact": contact, "lost": ["email"] });
        let started = app.post("/v1/recoveries", &body).await.ok(202);
        let code = app.code_to(contact).await;
        assert_eq!(back().await, 0);
        app.verify_contact(started["recovery_token"].as_str().unwrap(), &code).await.ok(200);
        assert_eq!(back().await, 1);

        let flow = app.sign_up(PHONE).await;
        app.advance(30);
        app.start_enrolment(&flow).await;
        let before = back().await;
        let token = app.recovery(PHONE, &["password"]).await;
        app.ignore_notices().await;
        app.advance(30);
        app.recovery_code_to(&token, PHONE).await.ok(202);
        app.prove(&token, "code", &app.code_to(PHONE).await).await.ok(200);
        assert_eq!(back().await, before + 1);
        app.ignore_notices().await;
    });
}
