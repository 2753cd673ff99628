//! Refresh tokens: the table in `src/sessions/mod.rs`, row by row.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;
use crate::support::test_with;

const REPEATED: &str = "SELECT count(*) FROM audit_events WHERE kind = 'refresh_repeated'";
const REUSED: &str = "SELECT count(*) FROM audit_events WHERE kind = 'refresh_token_reused'";
const DAY: u64 = 24 * 60 * 60;

fn token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().unwrap()
}

async fn account(app: &TestApp, tokens: &Value) -> Answer {
    app.with_token(tokens["access_token"].as_str().unwrap(), Method::GET, "/v1/account", None).await
}

#[test]
fn a_refresh_answers_new_tokens_of_the_same_session() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(60);
        let new = app.refresh(&taro.refresh_token()).await.ok(200);
        assert_ne!(new["refresh_token"], taro.tokens["refresh_token"]);
        assert_ne!(new["access_token"], taro.tokens["access_token"]);
        for same in ["session_id", "account_id", "account_status", "token_type", "expires_in", "recovery_codes_left"] {
            assert_eq!(new[same], taro.tokens[same], "{same}");
        }
        assert!(new.get("recovery_codes").is_none());
        let (before, after) = (claims(&taro.access()), claims(new["access_token"].as_str().unwrap()));
        for same in ["sub", "sid", "aud", "auth_time", "amr", "client_id", "acr"] {
            assert_eq!(before[same], after[same], "{same}");
        }
        assert_ne!(before["jti"], after["jti"]);
        account(app, &new).await.ok(200);
        app.refresh(token(&new)).await.ok(200);
    });
}

/// security.md 57: of 50 refreshes at once, all get the one successor.
#[test]
fn fifty_refreshes_at_once_get_one_successor() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let first = taro.refresh_token();
        let answers = join_all((0..50).map(|_| app.refresh(&first))).await;
        let successors: BTreeSet<_> = answers.into_iter().map(|answer| token(&answer.ok(200)).to_owned()).collect();
        assert_eq!(successors.len(), 1, "{successors:?}");
        app.refresh(successors.first().unwrap()).await.ok(200);
        assert_eq!(app.count(REPEATED).await, 0);
    });
}

/// design.md §5.3: within 30 s parallel tabs and retries get the same successor, and nobody is troubled.
#[test]
fn a_repeat_within_thirty_seconds_is_silent() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let new = app.refresh(&taro.refresh_token()).await.ok(200);
        for _ in 0..3 {
            app.advance(9);
            let again = app.refresh(&taro.refresh_token()).await.ok(200);
            assert_eq!(token(&again), token(&new));
        }
        assert_eq!(app.count(REPEATED).await, 0);
    });
}

/// design.md §5.3: a phone that lost the answer in a tunnel gets it once more, on the record; then it is a theft.
#[test]
fn a_late_repeat_is_answered_once_a_generation_and_audited() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let first = taro.refresh_token();
        let second = app.refresh(&first).await.ok(200);
        app.advance(31);
        assert_eq!(token(&app.refresh(&first).await.ok(200)), token(&second));
        assert_eq!(app.count(REPEATED).await, 1);
        app.advance(20);
        assert_eq!(token(&app.refresh(&first).await.ok(200)), token(&second), "its 30 s begin anew");
        assert_eq!(app.count(REPEATED).await, 1, "and are silent");
        app.advance(31);
        app.refresh(&first).await.refused(401, "refresh_token_reused");
        app.message_to("taro@example.jp").await;
        assert_eq!((app.count(REPEATED).await, app.count(REUSED).await), (1, 1));
    });
}

#[test]
fn each_generation_has_its_own_late_repeat() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut shown = taro.refresh_token();
        for generation in 1..=3 {
            let next = app.refresh(&shown).await.ok(200);
            app.advance(3600);
            assert_eq!(token(&app.refresh(&shown).await.ok(200)), token(&next));
            assert_eq!(app.count(REPEATED).await, generation);
            shown = token(&next).to_owned();
        }
    });
}

#[test]
fn fifty_late_repeats_at_once_are_audited_once() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let first = taro.refresh_token();
        let second = app.refresh(&first).await.ok(200);
        app.advance(31);
        for answer in join_all((0..50).map(|_| app.refresh(&first))).await {
            assert_eq!(token(&answer.ok(200)), token(&second));
        }
        assert_eq!(app.count(REPEATED).await, 1);
    });
}

/// security.md 56; RFC 9700 §4.14.2: the session dies for the thief and for the owner, who is told.
#[test]
fn a_token_that_comes_back_after_its_successor_was_used_ends_the_session() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let other = taro.sign_in().await;
        let second = app.refresh(&taro.refresh_token()).await.ok(200);
        let third = app.refresh(token(&second)).await.ok(200);
        app.refresh(&taro.refresh_token()).await.refused(401, "refresh_token_reused");
        for dead in [&taro.tokens, &second, &third] {
            app.refresh(token(dead)).await.refused(401, "session_revoked");
            account(app, dead).await.refused(401, "session_revoked");
        }
        let notice = app.message_to("taro@example.jp").await;
        assert!(notice.get("code").is_none(), "{notice}");
        assert_eq!(app.count(REUSED).await, 1);
        account(app, &other).await.ok(200);
        app.refresh(token(&other)).await.ok(200);
    });
}

/// security.md 56: whoever wins the race, there is one audit row and one notice.
#[test]
fn fifty_thieves_at_once_end_the_session_once() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let second = app.refresh(&taro.refresh_token()).await.ok(200);
        app.refresh(token(&second)).await.ok(200);
        let first = taro.refresh_token();
        let answers = join_all((0..50).map(|_| app.refresh(&first))).await;
        assert!(answers.iter().any(|answer| answer.body["code"] == "refresh_token_reused"));
        for answer in answers {
            let code =
                if answer.body["code"] == "session_revoked" { "session_revoked" } else { "refresh_token_reused" };
            answer.refused(401, code);
        }
        assert_eq!(app.count(REUSED).await, 1);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 64: idle and absolute lifetime both hold; a used session lives on.
#[test]
fn a_session_ends_when_it_was_idle_too_long() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(14 * DAY - 60);
        let new = app.refresh(&taro.refresh_token()).await.ok(200);
        app.advance(14 * DAY - 60);
        let new = app.refresh(token(&new)).await.ok(200);
        app.advance(14 * DAY);
        let problem = app.refresh(token(&new)).await.refused(401, "session_expired");
        assert_eq!(problem["reason"], "idle");
    });
}

/// security.md 58 and 64: however busy a session is, its absolute lifetime ends it.
#[test]
fn a_session_ends_when_it_is_too_old_however_busy() {
    let lifetimes = [("client.idle_lifetime_secs", "100"), ("client.absolute_lifetime_secs", "250")];
    test_with(&lifetimes, async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut tokens = taro.tokens.clone();
        for _ in 0..3 {
            app.advance(80);
            tokens = app.refresh(token(&tokens)).await.ok(200);
        }
        let [refresh, session] =
            ["refresh_expires_in", "session_expires_in"].map(|name| tokens[name].as_i64().unwrap());
        assert!(refresh <= 10 && session <= 10, "{tokens}");
        app.advance(10);
        let problem = app.refresh(token(&tokens)).await.refused(401, "session_expired");
        assert_eq!(problem["reason"], "absolute");
        let problem = account(app, &tokens).await.refused(401, "session_expired");
        assert_eq!(problem["reason"], "absolute");
        app.refresh(&taro.refresh_token()).await.refused(401, "session_expired");
        assert_eq!(app.count(REUSED).await, 0, "an old token of a dead session accuses nobody");
    });
}

#[test]
fn an_access_token_does_not_outlive_an_idle_session_here() {
    test_with(&[("client.idle_lifetime_secs", "60")], async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(60);
        assert_eq!(account(app, &taro.tokens).await.refused(401, "session_expired")["reason"], "idle");
    });
}

/// security.md 61: a token is read in exactly the form in which it was shown.
#[test]
fn damaged_tokens_are_refused_and_harm_nobody() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let good = taro.refresh_token();
        let swapped =
            good.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
        for damaged in [
            good[..good.len() - 1].to_owned(),
            good[..good.len() / 2].to_owned(),
            good[4..].to_owned(),
            format!("{good}A"),
            format!("{good}AAAA"),
            format!("{good}="),
            format!("{good} "),
            format!(" {good}"),
            good.to_uppercase(),
            good.to_lowercase(),
            swapped.collect(),
            good.replacen("srt_", "SRT_", 1),
            good.replacen("srt_", "sit_", 1),
            format!("srt_{}", "A".repeat(good.len() - 4)),
            "srt_".to_owned(),
            String::new(),
            "x".repeat(10_000),
        ] {
            app.refresh(&damaged).await.refused(401, "refresh_token_invalid");
        }
        app.post("/v1/sessions/refresh", &json!({})).await.refused(401, "refresh_token_invalid");
        app.refresh(&good).await.ok(200);
    });
}

/// security.md 50: no token opens what another kind of token opens.
#[test]
fn tokens_of_other_kinds_neither_refresh_nor_open() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        let sign_up = app.start_sign_up("hana@example.jp").await;
        app.message_to("hana@example.jp").await;
        for other in [taro.access(), flow["sign_in_token"].as_str().unwrap().to_owned(), sign_up] {
            app.refresh(&other).await.refused(401, "refresh_token_invalid");
        }
        for other in [taro.refresh_token(), flow["sign_in_token"].as_str().unwrap().to_owned()] {
            app.with_token(&other, Method::GET, "/v1/account", None).await.refused(401, "access_token_invalid");
        }
    });
}

/// security.md 51: a token for one service opens that one alone, and asking costs nothing when it is refused.
#[test]
fn an_audience_narrows_the_access_token_to_one_service() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let ask = async |token: &str, audience: &str| {
            app.post("/v1/sessions/refresh", &json!({ "refresh_token": token, "audience": audience })).await
        };
        for unknown in ["https://elsewhere.example.com", "https://orders.example.com/", "", app.url.as_str()] {
            ask(&taro.refresh_token(), unknown).await.faults(&["/audience unknown_value"]);
        }
        let narrow = ask(&taro.refresh_token(), "https://orders.example.com").await.ok(200);
        assert_eq!(claims(narrow["access_token"].as_str().unwrap())["aud"], json!(["https://orders.example.com"]));
        account(app, &narrow).await.refused(401, "access_token_invalid");
        let wide = app.refresh(token(&narrow)).await.ok(200);
        let expected = json!([app.url, "https://orders.example.com", "https://books.example.com"]);
        assert_eq!(claims(wide["access_token"].as_str().unwrap())["aud"], expected);
        account(app, &wide).await.ok(200);
    });
}
