//! A passkey alone as a whole sign-in.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::TARO;
use super::alone;
use super::asked_alone;
use super::owner;
use crate::support::PASSWORD;
use crate::support::claims;
use crate::support::test;
use crate::support::test_with;

#[test]
fn a_passkey_signs_in_without_a_password_or_an_address() {
    test(async |app| {
        let mut taro = owner(app, TARO, 3).await;
        let (token, options) = asked_alone(app).await;
        let tokens = alone(app, &token, &taro.passkey.answer(&options)).await.ok(201);
        assert_eq!(tokens["account_id"], taro.tokens["account_id"]);
        assert!(tokens["device_token"].is_string());
        let told = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!((&told["amr"], &told["acr"]), (&json!(["pop", "user", "mfa"]), &json!("aal2")));
        let signed_in =
            "SELECT count(*) FROM audit_events WHERE kind = 'signed_in' AND detail ->> 'amr' LIKE '[\"pop\"%'";
        assert_eq!(app.count(signed_in).await, 1);
        assert_eq!(app.count("SELECT sign_count FROM passkey_factors").await, i64::from(taro.passkey.count()));
    });
}

/// security.md 43: nobody is named, so nobody can be looked for: the options are alike but for the challenge.
#[test]
fn the_options_are_the_same_for_everybody() {
    test(async |app| {
        let (_, before) = asked_alone(app).await;
        owner(app, TARO, 0).await;
        let (_, mut after) = asked_alone(app).await;
        assert_ne!(after["challenge"], before["challenge"]);
        after["challenge"] = before["challenge"].clone();
        assert_eq!(after, before);
        assert_eq!(before["allowCredentials"], json!([]));
        assert!(before["challenge"].as_str().unwrap().len() >= 22, "128 bits");
        let other = app.post("/v1/passkey-sign-ins/options", &json!({ "client_id": "another" })).await;
        other.faults(&["/client_id unknown_client"]);
    });
}

/// security.md 42: the challenge is used up by one.
#[test]
fn one_answer_given_twenty_times_at_once_opens_one_session() {
    test(async |app| {
        for count in [0, 1] {
            let mut owner = owner(app, &format!("taro{count}@example.jp"), count).await;
            let (token, options) = asked_alone(app).await;
            let answer = owner.passkey.answer(&options);
            let answers = join_all((0..20).map(|_| alone(app, &token, &answer))).await;
            let opened = answers.iter().filter(|answer| answer.status == 201).count();
            assert_eq!(opened, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
            alone(app, &token, &answer).await.refused(410, "sign_in_expired");
        }
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 4);
    });
}

/// Closed and suspended are told to whoever has the passkey, and to nobody else.
#[test]
fn an_account_that_may_do_nothing_says_so_after_a_right_answer_only() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        for (status, code) in [("suspended", "account_suspended"), ("closed", "account_closed")] {
            let update = sqlx::query("UPDATE accounts SET status = $1").bind(status);
            update.execute(&app.app.db).await.unwrap();
            let (token, options) = asked_alone(app).await;
            let wrong = taro.passkey.answer_with(&options, |claims| claims.flags = 1);
            alone(app, &token, &wrong).await.refused(422, "invalid_credential");
            let answer = taro.passkey.answer(&options);
            alone(app, &token, &answer).await.refused(403, code);
        }
        let refused = "SELECT count(*) FROM audit_events WHERE kind = 'sign_in_refused' AND account_id IS NOT NULL";
        assert_eq!(app.count(refused).await, 2);
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
    });
}

/// Strangers close the usual way in; the owner's passkey opens it again, and no stranger's wrong answer closes that one.
#[test]
fn a_passkey_opens_what_strangers_have_closed() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let mut taro = owner(app, TARO, 0).await;
        for _ in 0..100 {
            app.advance(1);
            app.start_sign_in(TARO, "another phrase").await.refused(401, "invalid_credentials");
        }
        app.start_sign_in(TARO, PASSWORD).await.refused(429, "too_many_attempts");
        for _ in 0..25 {
            app.advance(10);
            let (token, options) = asked_alone(app).await;
            for _ in 0..5 {
                let wrong = taro.passkey.answer_with(&options, |claims| claims.flags = 1);
                alone(app, &token, &wrong).await.refused(422, "invalid_credential");
            }
            let wrong = taro.passkey.answer_with(&options, |claims| claims.flags = 1);
            alone(app, &token, &wrong).await.refused(429, "too_many_attempts");
        }
        let (token, options) = asked_alone(app).await;
        let answer = taro.passkey.answer(&options);
        alone(app, &token, &answer).await.ok(201);
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
        app.ignore_messages().await;
    });
}

/// An answer of a passkey is not guessed, so who knows the password alone uses up the codes of the account and nothing more.
#[test]
fn no_number_of_codes_keeps_the_owner_of_a_passkey_out() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let mut taro = owner(app, TARO, 0).await;
        loop {
            let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
            let guess = app.recovery_code(&flow, "AAAA-AAAA-AAAA-AAAA").await;
            if guess.status == 429 {
                assert_eq!(guess.header("ratelimit-policy"), "\"account_code\";q=60;w=3600");
                break;
            }
            guess.refused(422, "invalid_code");
        }
        let (token, options) = asked_alone(app).await;
        alone(app, &token, &taro.passkey.answer(&options)).await.ok(201);
        app.ignore_messages().await;
    });
}

/// Many sign-ins at once open no more sessions than an account may have.
#[test]
fn a_hundred_sessions_are_a_hundred_however_many_race() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let copies =
            "INSERT INTO sessions SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
                      FROM sessions s, generate_series(1, 96)";
        sqlx::query(copies).execute(&app.app.db).await.unwrap();
        let mut answers = Vec::new();
        for _ in 0..10 {
            let (token, options) = asked_alone(app).await;
            answers.push((token, taro.passkey.answer(&options)));
        }
        let opened = join_all(answers.iter().map(|(token, answer)| alone(app, token, answer))).await;
        assert!(opened.iter().all(|answer| answer.status == 201));
        assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 100);
        let ended =
            "SELECT count(*) FROM audit_events WHERE kind = 'session_ended' AND detail ->> 'reason' = 'too_many'";
        assert_eq!(app.count(ended).await, 7);
    });
}

/// Whoever comes with a passkey that is older than a recovery ends it, as with any other factor.
#[test]
fn a_sign_in_by_an_older_passkey_cancels_a_recovery() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        app.advance(1);
        let recovery = app.recovery(TARO, &["password"]).await;
        let (token, options) = asked_alone(app).await;
        let answer = taro.passkey.answer(&options);
        alone(app, &token, &answer).await.ok(201);
        assert_eq!(app.recovery_state(&recovery).await, "cancelled");
        app.ignore_notices().await;
    });
}

/// Nothing has to be said to ask whichever passkey there is.
#[test]
fn the_options_need_no_body() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let asked = app.send(app.request(Method::POST, "/v1/passkey-sign-ins/options")).await.ok(200);
        let answer = taro.passkey.answer(&asked["public_key"]);
        alone(app, &asked["flow_token"], &answer).await.ok(201);
    });
}

/// A page gets the refresh token as a cookie from here as well.
#[test]
fn a_listed_page_gets_its_refresh_token_as_a_cookie() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (token, options) = asked_alone(app).await;
        let credential = taro.passkey.answer(&options);
        let body = json!({ "flow_token": token, "credential": credential, "token_delivery": "cookie" });
        app.post("/v1/passkey-sign-ins", &body).await.refused(403, "origin_not_allowed");
        let request = app.request(reqwest::Method::POST, "/v1/passkey-sign-ins").header("origin", &app.url);
        let answer = app.send(request.json(&body)).await;
        assert!(answer.header("set-cookie").starts_with("__Host-sekisho_refresh="), "{:?}", answer.headers);
        assert!(answer.ok(201).get("refresh_token").is_none());
    });
}

/// security.md 38: a passkey says nothing of the password that whoever has the number has set: its code stays withheld.
#[test]
fn a_sign_in_by_passkey_gives_a_number_that_carried_a_reset_no_voice() {
    test(async |app| {
        let (number, new) = ("+819012345678", "tidal mango ledger vowel");
        let mut owner = owner(app, number, 1).await;
        let access = owner.tokens["access_token"].as_str().unwrap();
        let added = app
            .with_token(access, Method::POST, "/v1/account/factors", Some(&json!({ "kind": "phone", "phone": number })))
            .await
            .ok(201);
        let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
        let confirm = json!({ "method": "code", "code": app.code_to(number).await });
        app.with_token(access, Method::POST, &path, Some(&confirm)).await.ok(200);
        app.message_to(number).await;
        app.advance(30);

        let (_, asked, code) = app.reset_message(number).await;
        app.reset_by_code(&asked, &code, new).await.ok(204);
        app.message_to(number).await;
        let (token, options) = asked_alone(app).await;
        alone(app, &token, &owner.passkey.answer(&options)).await.ok(201);
        let flow = app.start_sign_in(number, new).await.ok(200);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": added["factor_id"], "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.refused(409, "factor_carried_reset");
    });
}
