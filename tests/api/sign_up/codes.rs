//! The code of a sign-up: its tries, its time, its successors.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const TARO: &str = "taro@example.jp";

async fn resend(app: &TestApp, token: &str) -> Answer {
    app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token })).await
}

/// A code that is not this one.
fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

/// security.md 4 and 31.
#[test]
fn after_a_resend_the_old_code_is_void() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        let old = app.code_to(TARO).await;
        app.verify(&token, other_than(&old)).await.refused(422, "invalid_code");
        app.advance(30);
        let delivery = resend(app, &token).await.ok(202);
        assert_eq!(delivery["destination_hint"], "t•••@example.jp");
        assert_eq!((&delivery["expires_in"], &delivery["resend_after"]), (&json!(600), &json!(30)));
        let new = app.code_to(TARO).await;
        if new != old {
            let problem = app.verify(&token, &old).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], 4, "a new code comes with new tries");
        }
        app.verify(&token, &new).await.ok(200);
    });
}

#[test]
fn another_code_can_be_asked_for_after_thirty_seconds() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        app.message_to(TARO).await;
        app.advance(20);
        let answer = resend(app, &token).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&wait), "{wait}");
        assert_eq!(answer.refused(429, "rate_limited")["retry_after"], wait);
        app.advance(wait);
        resend(app, &token).await.ok(202);
        resend(app, &token).await.refused(429, "rate_limited");
        app.message_to(TARO).await;
        assert_eq!(app.count("SELECT count(*) FROM outbox WHERE kind = 'sign_up_code'").await, 2);
    });
}

#[test]
fn of_many_who_ask_for_another_code_at_once_one_gets_it() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        app.message_to(TARO).await;
        app.advance(30);
        let answers = futures_util::future::join_all((0..50).map(|_| resend(app, &token))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 202) {
            answer.refused(429, "rate_limited");
        }
        app.message_to(TARO).await;
    });
}

#[test]
fn a_sign_up_sends_ten_codes_at_most() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        let mut code = app.code_to(TARO).await;
        for _ in 1..10 {
            app.advance(30);
            resend(app, &token).await.ok(202);
            code = app.code_to(TARO).await;
        }
        app.advance(30);
        resend(app, &token).await.refused(429, "message_limit_reached");
        app.verify(&token, &code).await.ok(200);
    });
}

#[test]
fn the_way_of_a_code_is_that_of_its_identifier() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        app.message_to(TARO).await;
        app.advance(30);
        for channel in ["sms", "voice"] {
            let body = json!({ "sign_up_token": token, "channel": channel });
            app.post("/v1/sign-ups/resend", &body).await.faults(&["/channel not_supported"]);
        }
        let pigeon = json!({ "sign_up_token": token, "channel": "pigeon" });
        app.post("/v1/sign-ups/resend", &pigeon).await.faults(&["/channel unknown_value"]);
        app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token, "channel": "email" })).await.ok(202);
        app.message_to(TARO).await;
    });
}

/// Five wrong codes, then not even the right one is looked at; another code comes with new tries.
/// security.md 32: sign-up after sign-up, the guesses of one network at one address are one count, whether or not the address
/// is taken; another network is not concerned.
#[test]
fn guesses_at_one_address_add_up() {
    test_with(&[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")], async |app| {
        app.person("taken@example.jp").await;
        let verify = async |from: &str, token: &str, code: &str| {
            let request = app.request(Method::POST, "/v1/sign-ups/verify").header("x-forwarded-for", from);
            app.send(request.json(&json!({ "sign_up_token": token, "code": code }))).await
        };
        let (mut newest, mut right) = (String::new(), String::new());
        for _ in 0..20 {
            app.advance(720);
            for address in ["taken@example.jp", TARO] {
                newest = app.start_sign_up(address).await;
                right = if address == TARO { app.code_to(TARO).await } else { String::new() };
                for _ in 0..5 {
                    verify("203.0.113.9", &newest, other_than(&right)).await.refused(422, "invalid_code");
                }
            }
        }
        verify("203.0.113.9", &newest, &right).await.refused(429, "too_many_attempts");
        app.advance(720);
        let taken = app.start_sign_up("taken@example.jp").await;
        verify("203.0.113.9", &taken, "000000").await.refused(429, "too_many_attempts");
        newest = app.start_sign_up(TARO).await;
        right = app.code_to(TARO).await;
        verify("203.0.113.9", &newest, &right).await.refused(429, "too_many_attempts");
        verify("203.0.113.10", &newest, &right).await.ok(200);
        app.ignore_messages().await;
    });
}

#[test]
fn after_five_wrong_codes_the_right_one_does_not_count() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        let code = app.code_to(TARO).await;
        for left in [4, 3, 2, 1, 0] {
            let problem = app.verify(&token, other_than(&code)).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        app.verify(&token, &code).await.refused(429, "too_many_attempts");
        app.advance(30);
        resend(app, &token).await.ok(202);
        app.verify(&token, &app.code_to(TARO).await).await.ok(200);
    });
}

/// security.md 4 and 33: ten minutes, and not a second more.
#[test]
fn a_code_is_good_for_ten_minutes() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        let late = app.code_to(TARO).await;
        app.advance(601);
        app.verify(&token, &late).await.refused(422, "invalid_code");
        resend(app, &token).await.ok(202);
        let code = app.code_to(TARO).await;
        app.advance(595);
        app.verify(&token, &code).await.ok(200);
    });
}

/// security.md 4: six digits that nobody can foretell, and that open nothing but the sign-up.
#[test]
fn a_code_is_drawn_at_random_and_is_no_password() {
    test(async |app| {
        let mut codes = BTreeSet::new();
        for n in 0..20 {
            let email = format!("taro{n}@example.jp");
            let token = app.start_sign_up(&email).await;
            let code = app.code_to(&email).await;
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
            app.start_sign_in(&email, &code).await.refused(401, "invalid_credentials");
            app.verify(&token, &code).await.ok(200);
            app.start_sign_in(&email, &code).await.refused(401, "invalid_credentials");
            codes.insert(code);
        }
        // Two alike among twenty of a million happen once in five thousand runs, three never.
        assert!(codes.len() >= 19, "{codes:?}");
        let first: BTreeSet<_> = codes.iter().map(|code| &code[..1]).collect();
        assert!(first.len() > 2, "{codes:?}");
    });
}

#[test]
fn a_sign_up_waits_for_a_day() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        app.message_to(TARO).await;
        app.advance(24 * 3600 - 60);
        resend(app, &token).await.ok(202);
        let code = app.code_to(TARO).await;
        app.advance(61);
        app.verify(&token, &code).await.refused(410, "sign_up_expired");
        resend(app, &token).await.refused(410, "sign_up_expired");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
    });
}

/// security.md 61: a token that was cut, lengthened or written otherwise names nothing.
#[test]
fn damaged_tokens_name_nothing() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        let code = app.code_to(TARO).await;
        let swapped: String = token[4..]
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        let damaged = [
            String::new(),
            "sup_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            format!(" {token}"),
            format!("sup_{swapped}"),
            format!("sit_{}", &token[4..]),
            token[4..].to_owned(),
            "A".repeat(4000),
        ];
        for token in damaged {
            app.verify(&token, &code).await.refused(410, "sign_up_expired");
            resend(app, &token).await.refused(410, "sign_up_expired");
        }
        app.verify(&token, &code).await.ok(200);
        resend(app, &token).await.refused(410, "sign_up_expired");
    });
}

/// security.md 31: the code of one sign-up is nothing to another.
#[test]
fn a_code_counts_in_its_own_sign_up_only() {
    test(async |app| {
        let taro = app.start_sign_up(TARO).await;
        let taros = app.code_to(TARO).await;
        let hana = app.start_sign_up("hana@example.jp").await;
        let hanas = app.code_to("hana@example.jp").await;
        if taros != hanas {
            app.verify(&taro, &hanas).await.refused(422, "invalid_code");
            app.verify(&hana, &taros).await.refused(422, "invalid_code");
        }
        app.verify(&taro, &taros).await.ok(200);
    });
}

#[test]
fn a_code_may_be_typed_as_people_type() {
    test(async |app| {
        let full_width =
            |code: &str| code.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect::<String>();
        let forms: [fn(&str) -> String; 3] = [
            |code| format!("{} {}", &code[..3], &code[3..]),
            |code| format!(" {code} "),
            |code| format!("{}-{}", &code[..3], &code[3..]),
        ];
        for (place, form) in forms.iter().enumerate() {
            let email = format!("taro{place}@example.jp");
            let token = app.start_sign_up(&email).await;
            app.verify(&token, &full_width(&form(&app.code_to(&email).await).replace([' ', '-'], ""))).await.ok(200);
            let email = format!("hana{place}@example.jp");
            let token = app.start_sign_up(&email).await;
            app.verify(&token, &form(&app.code_to(&email).await)).await.ok(200);
        }
        let token = app.start_sign_up(TARO).await;
        app.message_to(TARO).await;
        let number: Value = json!({ "sign_up_token": token, "code": 123_456 });
        app.post("/v1/sign-ups/verify", &number).await.refused(400, "malformed_request");
    });
}
