//! What the owner is told, and how strangers cannot use it.

use sekisho::limits::Policy;
use sekisho::limits::Subject;

use super::CONTACT;
use super::HOUR;
use super::WAIT;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

/// Notices that are out or on their way.
async fn notices(app: &TestApp) -> i64 {
    app.count("SELECT count(*) FROM outbox WHERE kind = 'recovery_notice'").await
}

async fn notices_become(app: &TestApp, expected: i64) {
    app.poll("notices", async || (notices(app).await == expected).then_some(())).await;
}

async fn all_is_told(app: &TestApp) {
    app.poll("the last notice", async || {
        let due = "SELECT count(*) FROM recoveries WHERE notice_due_at IS NOT NULL";
        (app.count(due).await == 0).then_some(())
    })
    .await;
}

/// security.md 40: the owner is told at the start, every day, and when the wait is over, and at no other time.
#[test]
fn the_owner_is_told_at_once_every_day_and_when_it_opens() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.start_recovery(&person.email, &["phone"]).await;
        let code = app.code_to(CONTACT).await;
        assert_eq!(notices(app).await, 0, "nobody is told before the contact is proved");
        app.verify_contact(&token, &code).await.ok(200);
        for day in 1..=4 {
            notices_become(app, day).await;
            let notice = app.message_to(&person.email).await;
            let token = notice["code"].as_str().unwrap();
            assert_eq!(notice["link"], format!("{}/cancel-recovery#{token}", app.url), "a page of the configuration");
            assert!(notice["text"].as_str().unwrap().contains(notice["link"].as_str().unwrap()));
            app.advance(24 * HOUR);
        }
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.advance(24 * HOUR);
        all_is_told(app).await;
        assert_eq!(notices(app).await, 4);
        app.ignore_notices().await;
    });
}

/// Griefing: many strangers make no more messages than one, and hinder nobody.
#[test]
fn strangers_cannot_flood_an_owner() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for _ in 0..5 {
            app.recovery(&person.email, &["phone"]).await;
        }
        let own = app.recovery(&person.email, &["email"]).await;
        notices_become(app, 1).await;
        app.poll("a look at each of them", async || {
            let new = "SELECT count(*) FROM recoveries WHERE notice_due_at < created_at + interval '5 seconds'";
            (app.count(new).await == 0).then_some(())
        })
        .await;
        assert_eq!(notices(app).await, 1);
        let code = app.totp(&person.factor).await;
        app.prove(&own, "factor", &code).await.ok(200);
        app.prove(&own, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&own).await, "open", "the others do not hinder it");
        app.ignore_notices().await;
    });
}

/// No owner hears of a recovery of an identifier that nobody has.
#[test]
fn nobody_is_told_of_a_recovery_of_nobody() {
    test(async |app| {
        let token = app.recovery("nobody@example.jp", &["phone"]).await;
        app.advance(WAIT);
        all_is_told(app).await;
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        assert_eq!(notices(app).await, 0);
        app.ignore_notices().await;
    });
}

/// Whoever uses up the codes of an account does not keep its owner from being told.
#[test]
fn no_codes_that_were_asked_for_stand_in_the_way_of_a_notice() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let person = app.person("taro@example.jp").await;
        let account = person.tokens["account_id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap().into();
        while app.app.limits.admit(Policy::Message, Subject::Account(account)).await.is_ok() {}
        app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
    });
}
