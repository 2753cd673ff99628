//! Passwords that do not open the way: one answer for all.

use std::time::Duration;

use sekisho::clock::Stopwatch;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
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

/// security.md 6: whoever installs the service finds no account in it.
#[test]
fn nobody_is_there_from_the_start() {
    test(async |app| {
        for table in ["accounts", "identifiers", "passwords", "factors", "sessions", "devices", "sign_ups"] {
            let rows = sqlx::query_scalar::<_, i64>(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
            assert_eq!(rows.fetch_one(&app.app.db).await.unwrap(), 0, "{table}");
        }
        for (name, password) in [("admin", "admin"), ("root", "root"), ("admin", "password"), ("sekisho", "sekisho")] {
            app.start_sign_in(name, password).await.faults(&["/identifier invalid_email"]);
            for host in ["example.com", "example.jp", "localhost.localdomain"] {
                let address = format!("{name}@{host}");
                app.start_sign_in(&address, password).await.refused(401, "invalid_credentials");
            }
        }
    });
}

/// States that no endpoint brings an account into yet.
async fn set(app: &TestApp, change: &str, email: &str) {
    let change = format!("{change} = (SELECT account_id FROM identifiers WHERE lookup_key = $1)");
    let changed = sqlx::query(AssertSqlSafe(change)).bind(email).execute(&app.app.db).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
}

/// security.md 20: what an account is, is told to whoever knows its password, and to nobody else.
#[test]
fn a_closed_or_suspended_account_is_told_after_the_right_password_alone() {
    test(async |app| {
        for (email, status) in [("suspended@example.jp", "suspended"), ("closed@example.jp", "closed")] {
            app.person(email).await;
            set(app, &format!("UPDATE accounts SET status = '{status}' WHERE id"), email).await;
            app.start_sign_in(email, "another phrase").await.refused(401, "invalid_credentials");
            app.start_sign_in(email, PASSWORD).await.refused(403, &format!("account_{status}"));
        }
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'sign_in_refused'").await, 2);
    });
}

/// security.md 20.
#[test]
fn unknown_wrong_and_unverified_are_answered_alike() {
    test(async |app| {
        app.person("taro@example.jp").await;
        app.person("suspended@example.jp").await;
        set(app, "UPDATE accounts SET status = 'suspended' WHERE id", "suspended@example.jp").await;
        app.person("closed@example.jp").await;
        set(app, "UPDATE accounts SET status = 'closed' WHERE id", "closed@example.jp").await;
        app.person("no-password@example.jp").await;
        set(app, "UPDATE passwords SET hash_sealed = NULL WHERE account_id", "no-password@example.jp").await;
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
            ("suspended@example.jp", "another phrase"),
            ("closed@example.jp", "another phrase"),
            ("no-password@example.jp", PASSWORD),
            ("no-password@example.jp", ""),
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
                ("cORRECT hORSE bATTERY", "caps_lock"),
                ("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ", "full_width_input"),
                ("another phrase", "saved_password"),
            ] {
                let problem = app.start_sign_in(email, password).await.refused(401, "invalid_credentials");
                assert_eq!(problem["hints"][0]["code"], first, "{email}");
                assert!(problem["hints"].as_array().unwrap().iter().any(|hint| hint["code"] == "num_lock"), "no digit");
            }
        }
    });
}
