//! Contact, tries, expiry, coming back.

use serde_json::json;

use super::CONTACT;
use super::HOUR;
use super::WAIT;
use super::WRONG;
use super::seconds_from;
use crate::support::test;

#[test]
fn the_contact_is_proved_by_a_code_and_the_wait_begins() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let body =
            json!({ "identifier": person.email, "contact": " Helper@Example.JP ", "lost": ["password", "email"] });
        let started = app.post("/v1/recoveries", &body).await.ok(202);
        assert_eq!(started["delivery"]["channel"], "email");
        assert_eq!(started["delivery"]["destination_hint"], "H•••@example.jp");
        let token = started["recovery_token"].as_str().unwrap();
        let before = app.inspect_recovery(token).await.ok(200);
        assert_eq!(before["state"], "awaiting_contact");
        assert!(before.get("opens_at").is_none(), "{before}");
        let code = app.code_to(CONTACT).await;
        assert_eq!(code.len(), 8);
        let now = app.clock.now().timestamp();
        let verified = app.verify_contact(token, &code).await.ok(200);
        assert_eq!(verified["state"], "waiting");
        assert!((WAIT.cast_signed() - 5..=WAIT.cast_signed() + 5).contains(&seconds_from(now, &verified["opens_at"])));
        assert!(seconds_from(now, &verified["expires_at"]) > 29 * 24 * HOUR.cast_signed());
        assert_eq!(app.inspect_recovery(token).await.ok(200)["state"], "waiting");
        app.verify_contact(token, &code).await.refused(409, "wrong_step");
        app.cancel_token_to(&person.email).await;
    });
}

#[test]
fn faults_are_told_together() {
    test(async |app| {
        let body = json!({ "identifier": "taro", "contact": "090", "lost": [], "client_id": "other" });
        let expected = [
            "/identifier invalid_email",
            "/contact country_code_required",
            "/lost required",
            "/client_id unknown_client",
        ];
        app.post("/v1/recoveries", &body).await.faults(&expected);
        let body = json!({ "identifier": "taro@example.jp", "contact": CONTACT, "lost": ["keys"] });
        app.post("/v1/recoveries", &body).await.faults(&["/lost/0 unknown_value"]);
        let long = "x".repeat(1001);
        let body = json!({ "identifier": "taro@example.jp", "contact": CONTACT, "lost": ["phone"], "message": long });
        app.post("/v1/recoveries", &body).await.faults(&["/message too_long"]);
        let token = app.recovery("nobody@example.jp", &["phone"]).await;
        app.recovery_code_to(&token, "taro").await.faults(&["/destination invalid_email"]);
        app.prove(&token, "fingerprint", "x").await.faults(&["/kind unknown_value"]);
        app.post("/v1/recoveries/resume", &json!({ "contact": "x" })).await.faults(&["/contact invalid_email"]);
    });
}

/// The code of the contact: five tries, ten minutes, once, and void after another.
#[test]
fn the_code_of_the_contact_has_five_tries_and_ten_minutes() {
    test(async |app| {
        let token = app.start_recovery("nobody@example.jp", &["phone"]).await;
        let first = app.code_to(CONTACT).await;
        for left in (0..5).rev() {
            let problem = app.verify_contact(&token, WRONG).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        app.verify_contact(&token, &first).await.refused(429, "too_many_attempts");
        app.recovery_code_to(&token, CONTACT).await.refused(429, "rate_limited");
        app.recovery_code_to(&token, "other@example.jp").await.refused(409, "wrong_step");
        app.advance(30);
        assert_eq!(app.recovery_code_to(&token, "HELPER@example.jp").await.ok(202)["state"], "awaiting_contact");
        let second = app.code_to(CONTACT).await;
        app.verify_contact(&token, &first).await.refused(422, "invalid_code");
        app.advance(600);
        app.verify_contact(&token, &second).await.refused(422, "invalid_code");
        app.recovery_code_to(&token, CONTACT).await.ok(202);
        let third = app.code_to(CONTACT).await;
        assert_eq!(app.verify_contact(&token, &third).await.ok(200)["state"], "waiting");
    });
}

#[test]
fn nothing_can_be_proved_before_the_contact_is() {
    test(async |app| {
        let token = app.start_recovery("nobody@example.jp", &["phone"]).await;
        app.prove(&token, "password", "correct horse battery").await.refused(409, "wrong_step");
        app.code_to(CONTACT).await;
    });
}

#[test]
fn a_recovery_is_over_after_a_day_without_its_contact_and_after_thirty_with_it() {
    test(async |app| {
        let idle = app.start_recovery("nobody@example.jp", &["phone"]).await;
        app.code_to(CONTACT).await;
        let kept = app.recovery("nobody@example.jp", &["phone"]).await;
        app.advance(24 * HOUR);
        app.inspect_recovery(&idle).await.refused(410, "recovery_token_invalid");
        app.recovery_code_to(&idle, CONTACT).await.refused(410, "recovery_token_invalid");
        app.advance(28 * 24 * HOUR);
        assert_eq!(app.recovery_state(&kept).await, "awaiting_operator");
        app.ignore_notices().await;
        app.advance(24 * HOUR);
        app.inspect_recovery(&kept).await.refused(410, "recovery_token_invalid");
        app.prove(&kept, "factor", "123456").await.refused(410, "recovery_token_invalid");
        sekisho::janitor::purge(&app.app).await.unwrap();
        assert_eq!(app.count("SELECT count(*) FROM recoveries").await, 1, "one was never begun in earnest");
        app.advance(60 * 24 * HOUR);
        sekisho::janitor::purge(&app.app).await.unwrap();
        assert_eq!(app.count("SELECT count(*) FROM recoveries").await, 0);
    });
}

#[test]
fn damaged_tokens_name_no_recovery() {
    test(async |app| {
        let token = app.start_recovery("nobody@example.jp", &["phone"]).await;
        let code = app.code_to(CONTACT).await;
        for bad in [&token[..token.len() - 1], &format!("{token}A"), &token.replace("rec_", "sit_"), "", "rec_"] {
            app.inspect_recovery(bad).await.refused(410, "recovery_token_invalid");
            app.verify_contact(bad, &code).await.refused(410, "recovery_token_invalid");
            app.cancel_recovery(bad).await.refused(410, "cancel_token_invalid");
        }
    });
}

/// Who closed the page comes back by the contact; whether a contact has a recovery is told to the contact alone.
#[test]
fn a_lost_token_is_replaced_by_a_message_to_the_contact() {
    test(async |app| {
        let first = app.recovery("nobody@example.jp", &["phone"]).await;
        let resume = async |contact: &str| {
            let answer = app.post("/v1/recoveries/resume", &json!({ "contact": contact })).await;
            assert_eq!((answer.status, &answer.body), (202, &serde_json::Value::Null));
        };
        resume("stranger@example.jp").await;
        resume(CONTACT).await;
        let second = app.code_to(CONTACT).await;
        assert!(second.starts_with("rec_") && second != first);
        for token in [&first, &second] {
            assert_eq!(app.recovery_state(token).await, "waiting");
        }
        resume(CONTACT).await;
        let third = app.code_to(CONTACT).await;
        app.inspect_recovery(&second).await.refused(410, "recovery_token_invalid");
        for token in [&first, &third] {
            assert_eq!(app.recovery_state(token).await, "waiting");
        }
        // One whose contact was never proved cannot be picked up by it.
        let unproved = json!({ "identifier": "a@example.jp", "contact": "b@example.jp", "lost": ["email"] });
        app.post("/v1/recoveries", &unproved).await.ok(202);
        app.code_to("b@example.jp").await;
        resume("b@example.jp").await;
    });
}

/// Five at once give the right code: one wait begins.
#[test]
fn a_contact_is_proved_once_however_many_race() {
    test(async |app| {
        let token = app.start_recovery("nobody@example.jp", &["phone"]).await;
        let code = app.code_to(CONTACT).await;
        let racers = (0..5).map(|_| app.verify_contact(&token, &code));
        let answers = futures_util::future::join_all(racers).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        let count = "SELECT count(*) FROM audit_events WHERE kind = 'recovery_contact_proved'";
        assert_eq!(app.count(count).await, 1);
    });
}
