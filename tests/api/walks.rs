//! The troubles that people have with signing in, each walked to its end: in, or a clear answer what to do.
//!
//! Those of somebody who has lost what they sign in with are in `recovery/walks.rs`, those of people who come from an older
//! system in `imports`.

use serde_json::Value;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const PHONE: &str = "+819012345678";

fn hints(problem: &Value) -> Vec<&str> {
    problem["hints"].as_array().unwrap().iter().map(|hint| hint["code"].as_str().unwrap()).collect()
}

/// Where a problem sends the person: a page that can be read.
async fn is_explained(app: &TestApp, problem: &Value) {
    let page = problem["type"].as_str().unwrap().strip_prefix(&app.url).unwrap();
    let page = app.request(reqwest::Method::GET, page).header("accept", "text/html");
    assert_eq!(app.send(page).await.status, 200, "{problem}");
}

/// Somebody forgets that they have an account and signs up again: there is no second account, and a mail says what to do.
#[test]
fn signed_up_twice_by_accident() {
    test(async |app| {
        app.person(TARO).await;
        let again = json!({ "identifier": "Ｔａｒｏ＠example.jp", "password": "another horse battery" });
        let answer = app.post("/v1/sign-ups", &again).await.ok(202);
        let delivery = &answer["delivery"];
        assert!(delivery["hints"].as_array().unwrap().contains(&json!("already_registered")), "{delivery}");
        let notice = app.message_to(TARO).await;
        assert!(notice.get("code").is_none(), "{notice}");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
    });
}

/// Somebody has several addresses and does not know which one they used: the others tell them so, one of theirs reminds them.
#[test]
fn which_address_did_i_use() {
    test(async |app| {
        app.person(TARO).await;
        let problem = app.start_sign_in("taro@example.com", PASSWORD).await.refused(401, "invalid_credentials");
        assert!(hints(&problem).contains(&"other_account"), "{problem}");
        is_explained(app, &problem).await;
        app.post("/v1/identifier-reminders", &json!({ "contact": TARO })).await.ok(202);
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("t•••@example.jp"));
    });
}

/// A number without its country code is not understood, and the answer says why; with its country it is.
#[test]
fn a_number_without_its_country_code() {
    test(async |app| {
        let body = json!({ "identifier": "090-1234-5678", "password": PASSWORD });
        app.post("/v1/sign-ins", &body).await.faults(&["/identifier country_code_required"]);
        let body = json!({ "identifier": "090-1234-5678", "country": "JP", "password": PASSWORD });
        let problem = app.post("/v1/sign-ins", &body).await.refused(401, "invalid_credentials");
        assert!(hints(&problem).contains(&"country_code"), "{problem}");
        let problem = app.start_sign_in(PHONE, PASSWORD).await.refused(401, "invalid_credentials");
        assert!(!hints(&problem).contains(&"country_code"), "{problem}");
    });
}

#[test]
fn caps_lock_was_on() {
    test(async |app| {
        app.person(TARO).await;
        let problem = app.start_sign_in(TARO, &PASSWORD.to_uppercase()).await.refused(401, "invalid_credentials");
        assert!(hints(&problem).contains(&"caps_lock"), "{problem}");
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
    });
}

/// The mail is in the spam folder or gone: the answer says where to look and from whom, and another can be asked for.
#[test]
fn the_mail_does_not_arrive() {
    test(async |app| {
        let started = app.post("/v1/sign-ups", &json!({ "identifier": TARO, "password": PASSWORD })).await.ok(202);
        let delivery = &started["delivery"];
        assert!(delivery["hints"].as_array().unwrap().contains(&json!("spam_folder")), "{delivery}");
        assert!(!delivery["sender"].as_str().unwrap().is_empty());
        app.message_to(TARO).await;
        app.advance(delivery["resend_after"].as_u64().unwrap());
        let token = &started["sign_up_token"];
        app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token })).await.ok(202);
        app.verify(token.as_str().unwrap(), &app.code_to(TARO).await).await.ok(200);
    });
}

/// The password is forgotten: a mail sets a new one, and the second factor is asked for as ever.
#[test]
fn the_password_is_forgotten() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let asked = app.post("/v1/password-resets", &json!({ "identifier": TARO })).await.ok(202);
        let new = "tidal mango ledger vowel";
        let body = json!({
            "method": "code", "password_reset_token": asked["password_reset_token"], "code": app.code_to(TARO).await,
            "new_password": new,
        });
        app.post("/v1/password-resets/confirm", &body).await.ok(204);
        let flow = app.start_sign_in(TARO, new).await.ok(200);
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        app.ignore_messages().await;
    });
}

/// The session has timed out: the answer says so and why, and signing in begins another.
#[test]
fn the_session_has_timed_out() {
    test(async |app| {
        let taro = app.person(TARO).await;
        app.advance(15 * 86_400);
        let problem = app.refresh(&taro.refresh_token()).await.refused(401, "session_expired");
        assert_eq!(problem["reason"], "idle");
        is_explained(app, &problem).await;
        taro.sign_in().await;
    });
}

/// The account is closed: who knows the password is told so, everybody else is told nothing.
#[test]
fn the_account_is_closed() {
    test(async |app| {
        let taro = app.person(TARO).await;
        taro.post("/v1/account/closure", &json!({})).await.ok(202);
        app.ignore_messages().await;
        app.advance(31 * 86_400);
        let problem = app.start_sign_in(TARO, PASSWORD).await.refused(403, "account_closed");
        is_explained(app, &problem).await;
        app.start_sign_in(TARO, "another horse battery").await.refused(401, "invalid_credentials");
    });
}

/// Somebody has no use for a second factor: it can be replaced, never left away.
#[test]
fn the_second_factor_cannot_be_switched_off() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let problem =
            taro.delete(&format!("/v1/account/factors/{}", taro.factor)).await.refused(409, "last_second_factor");
        is_explained(app, &problem).await;
    });
}

/// A page that is not there, asked for by a person, is answered in words.
#[test]
fn a_page_that_is_not_there() {
    test(async |app| {
        let page = app.request(reqwest::Method::GET, "/bookshelf").header("accept", "text/html");
        let page = app.send(page).await;
        assert_eq!(page.status, 404);
        assert!(page.header("content-type").starts_with("text/html"));
    });
}
