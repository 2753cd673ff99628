//! What a sign-up may say.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

async fn start(app: &TestApp, member: &str, value: Value) -> crate::support::Answer {
    let mut body = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
    body[member] = value;
    app.post("/v1/sign-ups", &body).await
}

#[test]
fn every_fault_is_told_at_once() {
    test(async |app| {
        let body = json!({
            "identifier": "not an address", "password": "Kj3$x", "locale": "xx", "display_name": " ",
            "client_id": "nobody",
        });
        app.post("/v1/sign-ups", &body).await.faults(&[
            "/identifier invalid_email",
            "/password password_too_short",
            "/locale unsupported_locale",
            "/display_name required",
            "/client_id unknown_client",
        ]);
        app.post("/v1/sign-ups", &json!({ "password": PASSWORD })).await.faults(&["/identifier required"]);
        app.post("/v1/sign-ups", &json!({ "identifier": "taro@example.jp" })).await.faults(&["/password required"]);
    });
}

/// security.md 2: what mail cannot reach is refused, and never reaches the head of a mail.
#[test]
fn addresses_that_mail_cannot_reach_are_refused() {
    test(async |app| {
        let long = format!("{}@example.jp", "a".repeat(65));
        let longer = format!("a@{}.jp", "b.".repeat(130));
        for address in ["a@@b.jp", "a@b@c.jp", "太郎@b.jp", "a@b.jp.", "a@b", "", &long, &longer, &"a".repeat(4000)] {
            start(app, "identifier", json!(address)).await.faults(&["/identifier invalid_email"]);
        }
        let injected = json!("a@b.jp\r\nBcc: x@b.jp");
        start(app, "identifier", injected).await.faults(&["/identifier invalid_characters"]);
    });
}

/// Of an address that is none the one is told that was probably meant, where the slip is at a common domain.
#[test]
fn a_slip_of_the_finger_is_told() {
    test(async |app| {
        for (path, body) in [
            ("/v1/sign-ups", json!({ "identifier": "Taro@gmail", "password": PASSWORD })),
            ("/v1/password-resets", json!({ "identifier": "taro@gmail,com" })),
            ("/v1/identifier-reminders", json!({ "contact": "taro@gmai.com." })),
        ] {
            let problem = app.post(path, &body).await.refused(422, "invalid_fields");
            assert_eq!(problem["errors"][0]["code"], "invalid_email");
            assert_eq!(problem["errors"][0]["did_you_mean"], "taro@gmail.com");
        }
        let told = start(app, "identifier", json!("taro@example")).await.refused(422, "invalid_fields");
        assert!(told["errors"][0].get("did_you_mean").is_none(), "{told}");
        start(app, "identifier", json!("taro@gmial.com")).await.ok(202);
        app.ignore_messages().await;
    });
}

/// Japanese carriers gave these out, and a domain may be in any script.
#[test]
fn unusual_addresses_that_exist_are_accepted() {
    test(async |app| {
        for address in ["a..b@docomo.example.jp", "ab.@ezweb.example.jp", "taro@例え.jp", "taro+news@example.jp"] {
            app.sign_up(address).await;
        }
    });
}

/// security.md 3: characters that nobody can see, and texts that are none.
#[test]
fn unseen_characters_are_refused_in_every_text_but_the_password() {
    test(async |app| {
        for member in ["identifier", "display_name", "locale", "client_id"] {
            for character in ['\u{1B}', '\u{202E}', '\u{200B}', '\u{FEFF}', '\u{85}'] {
                let fault = format!("/{member} invalid_characters");
                start(app, member, json!(format!("a{character}b"))).await.faults(&[&fault]);
            }
        }
        for member in ["identifier", "display_name", "password"] {
            for no_text in [r"\u0000", r"\ud800", r"\udc00\ud800"] {
                let mut body = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
                body[member] = json!("HERE");
                let body = body.to_string().replace("HERE", no_text);
                let request =
                    app.request(Method::POST, "/v1/sign-ups").header("content-type", "application/json").body(body);
                let problem = app.send(request).await.refused(400, "malformed_request");
                assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"));
            }
        }
    });
}

/// security.md 8: what a person may not say of themselves is refused.
#[test]
fn members_that_a_sign_up_does_not_have_are_refused() {
    test(async |app| {
        for member in ["role", "roles", "is_admin", "email_verified", "id", "created_at", "mfa_enabled", "status"] {
            let problem = start(app, member, json!("true")).await.refused(400, "unsupported_field");
            assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"));
        }
        assert_eq!(app.count("SELECT count(*) FROM sign_ups").await, 0);
    });
}

#[test]
fn name_and_language_of_a_sign_up_become_those_of_the_account() {
    test(async |app| {
        start(app, "display_name", json!("太".repeat(101))).await.faults(&["/display_name too_long"]);
        let body = json!({
            "identifier": "taro@example.jp", "password": PASSWORD, "locale": "en", "country": "JP",
            "display_name": format!(" {} ", "太".repeat(100)), "client_id": "first-party",
        });
        let started = app.post("/v1/sign-ups", &body).await.ok(202);
        assert_eq!(started["delivery"]["channel"], "email");
        assert_eq!(started["delivery"]["destination_hint"], "t•••@example.jp");
        let message = app.message_to("taro@example.jp").await;
        assert!(!message["text"].as_str().unwrap().contains('太'), "nobody has proved this mailbox: {message}");
        let code = message["code"].as_str().unwrap();
        let flow = app.verify(started["sign_up_token"].as_str().unwrap(), code).await.ok(200);
        let factor = app.start_enrolment(&flow).await;
        let tokens = app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to("taro@example.jp").await;
        let token = tokens["access_token"].as_str().unwrap();
        let account = app.with_token(token, Method::GET, "/v1/account", None).await.ok(200);
        assert_eq!(account["display_name"], "太".repeat(100));
        assert_eq!(account["locale"], "en");
    });
}

/// Without a wish the account speaks the language of the answer.
#[test]
fn the_language_of_the_answer_is_the_default() {
    test(async |app| {
        let body = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
        let request = app.request(Method::POST, "/v1/sign-ups").header("accept-language", "en;q=0.5, xx").json(&body);
        app.send(request).await.ok(202);
        assert_eq!(app.message_to("taro@example.jp").await["locale"], "en");
    });
}
