//! Passwords that do not open the way: one answer for all.

use std::time::Duration;

use sekisho::clock::Stopwatch;
use serde_json::Value;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::test;
use crate::support::test_with;

/// What a stranger sees of an answer: status, header names with the length of the body, and all of the body but the
/// id of the request.
fn seen(answer: Answer) -> (Vec<String>, String, Value) {
    let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let length = answer.header("content-length").to_owned();
    let mut body = answer.refused(401, "invalid_credentials");
    assert!(body.as_object_mut().unwrap().remove("request_id").is_some());
    (names, length, body)
}

/// security.md 20. Closed and suspended are out of reach of this API still.
#[test]
fn unknown_wrong_and_unverified_are_answered_alike() {
    test(async |app| {
        app.person("taro@example.jp").await;
        app.sign_up("enrols-nothing@example.jp").await;
        app.start_sign_up("unverified@example.jp").await;
        app.message_to("unverified@example.jp").await;
        let endless = "x".repeat(129);
        let tries = [
            ("nobody@example.jp", PASSWORD),
            ("taro@example.jp", "another phrase"),
            ("taro@example.jp", ""),
            ("taro@example.jp", endless.as_str()),
            ("taro@example.jp", "control\u{7}characters"),
            ("nobody@example.jp", ""),
            ("nobody@example.jp", endless.as_str()),
            ("enrols-nothing@example.jp", "another phrase"),
            ("unverified@example.jp", PASSWORD),
            ("unverified@example.jp", "another phrase"),
        ];
        let mut answers = Vec::new();
        for (email, password) in tries {
            answers.push(seen(app.start_sign_in(email, password).await));
        }
        for (answer, (email, password)) in answers.iter().zip(tries) {
            assert_eq!(answer, &answers[0], "{email} with {password:?}");
        }
    });
}

/// security.md 20: a refusal takes a whole step from arrival, whatever was wrong.
#[test]
fn refusals_take_a_whole_step_of_time() {
    test_with(&[("sign_in.failure_step_ms", "200")], async |app| {
        app.person("taro@example.jp").await;
        for (email, password) in [("nobody@example.jp", PASSWORD), ("taro@example.jp", "another phrase")] {
            let arrival = Stopwatch::start();
            app.start_sign_in(email, password).await.refused(401, "invalid_credentials");
            assert!(arrival.elapsed() >= Duration::from_millis(200), "{email}: {:?}", arrival.elapsed());
        }
    });
}

/// Every failure is on record, with the account when there is one.
#[test]
fn failures_are_on_record() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", "another phrase").await.refused(401, "invalid_credentials");
        app.start_sign_in("nobody@example.jp", PASSWORD).await.refused(401, "invalid_credentials");
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, "not a code").await.refused(422, "invalid_code");
        let failed = "SELECT count(*) FROM audit_events WHERE kind = 'sign_in_failed'";
        assert_eq!(app.count(failed).await, 2);
        let known = "SELECT count(account_id) FROM audit_events WHERE kind = 'sign_in_failed'";
        assert_eq!(app.count(known).await, 1);
        let codes = "SELECT count(*) FROM audit_events WHERE kind = 'second_factor_failed'";
        assert_eq!(app.count(codes).await, 1);
    });
}

/// What is refused for its form is not a failed sign-in.
#[test]
fn a_body_that_cannot_be_read_is_no_failure_of_anyone() {
    test(async |app| {
        app.person("taro@example.jp").await;
        app.start_sign_in("taro", PASSWORD).await.faults(&["/identifier invalid_email"]);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'sign_in_failed'").await, 0);
    });
}

/// Hints come from what was typed, for known and unknown alike.
#[test]
fn a_refusal_hints_at_what_the_typing_shows() {
    test(async |app| {
        app.person("taro@example.jp").await;
        for email in ["taro@example.jp", "nobody@example.jp"] {
            for (password, first) in [
                ("CORRECT HORSE BATTERY", "caps_lock"),
                ("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ", "full_width_input"),
                ("another phrase", "saved_password"),
            ] {
                let problem = app.start_sign_in(email, password).await.refused(401, "invalid_credentials");
                assert_eq!(problem["hints"][0]["code"], first, "{email}");
            }
        }
    });
}
