//! Enough that is proved late in the wait, or after it.

use serde_json::json;

use super::CONTACT;
use super::HOUR;
use super::NOTICE;
use super::WAIT;
use super::outliving::add_phone;
use super::seconds_from;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const PHONE: &str = "+819012345678";
const NEW: &str = "tidal mango ledger vowel";
const DAY: u64 = 24 * HOUR;

/// The token of the newest message to an owner that has one; the others are read.
async fn newest_stop(app: &TestApp, address: &str) -> String {
    app.due_is_told().await;
    loop {
        if let Some(stop) = app.message_to(address).await["code"].as_str() {
            return stop.to_owned();
        }
    }
}

/// security.md 40: who begins and proves nothing until its owner has long heard no more of it serves no wait by that.
#[test]
fn enough_that_comes_late_leaves_the_owner_a_day() {
    test(async |app| {
        let person = app.person(TARO).await;
        let token = app.recovery(TARO, &["second_factor"]).await;
        app.advance(20 * DAY);
        app.ignore_notices().await;
        assert_eq!(app.prove(&token, "password", PASSWORD).await.ok(200)["state"], "awaiting_operator");
        let stands = app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        let now = app.clock.now().timestamp();
        assert_eq!(stands["state"], "waiting");
        let left = seconds_from(now, &stands["opens_at"]);
        assert!((NOTICE.cast_signed() - 5..=NOTICE.cast_signed()).contains(&left), "{stands:#}");
        app.complete_recovery(&token, None).await.refused(409, "wrong_step");
        assert!(newest_stop(app, TARO).await.starts_with("rcc_"), "the owner is told at once");
        assert_eq!(app.message_to(CONTACT).await["subject"], "One more day until you can get back into Sekisho");
        // What has counted is not looked at again, and moves nothing.
        let again = app.prove(&token, "password", PASSWORD).await.ok(200);
        assert_eq!(again["opens_at"], stands["opens_at"]);
        app.advance(NOTICE - 60);
        app.complete_recovery(&token, None).await.refused(409, "wrong_step");
        app.advance(60);
        app.ignore_notices().await;
        assert_eq!(app.complete_recovery(&token, None).await.ok(200)["next"], "enrol_second_factor");
        app.ignore_notices().await;
    });
}

/// On a day that had its notice as well; and the tokens of the days before are good still.
#[test]
fn the_owner_can_end_what_was_proved_late() {
    test(async |app| {
        for (address, newest) in [(TARO, true), ("hanako@example.jp", false)] {
            let person = app.person(address).await;
            let token = app.recovery(address, &["email"]).await;
            let first = app.cancel_token_to(address).await;
            app.advance(WAIT);
            app.ignore_notices().await;
            app.prove(&token, "password", PASSWORD).await.ok(200);
            app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
            let stop = newest_stop(app, address).await;
            let stop = if newest { stop } else { first };
            assert_eq!(app.cancel_recovery(&stop).await.status, 204);
            assert_eq!(app.recovery_state(&token).await, "cancelled");
            app.ignore_notices().await;
        }
    });
}

/// The second of two that come together sees the first.
#[test]
fn two_proofs_that_race_leave_the_owner_a_day_as_well() {
    test(async |app| {
        for round in 0..5 {
            let person = app.person(&format!("taro{round}@example.jp")).await;
            let token = app.recovery(&person.email, &["email"]).await;
            app.advance(WAIT);
            let code = app.totp(&person.factor).await;
            let (one, other) = tokio::join!(
                app.prove(&token, "factor", &code),
                app.prove(&token, "recovery_code", &person.recovery_codes[0])
            );
            assert_eq!((one.status, other.status), (200, 200), "{:#} {:#}", one.body, other.body);
            assert_eq!(app.recovery_state(&token).await, "waiting");
            app.complete_recovery(&token, Some(NEW)).await.refused(409, "wrong_step");
            app.ignore_notices().await;
        }
    });
}

/// Thirty days are over before the day is: it lives on, so that what was proved is not lost.
#[test]
fn enough_that_comes_at_the_very_end_can_be_completed() {
    test(async |app| {
        let person = app.person(TARO).await;
        let token = app.recovery(TARO, &["email"]).await;
        app.advance(30 * DAY - HOUR);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.advance(NOTICE);
        let stands = app.inspect_recovery(&token).await.ok(200);
        assert_eq!(stands["state"], "open");
        let left = seconds_from(app.clock.now().timestamp(), &stands["expires_at"]);
        assert!((WAIT.cast_signed() - 60..=WAIT.cast_signed()).contains(&left), "{stands:#}");
        app.complete_recovery(&token, Some(NEW)).await.ok(200);
        app.ignore_notices().await;
    });
}

/// A password that a message has set does not begin to count by itself, when nobody is told.
#[test]
fn a_password_that_a_message_has_set_is_given_again_once_it_counts() {
    test(async |app| {
        let mut person = app.person(TARO).await;
        app.advance(HOUR);
        person.tokens = person.sign_in().await;
        let phone = add_phone(app, &person.access()).await;
        let token = app.recovery(TARO, &["second_factor"]).await;
        app.ignore_notices().await;
        let (_, asked, code) = app.reset_message(TARO).await;
        app.reset_by_code(&asked, &code, NEW).await.ok(204);
        app.ignore_notices().await;
        app.prove(&token, "password", NEW).await.ok(200);

        let flow = app.start_sign_in(TARO, NEW).await.ok(200);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": phone, "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        let code = app.code_to(PHONE).await;
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": phone, "code": code,
        });
        app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
        assert_eq!(app.inspect_recovery(&token).await.ok(200)["proofs"], json!([]));
        assert_eq!(app.prove(&token, "password", NEW).await.ok(200)["proofs"], json!(["password"]));
        app.ignore_notices().await;
    });
}
