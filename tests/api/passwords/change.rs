//! By who knows the old one.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::test;
use crate::support::test_with;

fn body(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

const PATH: &str = "/v1/account/password";

/// security.md 19: what was open with the old password ends, and the owner is told.
#[test]
fn a_change_ends_the_other_sessions_and_is_told() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let other = taro.sign_in().await;
        taro.post(PATH, &body(PASSWORD, NEW)).await.ok(204);
        assert!(app.message_to(EMAIL).await["subject"].as_str().unwrap().contains("changed"));
        app.refresh(other["refresh_token"].as_str().unwrap()).await.refused(401, "session_revoked");
        let access = other["access_token"].as_str().unwrap();
        app.with_token(access, Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
        taro.get("/v1/account").await.ok(200);
        app.refresh(&taro.refresh_token()).await.ok(200);
        app.start_sign_in(EMAIL, PASSWORD).await.refused(401, "invalid_credentials");
        assert_eq!(app.start_sign_in(EMAIL, NEW).await.ok(200)["next"], "second_factor");
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'password_changed'").await, 1);
    });
}

/// security.md 19: all, when that is asked for.
#[test]
fn a_change_ends_the_own_session_when_asked() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let mut all = body(PASSWORD, NEW);
        all["sign_out"] = json!("all");
        taro.post(PATH, &all).await.ok(204);
        app.message_to(EMAIL).await;
        taro.get("/v1/account").await.refused(401, "session_revoked");
        app.refresh(&taro.refresh_token()).await.refused(401, "session_revoked");
    });
}

/// A flow that saw the old password opens nothing, and a reset that was asked for before is void.
#[test]
fn a_change_ends_flows_and_resets() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let flow = taro.start_sign_in().await;
        let (link, asked, code) = app.reset_message(EMAIL).await;
        taro.post(PATH, &body(PASSWORD, NEW)).await.ok(204);
        app.message_to(EMAIL).await;
        let totp = app.totp(&taro.factor).await;
        app.second_factor(&flow, &totp).await.refused(410, "sign_in_expired");
        app.inspect_reset(&link).await.refused(410, "reset_token_invalid");
        app.reset_by_link(&link, PASSWORD).await.refused(410, "reset_token_invalid");
        app.reset_by_code(&asked, &code, PASSWORD).await.refused(410, "reset_token_invalid");
        app.start_sign_in(EMAIL, NEW).await.ok(200);
    });
}

async fn wrong(taro: &Person<'_>) {
    taro.post(PATH, &body("another horse battery", NEW)).await.faults(&["/current_password wrong_password"]);
}

/// security.md 16: a wrong current password is refused, changes nothing and is a failure like any other.
#[test]
fn a_wrong_current_password_is_refused_and_counts() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let taro = app.person(EMAIL).await;
        wrong(&taro).await;
        assert_eq!(app.count("SELECT count::bigint FROM failures WHERE lane = 'password'").await, 1);
        let missing = json!({ "new_password": NEW });
        taro.post(PATH, &missing).await.faults(&["/current_password required"]);
        for _ in 0..9 {
            wrong(&taro).await;
        }
        assert!(app.message_to(EMAIL).await["text"].as_str().unwrap().contains("10 wrong"));
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'password_change_failed'").await, 10);
        taro.post(PATH, &body(PASSWORD, NEW)).await.ok(204);
        app.message_to(EMAIL).await;
        assert_eq!(app.count("SELECT count(*) FROM failures").await, 0, "the right one ends the count");
    });
}

#[test]
fn a_new_password_is_judged_with_what_is_known_of_its_owner() {
    test(async |app| {
        let taro = app.person("hanakotanaka@example.jp").await;
        taro.patch("/v1/account", &json!({ "display_name": "Yamamotoyama" })).await.ok(200);
        for (new, fault) in [
            ("1234567", "password_too_short"),
            ("password1", "password_too_common"),
            ("hanakotanaka1", "password_contains_context"),
            ("yamamotoyama99", "password_contains_context"),
        ] {
            taro.post(PATH, &body(PASSWORD, new)).await.faults(&[&format!("/new_password {fault}")]);
        }
        taro.post(PATH, &json!({ "current_password": PASSWORD, "new_password": NEW, "sign_out": "none" }))
            .await
            .faults(&["/sign_out unknown_value"]);
        assert_eq!(app.count("SELECT version FROM passwords").await, 1);
    });
}

#[test]
fn an_old_session_changes_no_password() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        app.advance(601);
        let refreshed = app.refresh(&taro.refresh_token()).await.ok(200);
        let access = refreshed["access_token"].as_str().unwrap();
        let change = body(PASSWORD, NEW);
        let answer = app.with_token(access, Method::POST, PATH, Some(&change)).await;
        answer.refused(401, "insufficient_user_authentication");
        app.post(PATH, &change).await.refused(401, "access_token_missing");
    });
}

/// security.md 70: the page is found where browsers look for it, and only when there is one.
#[test]
fn the_well_known_address_leads_to_the_configured_page() {
    test(async |app| {
        let request = app.request(Method::GET, "/.well-known/change-password");
        let request = request.header("x-forwarded-host", "evil.example").header("forwarded", "host=evil.example");
        let answer = app.send(request).await;
        assert_eq!((answer.status, answer.header("location")), (303, format!("{}/change-password", app.url).as_str()));
    });
    test_with(&[("pages.change_password", "off")], async |app| {
        app.get("/.well-known/change-password").await.refused(404, "not_found");
    });
}
