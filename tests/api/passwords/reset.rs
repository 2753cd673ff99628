//! By who gets a message.

use reqwest::Method;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use super::link_token;
use super::other_than;
use crate::imports::BCRYPT;
use crate::imports::bring;
use crate::imports::person;
use crate::support::PASSWORD;
use crate::support::test;
use crate::support::test_with;

/// security.md 39 and 67: a new password and nothing else: no token, no session of before, the second factor still asked
/// for, and the owner told.
#[test]
fn a_link_sets_a_new_password_and_signs_nobody_in() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let asked = app.post("/v1/password-resets", &json!({ "identifier": EMAIL })).await.ok(202);
        assert!(asked["password_reset_token"].as_str().unwrap().starts_with("prt_"), "{asked}");
        let delivery = &asked["delivery"];
        assert_eq!((&delivery["channel"], &delivery["destination_hint"]), (&json!("email"), &json!("t•••@example.jp")));
        let message = app.message_to(EMAIL).await;
        let link = message["link"].as_str().unwrap();
        assert!(link.starts_with(&format!("{}/reset-password#rst_", app.url)), "{link}");
        assert_eq!(message["code"].as_str().unwrap().len(), 8);
        assert!(message["text"].as_str().unwrap().contains(link));
        let token = link_token(&message);
        let seen = app.inspect_reset(&token).await.ok(200);
        assert_eq!(seen["identifier_hint"], "t•••@example.jp");
        assert!((590..=600).contains(&seen["expires_in"].as_u64().unwrap()), "{seen}");
        let done = app.reset_by_link(&token, NEW).await;
        assert!(done.header("set-cookie").is_empty());
        assert!(done.ok(204).is_null());
        let notice = app.message_to(EMAIL).await;
        assert!(notice["subject"].as_str().unwrap().contains("was reset"));
        assert!(notice["text"].as_str().unwrap().contains("asks for your second factor"), "{notice}");
        app.refresh(&taro.refresh_token()).await.refused(401, "session_revoked");
        taro.get("/v1/account").await.refused(401, "session_revoked");
        app.start_sign_in(EMAIL, PASSWORD).await.refused(401, "invalid_credentials");
        let flow = app.start_sign_in(EMAIL, NEW).await.ok(200);
        assert_eq!(flow["next"], "second_factor");
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
    });
}

/// Whoever came from another system has no factor: the notice says what the next sign-in asks for, and it does.
#[test]
fn without_a_factor_the_notice_says_that_one_is_set_up_next() {
    test(async |app| {
        bring(app, &[person("1", EMAIL, BCRYPT)]).await;
        let (link, ..) = app.reset_message(EMAIL).await;
        app.reset_by_link(&link, NEW).await.ok(204);
        let notice = app.message_to(EMAIL).await;
        let text = notice["text"].as_str().unwrap();
        assert!(text.contains("sends a code") && !text.contains("asks for your second factor"), "{text}");
        assert_eq!(app.start_sign_in(EMAIL, NEW).await.ok(200)["next"], "verify_identifier");
    });
}

#[test]
fn a_code_does_as_well_however_it_is_typed() {
    test(async |app| {
        app.person(EMAIL).await;
        let (_, asked, code) = app.reset_message(EMAIL).await;
        let typed = format!("{} {}", &code[..4], &code[4..]);
        app.reset_by_code(&asked, &typed, NEW).await.ok(204);
        app.message_to(EMAIL).await;
        app.start_sign_in(EMAIL, NEW).await.ok(200);
        app.reset_by_code(&asked, &code, PASSWORD).await.refused(410, "reset_token_invalid");
    });
}

/// A phone gets a code and no link, in one SMS.
#[test]
fn a_phone_gets_a_code_alone() {
    test(async |app| {
        let flow = app.sign_up("+819012345678").await;
        let factor = app.start_enrolment(&flow).await;
        app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        app.message_to("+819012345678").await;
        let asked = app.post("/v1/password-resets", &json!({ "identifier": "090-1234-5678", "country": "JP" })).await;
        let asked = asked.ok(202);
        assert_eq!(asked["delivery"]["channel"], "sms");
        let message = app.message_to("+819012345678").await;
        let text = message["text"].as_str().unwrap();
        assert!(!text.contains("http") && text.encode_utf16().count() <= 70, "{text}");
        assert!(message.get("link").is_none(), "the inbox shows what the phone got: {message}");
        let (token, code) = (asked["password_reset_token"].as_str().unwrap(), message["code"].as_str().unwrap());
        app.reset_by_code(token, code, NEW).await.ok(204);
        app.message_to("+819012345678").await;
    });
}

#[test]
fn without_a_page_there_is_no_link() {
    test_with(&[("pages.password_reset", "off")], async |app| {
        app.person(EMAIL).await;
        app.ask_for_reset(EMAIL).await;
        let message = app.message_to(EMAIL).await;
        assert!(message.get("link").is_none() && !message["text"].as_str().unwrap().contains("http"), "{message}");
    });
}

/// security.md 65: links are built from the configuration, whatever the request says of hosts.
#[test]
fn no_header_changes_where_a_link_leads() {
    test(async |app| {
        app.person(EMAIL).await;
        for header in
            ["host", "x-forwarded-host", "forwarded", "x-forwarded-proto", "x-original-url", "origin", "referer"]
        {
            let value = if header == "forwarded" { "host=evil.example;proto=https" } else { "evil.example" };
            let request = app.request(Method::POST, "/v1/password-resets").header(header, value);
            let asked = app.send(request.json(&json!({ "identifier": EMAIL }))).await;
            if asked.status == 202 {
                let message = app.message_to(EMAIL).await;
                assert!(
                    message["link"].as_str().unwrap().starts_with(&format!("{}/reset-password#", app.url)),
                    "{header}"
                );
                assert!(!message["text"].as_str().unwrap().contains("evil"), "{header}");
            } else {
                // `sekisho dev` answers to its own hosts alone.
                assert_eq!((header, asked.status), ("host", 404), "{}", asked.body);
            }
        }
    });
}

/// security.md 68: a scanner that opens what is in a mail uses nothing up: the token is in the fragment, and neither GET,
/// HEAD nor `inspect` of anything changes what it is good for.
#[test]
fn looking_at_a_link_changes_nothing() {
    test(async |app| {
        app.person(EMAIL).await;
        app.ask_for_reset(EMAIL).await;
        let message = app.message_to(EMAIL).await;
        let (link, token) = (message["link"].as_str().unwrap(), link_token(&message));
        let page = link.strip_prefix(&app.url).unwrap();
        let before = app.count("SELECT reset_seq FROM passwords").await;
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            for path in [page, "/v1/password-resets/confirm", "/v1/password-resets/inspect", &format!("/{token}")] {
                let answer = app.send(app.request(method.clone(), path)).await;
                assert!(answer.status >= 400 || method == Method::OPTIONS, "{method} {path}: {}", answer.status);
            }
        }
        for _ in 0..5 {
            app.inspect_reset(&token).await.ok(200);
        }
        assert_eq!(app.count("SELECT reset_seq FROM passwords").await, before);
        app.reset_by_link(&token, NEW).await.ok(204);
        app.inspect_reset(&token).await.refused(410, "reset_token_invalid");
        app.message_to(EMAIL).await;
    });
}

/// security.md 66: one token counts, once, for ten minutes; a new request makes the one before void.
#[test]
fn a_token_dies_by_use_by_a_newer_one_and_by_time() {
    test(async |app| {
        app.person(EMAIL).await;
        let (first, asked, code) = app.reset_message(EMAIL).await;
        assert!(first.len() >= 4 + 43, "256 bits");
        let (second, ..) = app.reset_message(EMAIL).await;
        app.inspect_reset(&first).await.refused(410, "reset_token_invalid");
        app.reset_by_link(&first, NEW).await.refused(410, "reset_token_invalid");
        app.reset_by_code(&asked, &code, NEW).await.refused(410, "reset_token_invalid");
        app.reset_by_link(&second, NEW).await.ok(204);
        app.reset_by_link(&second, PASSWORD).await.refused(410, "reset_token_invalid");
        app.message_to(EMAIL).await;
        let (third, asked, code) = app.reset_message(EMAIL).await;
        app.advance(600);
        app.inspect_reset(&third).await.refused(410, "reset_token_invalid");
        app.reset_by_link(&third, PASSWORD).await.refused(410, "reset_token_invalid");
        app.reset_by_code(&asked, &code, PASSWORD).await.refused(410, "reset_token_invalid");
        app.start_sign_in(EMAIL, NEW).await.ok(200);
    });
}

/// security.md 66: what is kept of tokens and codes are digests and sealed values.
#[test]
fn neither_token_nor_code_is_kept_as_it_was_sent() {
    test(async |app| {
        app.person(EMAIL).await;
        let (link, asked, code) = app.reset_message(EMAIL).await;
        let mut redis = app.app.redis.connection();
        let pattern = format!("{}:*reset*", app.app.config.redis.prefix);
        let keys: Vec<String> = redis::cmd("KEYS").arg(&pattern).query_async(&mut redis).await.unwrap();
        assert!(keys.len() >= 3, "{keys:?}");
        for key in keys {
            let value: Vec<u8> = redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap_or_default();
            let value = format!("{key} {}", String::from_utf8_lossy(&value));
            assert!([&link, &asked, &code].iter().all(|secret| !value.contains(secret.as_str())), "{key}");
            assert!(!value.contains(EMAIL), "{key}");
        }
    });
}

/// The tries of a code are its own; the link and the account go on.
#[test]
fn five_wrong_codes_end_a_request_and_harm_nothing_else() {
    test(async |app| {
        app.person(EMAIL).await;
        let (link, asked, code) = app.reset_message(EMAIL).await;
        for left in (0..5).rev() {
            let wrong = app.reset_by_code(&asked, other_than(&code), NEW).await.refused(422, "invalid_code");
            assert_eq!(wrong["attempts_left"], left);
        }
        app.reset_by_code(&asked, &code, NEW).await.refused(429, "too_many_attempts");
        app.reset_by_link(&link, NEW).await.ok(204);
        app.message_to(EMAIL).await;
    });
}

/// A right code beside a password that the policy refuses is not used up, and was no wrong try.
#[test]
fn a_refused_password_uses_nothing_up() {
    test(async |app| {
        app.person("hanakotanaka@example.jp").await;
        let (link, asked, code) = app.reset_message("hanakotanaka@example.jp").await;
        for _ in 0..6 {
            app.reset_by_code(&asked, &code, "1234567").await.faults(&["/new_password password_too_short"]);
            let refused = app.reset_by_code(&asked, &code, "hanakotanaka1").await;
            refused.faults(&["/new_password password_contains_context"]);
        }
        app.reset_by_link(&link, "hanakotanaka1").await.faults(&["/new_password password_contains_context"]);
        app.reset_by_code(&asked, &code, NEW).await.ok(204);
        app.message_to("hanakotanaka@example.jp").await;
    });
}
