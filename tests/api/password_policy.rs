//! `src/password_policy`, through the endpoints that take a new password.

use std::time::Duration;

use aws_lc_rs::digest;
use sekisho::clock::Stopwatch;
use serde_json::json;

use crate::support::Answer;
use crate::support::Folder;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

async fn sign_up_with(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/sign-ups", &json!({ "identifier": email, "password": password })).await
}

/// Signs up with a password and says whether a sign-in with another (or the same) one is let through.
async fn opens(app: &TestApp, email: &str, chosen: &str, typed: &[&str]) -> Vec<bool> {
    let started = sign_up_with(app, email, chosen).await.ok(202);
    let code = app.code_to(email).await;
    app.verify(started["sign_up_token"].as_str().unwrap(), &code).await.ok(200);
    let mut opened = Vec::new();
    for password in typed {
        let answer = app.start_sign_in(email, password).await;
        opened.push(answer.status == 200);
        if answer.status != 200 {
            answer.refused(401, "invalid_credentials");
        }
    }
    opened
}

/// security.md 10: code points count, whatever their size.
#[test]
fn eight_code_points_are_enough_and_seven_are_not() {
    test(async |app| {
        for short in ["Kj3$x9w", "🦊🐙🦉🐝🦀🐬🦋", "e\u{301}Kj3$x9"] {
            sign_up_with(app, "taro@example.jp", short).await.faults(&["/password password_too_short"]);
        }
        for (email, enough) in [("a@example.jp", "Kj3$x9wq"), ("b@example.jp", "🦊🐙🦉🐝🦀🐬🦋🌵")] {
            assert_eq!(opens(app, email, enough, &[enough]).await, [true]);
        }
    });
}

/// security.md 11.
#[test]
fn long_passwords_with_spaces_and_any_script_open_the_account() {
    test(async |app| {
        let long: String = "correct horse 電池 🦊 ".chars().cycle().take(64).collect();
        let longest: String = "staple 正しい馬 ünïcode ".chars().cycle().take(128).collect();
        assert_eq!(opens(app, "a@example.jp", &long, &[&long]).await, [true]);
        assert_eq!(opens(app, "b@example.jp", &longest, &[&longest]).await, [true]);
        let too_long = format!("{longest}x");
        sign_up_with(app, "c@example.jp", &too_long).await.faults(&["/password password_too_long"]);
    });
}

/// security.md 12: nothing is cut, folded or trimmed.
#[test]
fn the_whole_password_counts_as_it_was_typed() {
    test(async |app| {
        let chosen: String = "Tidal mango ledger ".chars().cycle().take(79).chain(['Z']).collect();
        let lower = chosen.to_lowercase();
        let padded = format!("{chosen} ");
        assert_eq!(
            opens(
                app,
                "a@example.jp",
                &chosen,
                &[&chosen[..72], &lower, &padded, chosen.trim_end_matches('Z'), &chosen]
            )
            .await,
            [false, false, false, false, true]
        );
        let spaced = " tidal mango ledger ";
        assert_eq!(opens(app, "b@example.jp", spaced, &[spaced.trim(), spaced]).await, [false, true]);
    });
}

/// security.md 13: one password in whatever form the keyboard composes it.
#[test]
fn a_password_is_the_same_however_its_letters_are_composed() {
    test(async |app| {
        let typed = ["cafe\u{301} fermé lundi", "café ferme\u{301} lundi", "ｃａｆé　fermé lundi", "cafe ferme lundi"];
        assert_eq!(opens(app, "a@example.jp", "café fermé lundi", &typed).await, [true, true, true, false]);
        assert_eq!(opens(app, "b@example.jp", "ﾊﾝｶｸ カナ ㌔㍍ ①②", &["ハンカク カナ キロメートル 12"]).await, [true]);
    });
}

/// security.md 14: each refusal names its reason.
#[test]
fn passwords_that_an_attacker_tries_first_are_refused() {
    test(async |app| {
        for (password, reason) in [
            ("password1", "password_too_common"),
            ("PASSWORD1", "password_too_common"),
            ("12345678", "password_too_common"),
            ("hanako.tanaka", "password_contains_context"),
            ("hanako.tanaka@example.jp", "password_contains_context"),
            ("Sekisho-2026", "password_contains_context"),
            ("tanaka1990", "password_contains_context"),
            ("eight\u{7}chars", "invalid_characters"),
            ("eight\u{85}chars", "invalid_characters"),
        ] {
            let fault = format!("/password {reason}");
            sign_up_with(app, "hanako.tanaka@example.jp", password).await.faults(&[&fault]);
        }
        let body = json!({ "identifier": "h@example.jp", "password": "Shimizu-1990", "display_name": "Rin Shimizu" });
        app.post("/v1/sign-ups", &body).await.faults(&["/password password_contains_context"]);
    });
}

/// security.md 14: what has leaked somewhere is known to attackers, however good it looks.
#[test]
fn a_password_from_a_list_of_breaches_is_refused() {
    let leaked = "tidal mango ledger vowel";
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, leaked.as_bytes());
    let folder = Folder::new();
    std::fs::create_dir(folder.path()).unwrap();
    let list = folder.path().join("breached");
    std::fs::write(&list, format!("{}:7\n", data_encoding::HEXUPPER.encode(digest.as_ref()))).unwrap();
    test_with(&[("password.breached_file", list.to_str().unwrap())], async |app| {
        sign_up_with(app, "taro@example.jp", leaked).await.faults(&["/password password_breached"]);
        let check = app.post("/v1/passwords/check", &json!({ "password": leaked })).await.ok(200);
        assert_eq!((&check["acceptable"], &check["errors"][0]["code"]), (&json!(false), &json!("password_breached")));
        sign_up_with(app, "taro@example.jp", "tidal mango ledger towel").await.ok(202);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 18: a password is good until its owner changes it.
#[test]
fn a_password_does_not_grow_old() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(20 * 366 * 24 * 3600);
        let flow = taro.start_sign_in().await;
        assert_eq!(flow["next"], "second_factor");
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
    });
}

/// security.md 15: no rule of composition.
#[test]
fn a_phrase_in_lower_case_is_accepted() {
    test(async |app| {
        assert_eq!(opens(app, "a@example.jp", "tidalmangoledgervowe", &["tidalmangoledgervowe"]).await, [true]);
    });
}

/// security.md 17: what no policy accepts costs no hash and little time.
#[test]
fn a_password_of_a_mebibyte_is_refused_unread() {
    test_with(&[("metrics.listen", "127.0.0.1:0")], async |app| {
        let huge = "x".repeat(1 << 20);
        let started = Stopwatch::start();
        for refused in [
            sign_up_with(app, "taro@example.jp", &huge).await,
            app.start_sign_in("taro@example.jp", &huge).await,
            app.post("/v1/passwords/check", &json!({ "password": huge })).await,
        ] {
            refused.refused(413, "body_too_large");
        }
        // Most of it is the client's own work, in a build without optimisation.
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        // As long as a body may be: the policy refuses it before any hash.
        let long = "x".repeat(15_000);
        sign_up_with(app, "taro@example.jp", &long).await.faults(&["/password password_too_long"]);
        let text =
            reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        assert!(text.contains("sekisho_hash_wait_seconds_count 0\n"), "{text}");
    });
}

/// A person is told while they type what the sign-up would say.
#[test]
fn the_opinion_agrees_with_the_sign_up() {
    test(async |app| {
        for password in ["Kj3$x9w", "password1", "hanako1990", "eight\u{7}chars", &"x y".repeat(43)] {
            let body = json!({ "password": password, "identifier": "hanako@example.jp" });
            let opinion = app.post("/v1/passwords/check", &body).await.ok(200);
            assert_eq!(opinion["acceptable"], false);
            let told: Vec<_> = opinion["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
            let problem = sign_up_with(app, "hanako@example.jp", password).await.refused(422, "invalid_fields");
            let refused: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
            assert_eq!(told, refused, "{password}");
        }
    });
}

#[test]
fn the_opinion_on_a_weak_password_that_is_allowed_is_advice() {
    test(async |app| {
        let weak = app.post("/v1/passwords/check", &json!({ "password": "aaaabbbbc" })).await.ok(200);
        assert_eq!((&weak["acceptable"], &weak["errors"]), (&json!(true), &json!([])));
        assert!(weak["score"].as_u64().unwrap() < 3);
        assert!(!weak["suggestions"].as_array().unwrap().is_empty());
        let strong = json!({ "password": "tidal mango ledger vowel" });
        let strong = app.post("/v1/passwords/check", &strong).await.ok(200);
        assert_eq!((&strong["acceptable"], &strong["score"]), (&json!(true), &json!(4)));
        app.post("/v1/passwords/check", &json!({})).await.faults(&["/password required"]);
        let surplus = json!({ "password": "tidal mango ledger", "name": "Taro" });
        app.post("/v1/passwords/check", &surplus).await.refused(400, "unsupported_field");
    });
}
