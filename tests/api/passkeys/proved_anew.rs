//! Passkeys that are new when the account is proved anew to be its owner's: a thief may have added them.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::TARO;
use super::account;
use super::alone;
use super::asked_alone;
use super::owner;
use crate::passwords::NEW;
use crate::support::Answer;
use crate::support::Passkey;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const DAYS_3: u64 = 72 * 3600;

async fn alone_with(app: &TestApp, passkey: &mut Passkey) -> Answer {
    let (token, options) = asked_alone(app).await;
    alone(app, &token, &passkey.answer(&options)).await
}

async fn reset(app: &TestApp) {
    let (_, asked, code) = app.reset_message(TARO).await;
    app.reset_by_code(&asked, &code, NEW).await.ok(204);
    app.message_to(TARO).await;
}

/// A passkey that was added in the account just now.
async fn added(app: &TestApp, taro: &Person<'_>) -> (Value, Passkey) {
    let (factor, passkey) = account::add(app, &taro.access(), "Key").await;
    app.message_to(TARO).await;
    (factor, passkey)
}

/// Whoever was in the account comes back by nothing that they left there, and the owner has as many factors as before.
#[test]
fn after_a_reset_a_new_passkey_answers_after_the_password_alone() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (factor, mut passkey) = added(app, &taro).await;
        alone_with(app, &mut passkey).await.ok(201);
        reset(app).await;
        alone_with(app, &mut passkey).await.refused(422, "invalid_credential");
        let failed = "SELECT count(*) FROM audit_events WHERE kind = 'sign_in_failed' AND account_id IS NOT NULL";
        assert_eq!(app.count(failed).await, 1);

        let flow = app.start_sign_in(TARO, NEW).await.ok(200);
        let options = super::ask(app, &flow, &factor).await.ok(200)["public_key"].clone();
        let tokens = super::second_factor(app, &flow, &passkey.answer(&options)).await.ok(201);
        let access = tokens["access_token"].as_str().unwrap();
        let asked = account::ask(app, access, &factor).await;
        let answer = passkey.answer(&asked["public_key"]);
        account::again(app, access, &asked, &answer).await.refused(422, "invalid_credential");
        let body = json!({
            "method": "passkey", "password": NEW, "credential": answer,
            "reauthentication_token": asked["reauthentication_token"],
        });
        app.with_token(access, Method::POST, account::AGAIN, Some(&body)).await.ok(200);
        app.advance(DAYS_3);
        alone_with(app, &mut passkey).await.refused(422, "invalid_credential");
    });
}

#[test]
fn after_a_cancelled_change_a_new_passkey_opens_nothing_alone() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (_, mut passkey) = added(app, &taro).await;
        let identifiers = "/v1/account/identifiers";
        let first = taro.get(identifiers).await.ok(200)["items"][0]["id"].clone();
        let begun = taro.post(identifiers, &json!({ "identifier": "taro@example.org" })).await.ok(201);
        let path = format!("{identifiers}/{}/verify", begun["identifier"]["id"].as_str().unwrap());
        let code = app.code_to("taro@example.org").await;
        taro.post(&path, &json!({ "code": code })).await.ok(200);
        app.ignore_messages().await;
        taro.delete(&format!("{identifiers}/{}", first.as_str().unwrap())).await.ok(202);
        let token = app.message_to(TARO).await["code"].clone();
        alone_with(app, &mut passkey).await.ok(201);
        app.post("/v1/account/changes/cancel", &json!({ "cancel_token": token })).await.ok(204);
        alone_with(app, &mut passkey).await.refused(422, "invalid_credential");
        assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
        app.ignore_messages().await;
    });
}

#[test]
fn after_a_recovery_a_new_passkey_opens_nothing_alone() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let (_, mut old) = added(app, &taro).await;
        let token = app.recovery(TARO, &["phone"]).await;
        app.prove(&token, "password", crate::support::PASSWORD).await.ok(200);
        app.prove(&token, "recovery_code", &taro.recovery_codes[0]).await.ok(200);
        app.advance(DAYS_3 - 600);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        taro.tokens["access_token"] = json!(taro.reauthenticate().await);
        let (_, mut new) = account::add(app, &taro.access(), "New key").await;
        app.advance(600);
        app.complete_recovery(&token, None).await.ok(200);
        alone_with(app, &mut new).await.refused(422, "invalid_credential");
        alone_with(app, &mut old).await.ok(201);
        app.ignore_notices().await;
    });
}

/// What an account began with, and what its owner was told of three days ago, stays a whole sign-in.
#[test]
fn a_passkey_that_is_not_new_to_its_account_still_signs_in_alone() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (_, mut later) = account::add(app, taro.access(), "Key").await;
        app.message_to(TARO).await;
        reset(app).await;
        alone_with(app, &mut taro.passkey).await.ok(201);
        alone_with(app, &mut later).await.refused(422, "invalid_credential");
    });
    test(async |app| {
        let taro = app.person(TARO).await;
        let (_, mut passkey) = added(app, &taro).await;
        app.advance(DAYS_3);
        reset(app).await;
        alone_with(app, &mut passkey).await.ok(201);
    });
}

/// A sign-in that races the reset is before it, and ends with it, or after it, and is refused.
#[test]
fn of_a_reset_and_a_sign_in_by_a_new_passkey_that_race_no_session_is_left() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (_, mut passkey) = added(app, &taro).await;
        for _ in 0..5 {
            let (token, options) = asked_alone(app).await;
            let (_, asked, code) = app.reset_message(TARO).await;
            let answer = passkey.answer(&options);
            let (signed_in, done) = tokio::join!(alone(app, &token, &answer), app.reset_by_code(&asked, &code, NEW));
            done.ok(204);
            assert!([201, 422].contains(&signed_in.status), "{:#}", signed_in.body);
            assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
            app.message_to(TARO).await;
            let again = sqlx::query("UPDATE passkey_factors SET second_factor_only = false");
            again.execute(&app.app.db).await.unwrap();
        }
    });
}
