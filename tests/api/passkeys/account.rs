//! Passkeys in their owner's hands, and as proof for a sensitive act.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::TARO;
use super::asked;
use super::begin;
use super::confirm;
use super::owner;
use super::second_factor;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Passkey;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;
use crate::support::test_with;

const PATH: &str = "/v1/account/factors";
pub(super) const AGAIN: &str = "/v1/reauthentications";

async fn post(app: &TestApp, token: &str, path: &str, body: &Value) -> Answer {
    app.with_token(token, Method::POST, path, Some(body)).await
}

async fn begin_here(app: &TestApp, token: &str, label: &str) -> Value {
    post(app, token, PATH, &json!({ "kind": "passkey", "label": label })).await.ok(201)
}

async fn confirm_here(app: &TestApp, token: &str, factor: &Value, credential: &Value) -> Answer {
    let path = format!("{PATH}/{}/confirm", factor.as_str().unwrap());
    post(app, token, &path, &json!({ "method": "passkey", "credential": credential })).await
}

/// Adds a passkey; answers its factor and itself.
pub(super) async fn add(app: &TestApp, token: &str, label: &str) -> (Value, Passkey) {
    let begun = begin_here(app, token, label).await;
    let (passkey, credential) = Passkey::make(&begun["passkey"], &app.url, |_| {});
    let factor = confirm_here(app, token, &begun["factor_id"], &credential).await.ok(200);
    assert_eq!((&factor["kind"], &factor["label"]), (&json!("passkey"), &json!(label)));
    (factor["id"].clone(), passkey)
}

pub(super) async fn ask(app: &TestApp, token: &str, factor: &Value) -> Value {
    post(app, token, &format!("{AGAIN}/passkey-options"), &json!({ "factor_id": factor })).await.ok(200)
}

pub(super) async fn again(app: &TestApp, token: &str, asked: &Value, credential: &Value) -> Answer {
    let body = json!({
        "method": "passkey", "credential": credential, "reauthentication_token": asked["reauthentication_token"],
    });
    post(app, token, AGAIN, &body).await
}

/// security.md 26, for passkeys: the owner is told of every change.
#[test]
fn a_passkey_is_added_named_used_and_removed() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (factor, mut passkey) = add(app, &taro.access(), "Key").await;
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Key"));
        let begun = begin_here(app, &taro.access(), "Key").await;
        assert_eq!(begun["passkey"]["excludeCredentials"][0]["id"], json!(passkey.id()));
        let (_, options) = asked(app, TARO, &factor).await;
        assert_eq!(options["allowCredentials"][0]["id"], json!(passkey.id()));
        let path = format!("{PATH}/{}", factor.as_str().unwrap());
        assert_eq!(taro.patch(&path, &json!({ "label": "Old key" })).await.ok(200)["label"], "Old key");
        let (flow, options) = asked(app, TARO, &factor).await;
        second_factor(app, &flow, &passkey.answer(&options)).await.ok(201);
        let listed = taro.get(PATH).await.ok(200);
        assert!(listed["items"][0]["last_used_at"].is_string(), "{listed}");
        taro.delete(&path).await.ok(204);
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Old key"));
    });
}

/// security.md 36: a removed passkey is dead at once, also in a flow that has asked it, and alone.
#[test]
fn a_removed_passkey_is_dead_at_once() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (factor, mut passkey) = add(app, &taro.access(), "Key").await;
        app.message_to(TARO).await;
        let (flow, options) = asked(app, TARO, &factor).await;
        let (token, open) = super::asked_alone(app).await;
        taro.delete(&format!("{PATH}/{}", factor.as_str().unwrap())).await.ok(204);
        app.message_to(TARO).await;
        second_factor(app, &flow, &passkey.answer(&options)).await.faults(&["/factor_id unknown_id"]);
        super::alone(app, &token, &passkey.answer(&open)).await.refused(422, "invalid_credential");
        assert_eq!(app.count("SELECT count(*) FROM passkey_factors").await, 0);
    });
}

/// The last factor stays, a passkey or not; of two removals at once one is refused.
#[test]
fn of_two_passkeys_removed_at_once_one_stays() {
    test(async |app| {
        let taro = owner(app, TARO, 0).await;
        let (second, _) = add(app, taro.access(), "Key").await;
        let access = taro.access();
        let removed = join_all([&taro.factor, &second].map(|factor| {
            let path = format!("{PATH}/{}", factor.as_str().unwrap());
            async move { app.with_token(access, Method::DELETE, &path, None).await }
        }))
        .await;
        let mut statuses: Vec<u16> = removed.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        app.ignore_messages().await;
    });
}

/// No credential is registered twice, by one account or by two, nor by twenty confirmations of one enrolment.
#[test]
fn a_passkey_is_registered_once() {
    test(async |app| {
        let taro = owner(app, TARO, 0).await;
        let hana = app.person("hana@example.jp").await;
        let begun = begin_here(app, &hana.access(), "Mine").await;
        let stolen = taro.passkey.again(&begun["passkey"]);
        confirm_here(app, &hana.access(), &begun["factor_id"], &stolen).await.refused(409, "conflict");
        // An authenticator would keep to `excludeCredentials`.
        let begun = begin_here(app, taro.access(), "Mine").await;
        let twice = taro.passkey.again(&begun["passkey"]);
        let answer = confirm_here(app, taro.access(), &begun["factor_id"], &twice).await;
        assert!([409, 422].contains(&answer.status), "{}", answer.body);
        let flow = app.sign_up("jiro@example.jp").await;
        let (factor, options) = begin(app, &flow).await;
        confirm(app, &flow, &factor, &taro.passkey.again(&options)).await.refused(409, "conflict");

        let begun = begin_here(app, &hana.access(), "Mine").await;
        let (_, credential) = Passkey::make(&begun["passkey"], &app.url, |_| {});
        let access = hana.access();
        let answers = join_all((0..5).map(|_| confirm_here(app, &access, &begun["factor_id"], &credential))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(app.count("SELECT count(*) FROM passkey_factors").await, 2);
        app.ignore_messages().await;
    });
}

/// security.md 42: the challenge of an enrolment is answered in the session, or the flow, that asked for it, in time.
#[test]
fn an_enrolment_is_confirmed_where_it_began() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = begin_here(app, &taro.access(), "Key").await;
        let (_, credential) = Passkey::make(&begun["passkey"], &app.url, |_| {});
        let elsewhere = taro.sign_in().await;
        let other = elsewhere["access_token"].as_str().unwrap();
        confirm_here(app, other, &begun["factor_id"], &credential).await.refused(422, "invalid_credential");
        let another = begin_here(app, &taro.access(), "Key").await;
        confirm_here(app, &taro.access(), &another["factor_id"], &credential).await.refused(422, "invalid_credential");
        let fresh = app.refresh(&taro.refresh_token()).await.ok(200);
        app.advance(601);
        let fresh = app.refresh(fresh["refresh_token"].as_str().unwrap()).await.ok(200);
        let access = fresh["access_token"].as_str().unwrap();
        confirm_here(app, access, &begun["factor_id"], &credential).await.refused(404, "not_found");
    });
}

#[test]
fn a_passkey_proves_again_who_somebody_is_with_or_without_the_password() {
    test(async |app| {
        let mut taro = owner(app, TARO, 7).await;
        let access = taro.access().to_owned();
        app.advance(250);
        let asked = ask(app, &access, &taro.factor).await;
        let answer = taro.passkey.answer(&asked["public_key"]);
        let fresh = again(app, &access, &asked, &answer).await.ok(200);
        let told = claims(fresh["access_token"].as_str().unwrap());
        assert_eq!(told["amr"], json!(["pop", "user", "mfa"]));
        assert!(told["auth_time"].as_i64() >= claims(&access)["auth_time"].as_i64().map(|then| then + 250));
        again(app, &access, &asked, &answer).await.refused(410, "reauthentication_expired");

        let asked = ask(app, &access, &taro.factor).await;
        let mut body = json!({
            "method": "passkey", "password": "another phrase", "credential": taro.passkey.answer(&asked["public_key"]),
            "reauthentication_token": asked["reauthentication_token"],
        });
        post(app, &access, AGAIN, &body).await.faults(&["/password wrong_password"]);
        body["password"] = json!(PASSWORD);
        let fresh = post(app, &access, AGAIN, &body).await.ok(200);
        assert_eq!(claims(fresh["access_token"].as_str().unwrap())["amr"], json!(["pwd", "pop", "user", "mfa"]));
    });
}

/// security.md 42: a challenge of a re-authentication is bound to its session and its token, and the next voids it.
#[test]
fn a_challenge_is_answered_in_its_session_under_its_token() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let access = taro.access().to_owned();
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        let other = second_factor(app, &flow, &taro.passkey.answer(&options)).await.ok(201);
        let other = other["access_token"].as_str().unwrap();
        let old = ask(app, &access, &taro.factor).await;
        let new = ask(app, &access, &taro.factor).await;
        let (to_old, to_new) = (taro.passkey.answer(&old["public_key"]), taro.passkey.answer(&new["public_key"]));
        again(app, &access, &old, &to_old).await.refused(410, "reauthentication_expired");
        again(app, other, &new, &to_new).await.refused(410, "reauthentication_expired");
        let nothing = json!({ "reauthentication_token": "rat_x" });
        again(app, &access, &nothing, &to_new).await.refused(410, "reauthentication_expired");
        again(app, &access, &new, &to_old).await.refused(422, "invalid_credential");
        let bare = json!({ "method": "passkey", "credential": to_new });
        post(app, &access, AGAIN, &bare).await.faults(&["/reauthentication_token required"]);
        app.advance(250);
        again(app, &access, &new, &to_new).await.ok(200);
        let late = ask(app, &access, &taro.factor).await;
        let answer = taro.passkey.answer(&late["public_key"]);
        let fresh = app.refresh(taro.tokens["refresh_token"].as_str().unwrap()).await.ok(200);
        app.advance(601);
        let fresh = app.refresh(fresh["refresh_token"].as_str().unwrap()).await.ok(200);
        let access = fresh["access_token"].as_str().unwrap();
        again(app, access, &late, &answer).await.refused(410, "reauthentication_expired");
    });
}

/// Of the session alone: whoever stole it closes no code to the owner.
#[test]
fn five_wrong_answers_end_the_tries_of_a_session() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let access = taro.access().to_owned();
        let asked = ask(app, &access, &taro.factor).await;
        for _ in 0..5 {
            let wrong = taro.passkey.answer_with(&asked["public_key"], |claims| claims.flags = 0);
            again(app, &access, &asked, &wrong).await.refused(422, "invalid_credential");
        }
        let right = taro.passkey.answer(&asked["public_key"]);
        again(app, &access, &asked, &right).await.refused(429, "too_many_attempts");
        let failed = "SELECT count(*) FROM audit_events WHERE kind = 'reauthentication_failed'
                      AND detail ->> 'kind' = 'passkey' AND account_id IS NOT NULL";
        assert_eq!(app.count(failed).await, 5);
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE count > 0").await, 0);
    });
}
