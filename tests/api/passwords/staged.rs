//! A password that must be changed: asked for first, written last.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

/// What an operator will do.
async fn demand(app: &TestApp) {
    let mut tx = app.app.begin().await.unwrap();
    let account = sqlx::query_scalar::<_, uuid::Uuid>("SELECT id FROM accounts").fetch_one(&mut *tx).await.unwrap();
    let account = sekisho::accounts::lock(&mut tx, account.into()).await.unwrap().unwrap();
    sekisho::accounts::require_password_change(&mut tx, &account).await.unwrap();
    app.app.commit(tx).await.unwrap();
}

async fn stage(app: &TestApp, flow: &Value, new: &str) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "new_password": new });
    app.post("/v1/sign-ins/password", &body).await
}

#[test]
fn a_password_that_must_be_changed_is_changed_by_the_sign_in() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        demand(app).await;
        let flow = app.start_sign_in(EMAIL, PASSWORD).await.ok(200);
        assert_eq!((&flow["next"], &flow["factors"]), (&json!("change_password"), &json!([])));
        let code = app.totp(&taro.factor).await;
        app.second_factor(&flow, &code).await.refused(409, "wrong_step");
        let staged = stage(app, &flow, NEW).await.ok(200);
        assert_eq!((&staged["next"], &staged["sign_in_token"]), (&json!("second_factor"), &flow["sign_in_token"]));
        app.start_sign_in(EMAIL, NEW).await.refused(401, "invalid_credentials");
        assert_eq!(app.start_sign_in(EMAIL, PASSWORD).await.ok(200)["next"], "change_password", "not written yet");
        stage(app, &flow, "another tidal mango").await.refused(409, "wrong_step");
        let tokens = app.second_factor(&staged, &code).await.ok(201);
        assert!(app.message_to(EMAIL).await["subject"].as_str().unwrap().contains("changed"));
        let access = tokens["access_token"].as_str().unwrap();
        app.with_token(access, Method::GET, "/v1/account", None).await.ok(200);
        app.refresh(&taro.refresh_token()).await.refused(401, "session_revoked");
        app.start_sign_in(EMAIL, PASSWORD).await.refused(401, "invalid_credentials");
        let flow = app.start_sign_in(EMAIL, NEW).await.ok(200);
        assert_eq!(flow["next"], "second_factor", "asked for once");
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
    });
}

#[test]
fn the_new_one_must_be_good_and_another() {
    test(async |app| {
        app.person("hanakotanaka@example.jp").await;
        demand(app).await;
        let flow = app.start_sign_in("hanakotanaka@example.jp", PASSWORD).await.ok(200);
        for (new, fault) in [
            ("1234567", "password_too_short"),
            ("password1", "password_too_common"),
            ("hanakotanaka1", "password_contains_context"),
            (PASSWORD, "password_unchanged"),
        ] {
            stage(app, &flow, new).await.faults(&[&format!("/new_password {fault}")]);
        }
        stage(app, &json!({ "sign_in_token": "sit_x" }), NEW).await.refused(410, "sign_in_expired");
        stage(app, &flow, NEW).await.ok(200);
    });
}

/// Who knows the old password alone may stage what they like: it is never written.
#[test]
fn without_the_second_factor_nothing_is_written() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let ordinary = taro.start_sign_in().await;
        stage(app, &ordinary, NEW).await.refused(409, "wrong_step");
        demand(app).await;
        let flow = app.start_sign_in(EMAIL, PASSWORD).await.ok(200);
        let staged = stage(app, &flow, NEW).await.ok(200);
        app.second_factor(&staged, "000000").await.refused(422, "invalid_code");
        app.second_factor(&ordinary, &app.totp(&taro.factor).await).await.refused(409, "wrong_step");
        app.advance(601);
        app.second_factor(&staged, &app.totp(&taro.factor).await).await.refused(410, "sign_in_expired");
        assert_eq!(app.count("SELECT version FROM passwords").await, 1);
        taro.get("/v1/account").await.refused(401, "access_token_expired");
        app.refresh(&taro.refresh_token()).await.ok(200);
    });
}

/// The first factor completes a flow as well.
#[test]
fn an_enrolment_writes_it_too() {
    test(async |app| {
        let flow = app.sign_up(EMAIL).await;
        demand(app).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
        app.post("/v1/sign-ins/enrolments", &body).await.refused(409, "wrong_step");
        let staged = stage(app, &flow, NEW).await.ok(200);
        assert_eq!(staged["next"], "enrol_second_factor");
        let factor = app.start_enrolment(&staged).await;
        app.confirm_enrolment(&staged, &factor, &app.totp(&factor).await).await.ok(201);
        app.ignore_messages().await;
        app.start_sign_in(EMAIL, NEW).await.ok(200);
    });
}

/// A reset sets a new password, too: nothing more is asked for.
#[test]
fn a_reset_answers_the_demand() {
    test(async |app| {
        app.person(EMAIL).await;
        demand(app).await;
        let (link, ..) = app.reset_message(EMAIL).await;
        app.reset_by_link(&link, NEW).await.ok(204);
        app.message_to(EMAIL).await;
        assert_eq!(app.start_sign_in(EMAIL, NEW).await.ok(200)["next"], "second_factor");
    });
}
