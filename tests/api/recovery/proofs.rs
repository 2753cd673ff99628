//! What counts as a proof, and what does not.

use sekisho::limits::Failing;
use sekisho::limits::Lane;
use serde_json::json;

use super::CONTACT;
use super::HOUR;
use super::NOTICE;
use super::WAIT;
use super::WRONG;
use crate::support::PASSWORD;
use crate::support::test;
use crate::support::test_with;

/// security.md 38: two kinds and the wait; one kind twice is one.
#[test]
fn two_kinds_of_proofs_and_the_wait_open_it() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["email"]).await;
        assert_eq!(app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200)["state"], "waiting");
        assert_eq!(app.prove(&token, "recovery_code", &person.recovery_codes[1]).await.ok(200)["state"], "waiting");
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        let code = app.totp(&person.factor).await;
        assert_eq!(app.prove(&token, "factor", &code).await.ok(200)["state"], "waiting");
        app.advance(NOTICE);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// security.md 20: what counts is shown, and is not used up by being given again; nobody's recovery looks like one whose proofs were wrong.
#[test]
fn the_proofs_that_count_are_shown_and_not_taken_twice() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let of_nobody = app.recovery("nobody@example.jp", &["phone"]).await;
        let token = app.recovery(&person.email, &["phone"]).await;
        for token in [&of_nobody, &token] {
            app.prove(token, "password", "another horse battery").await.refused(422, "invalid_code");
            app.prove(token, "factor", "000000").await.refused(422, "invalid_code");
            assert_eq!(app.inspect_recovery(token).await.ok(200)["proofs"], json!([]));
        }
        let (code, other) = (&person.recovery_codes[0], &person.recovery_codes[1]);
        assert_eq!(app.prove(&token, "recovery_code", code).await.ok(200)["proofs"], json!(["recovery_code"]));
        let unlooked = "SELECT proof_tries::bigint FROM recoveries ORDER BY id DESC LIMIT 1";
        let tries = app.count(unlooked).await;
        for again in [code, other, "7K2M-9QXR-4TVB-H3ND"] {
            let stands = app.prove(&token, "recovery_code", again).await.ok(200);
            assert_eq!((&stands["state"], &stands["proofs"]), (&json!("waiting"), &json!(["recovery_code"])));
        }
        assert_eq!(app.count(unlooked).await, tries);
        app.prove(&token, "password", PASSWORD).await.ok(200);
        let stands = app.recovery_code_to(&token, &person.email).await.ok(202);
        assert_eq!(stands["proofs"], json!(["recovery_code", "password"]));
        app.prove(&token, "code", WRONG).await.refused(422, "invalid_code");
        sqlx::query("UPDATE passwords SET version = version + 1").execute(&app.app.db).await.unwrap();
        assert_eq!(app.inspect_recovery(&token).await.ok(200)["proofs"], json!(["recovery_code"]));
        // The first one was used up, the second was not.
        let flow = person.start_sign_in().await;
        app.recovery_code(&flow, code).await.refused(422, "invalid_code");
        app.recovery_code(&flow, other).await.ok(201);
        app.ignore_notices().await;
    });
}

/// Four kinds of proof, each by itself; before the wait is over none of them opens anything.
#[test]
fn every_kind_of_proof_counts_and_none_shortens_the_wait() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        // The pause after the contact's code is over with it; the next one is after this code.
        app.recovery_code_to(&token, "TARO@example.jp").await.ok(202);
        let void = app.code_to(&person.email).await;
        app.recovery_code_to(&token, "TARO@example.jp").await.refused(429, "rate_limited");
        app.recovery_code_to(&token, "other@example.jp").await.refused(429, "rate_limited");
        app.advance(30);
        app.recovery_code_to(&token, "TARO@example.jp").await.ok(202);
        let code = app.code_to(&person.email).await;
        app.prove(&token, "code", &void).await.refused(422, "invalid_code");
        app.prove(&token, "code", WRONG).await.refused(422, "invalid_code");
        assert_eq!(app.prove(&token, "code", &code).await.ok(200)["state"], "waiting");
        app.prove(&token, "code", &code).await.refused(422, "invalid_code");
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        assert_eq!(app.count("SELECT count(*) FROM recovery_proofs").await, 4);
        app.advance(WAIT - 60);
        assert_eq!(app.recovery_state(&token).await, "waiting");
        app.advance(60);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// security.md 38: what is declared lost proves nothing.
#[test]
fn what_is_lost_proves_nothing() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["email", "password", "second_factor"]).await;
        app.cancel_token_to(&person.email).await;
        for (kind, value) in [("password", PASSWORD), ("factor", "123456")] {
            let refused = app.prove(&token, kind, value).await.refused(422, "invalid_fields");
            assert_eq!(refused["errors"][0]["code"], "not_supported");
            assert_eq!((&refused["errors"][0]["pointer"], &refused["reason"]), (&json!("/kind"), &json!("lost")));
        }
        app.advance(30);
        // No message goes to the lost mailbox; the drop guard of the test says so.
        app.recovery_code_to(&token, &person.email).await.ok(202);
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.message_to(&person.email).await;
    });
}

/// The code of the contact is no proof, whoever has the contact; nor is a code for a stranger's address.
#[test]
fn a_code_goes_to_destinations_of_the_account_alone() {
    test(async |app| {
        let (person, other) = (app.person("taro@example.jp").await, app.person("hanako@example.jp").await);
        let token = app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        for to in [CONTACT, &other.email, "nobody@example.jp", "+81 90 1234 5678"] {
            app.advance(30);
            assert_eq!(app.recovery_code_to(&token, to).await.ok(202)["state"], "waiting");
        }
        // Every destination was answered alike; nothing left, as the end of the test sees.
        assert_eq!(app.count("SELECT count(*) FROM recovery_proofs").await, 0);
    });
}

/// A factor that was just enrolled is a proof of nothing by message, and an account's first identifier is not new to it.
#[test]
fn a_phone_that_is_a_factor_proves_like_a_factor_once_it_is_old_enough() {
    test(async |app| {
        let mut person = app.person("taro@example.jp").await;
        let phone = "+819012345678";
        let access = person.reauthenticate().await;
        let add = json!({ "kind": "phone", "phone": phone });
        let added = app.with_token(&access, reqwest::Method::POST, "/v1/account/factors", Some(&add)).await.ok(201);
        let confirm = json!({ "method": "code", "code": app.code_to(phone).await });
        let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
        app.with_token(&access, reqwest::Method::POST, &path, Some(&confirm)).await.ok(200);
        app.message_to(&person.email).await;
        person.tokens = json!({});

        let token = app.recovery(&person.email, &["email"]).await;
        let stop = [app.cancel_token_to(&person.email).await, app.cancel_token_to(phone).await];
        assert_ne!(stop[0], stop[1], "each its own");
        app.advance(30);
        app.recovery_code_to(&token, phone).await.ok(202);
        app.advance(72 * HOUR);
        app.ignore_notices().await;
        app.recovery_code_to(&token, phone).await.ok(202);
        let code = app.code_to(phone).await;
        assert_eq!(app.prove(&token, "code", &code).await.ok(200)["state"], "awaiting_operator");
        let code = app.totp(&person.factor).await;
        assert_eq!(
            app.prove(&token, "factor", &code).await.ok(200)["state"],
            "awaiting_operator",
            "two factors, one kind"
        );
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.advance(NOTICE);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

#[test]
fn a_proof_of_somebody_else_is_wrong() {
    test(async |app| {
        let (person, other) = (app.person("taro@example.jp").await, app.person("hanako@example.jp").await);
        let token = app.recovery(&person.email, &["phone"]).await;
        app.prove(&token, "recovery_code", &other.recovery_codes[0]).await.refused(422, "invalid_code");
        let code = app.totp(&other.factor).await;
        app.prove(&token, "factor", &code).await.refused(422, "invalid_code");
        let flow = other.start_sign_in().await;
        app.second_factor(&flow, &code).await.ok(201);
        app.ignore_notices().await;
    });
}

/// Five tries at a code, five at the apps, twenty wrong proofs in all; a right one does not count.
#[test]
fn wrong_proofs_are_few() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        app.recovery_code_to(&token, &person.email).await.ok(202);
        app.prove(&token, "code", &app.code_to(&person.email).await).await.ok(200);
        app.advance(30);
        app.recovery_code_to(&token, &person.email).await.ok(202);
        for left in (0..5).rev() {
            assert_eq!(app.prove(&token, "code", WRONG).await.refused(422, "invalid_code")["attempts_left"], left);
        }
        app.prove(&token, "code", WRONG).await.refused(429, "too_many_attempts");
        for (kind, value, tries) in [("factor", "000000", 5), ("recovery_code", "7K2M-9QXR-4TVB-H3ND", 10)] {
            for left in (0..tries).rev() {
                let problem = app.prove(&token, kind, value).await.refused(422, "invalid_code");
                assert_eq!(problem["attempts_left"], left, "{kind}");
            }
            let problem = app.prove(&token, kind, value).await.refused(429, "too_many_attempts");
            assert!(problem["retry_after"].as_u64().unwrap() > 24 * HOUR, "{problem}");
        }
        let problem = app.prove(&token, "password", PASSWORD).await.refused(429, "too_many_attempts");
        assert!(problem["retry_after"].as_u64().unwrap() > 24 * HOUR, "{problem}");
        assert_eq!(app.recovery_state(&token).await, "waiting", "an operator can still decide");
        app.ignore_notices().await;
    });
}

/// A password that has changed since it was proved is none: it was somebody else's knowledge.
#[test]
fn a_password_that_has_changed_is_no_proof_any_more() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "open");
        sqlx::query("UPDATE passwords SET version = version + 1").execute(&app.app.db).await.unwrap();
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.ignore_notices().await;
    });
}

/// A recovery code and a time step are used up by the one proof that comes first.
#[test]
fn a_proof_is_used_up_once_however_many_race() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let tokens = [app.recovery(&person.email, &["phone"]).await, app.recovery(&person.email, &["phone"]).await];
        let code = app.totp(&person.factor).await;
        for (kind, value) in [("factor", code.as_str()), ("recovery_code", &person.recovery_codes[0])] {
            let racers = (0..6).map(|n| app.prove(&tokens[n % 2], kind, value));
            for answer in futures_util::future::join_all(racers).await {
                // The others of the same recovery may find the kind proved.
                assert!([200, 422].contains(&answer.status), "{kind}: {:#}", answer.body);
            }
        }
        let given = "SELECT count(*) FROM audit_events WHERE kind = 'recovery_proof_given'";
        assert_eq!((app.count(given).await, app.count("SELECT count(*) FROM recovery_proofs").await), (2, 2));
        app.ignore_notices().await;
    });
}

/// One recovery code is enough for one recovery, however many are given at once.
#[test]
fn of_recovery_codes_that_race_one_is_used_up() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        let racers = person.recovery_codes.iter().take(6).map(|code| app.prove(&token, "recovery_code", code));
        for answer in futures_util::future::join_all(racers).await {
            answer.ok(200);
        }
        assert_eq!(person.get("/v1/account/recovery-codes").await.ok(200)["remaining"], 9);
        app.ignore_notices().await;
    });
}

/// A mailbox is worth a mailbox: its code does not take back what was guessed at an authenticator app.
#[test]
fn a_right_code_of_a_mailbox_forgives_no_guess_at_an_app() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let person = app.person("taro@example.jp").await;
        let account = person.tokens["account_id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap().into();
        let guesses = async || app.app.failures.standing(Lane::Recovery, Failing::Account(account)).await.unwrap().0;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        for _ in 0..3 {
            app.prove(&token, "factor", "000000").await.refused(422, "invalid_code");
        }
        assert_eq!(guesses().await, 3);
        app.advance(30);
        app.recovery_code_to(&token, &person.email).await.ok(202);
        app.prove(&token, "code", &app.code_to(&person.email).await).await.ok(200);
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.prove(&token, "recovery_code", "7K2M-9QXR-4TVB-H3ND").await.refused(422, "invalid_code");
        assert_eq!(guesses().await, 3);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        assert_eq!(guesses().await, 0, "what is right ends the count of its kind");
    });
}
