//! Cancelled by a notice or a sign-in, decided by an operator.

use sekisho::audit::Caller;
use sekisho::recovery;
use sekisho::recovery::Decided;
use sekisho::recovery::Verdict;
use sekisho::text::Language;

use super::WAIT;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

/// Who decides.
pub fn operator() -> Caller {
    Caller {
        ip: std::net::Ipv4Addr::LOCALHOST.into(),
        user_agent: "operator".to_owned(),
        request_id: uuid::Uuid::from_u128(1).into(),
        language: Language::DEFAULT,
    }
}

/// Decides the only recovery.
pub async fn decide(app: &TestApp, verdict: Verdict) -> Decided {
    let listed = recovery::list(&app.app, None, 100).await.unwrap();
    let [one] = listed.as_slice() else { panic!("one recovery") };
    recovery::decide_by_operator(&app.app, one.id, verdict, &operator()).await.unwrap()
}

/// security.md 40: whoever reads the notice ends every recovery, once.
#[test]
fn a_notice_carries_a_token_that_ends_every_recovery() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let tokens = [app.recovery(&person.email, &["phone"]).await, app.recovery(&person.email, &["email"]).await];
        // The first day's may have left before the second began.
        app.cancel_token_to(&person.email).await;
        app.advance(24 * super::HOUR);
        let stop = app.cancel_token_to(&person.email).await;
        assert_eq!(app.cancel_recovery(&stop).await.status, 204);
        app.message_to(&person.email).await;
        for token in &tokens {
            let stands = app.inspect_recovery(token).await.ok(200);
            assert_eq!(stands["state"], "cancelled");
            assert!(stands.get("opens_at").is_none());
            app.prove(token, "password", PASSWORD).await.refused(410, "recovery_token_invalid");
            app.recovery_code_to(token, &person.email).await.refused(410, "recovery_token_invalid");
        }
        app.cancel_recovery(&stop).await.refused(410, "cancel_token_invalid");
        let count =
            "SELECT count(*) FROM audit_events WHERE kind = 'recovery_cancelled' AND detail ->> 'by' = 'notice'";
        assert_eq!(app.count(count).await, 2);
        // What begins afterwards is told of anew the next day, and the used token does not end it.
        let again = app.recovery(&person.email, &["email"]).await;
        app.cancel_recovery(&stop).await.refused(410, "cancel_token_invalid");
        assert_eq!(app.recovery_state(&again).await, "waiting");
        app.ignore_notices().await;
    });
}

/// Whoever had the mailbox once keeps the tokens: they end nothing that began when they had gone.
#[test]
fn a_token_ends_what_stood_when_it_was_sent() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        app.recovery(&person.email, &["phone"]).await;
        let kept = app.cancel_token_to(&person.email).await;
        person.sign_in().await;
        app.message_to(&person.email).await;
        let later = app.recovery(&person.email, &["email"]).await;
        app.cancel_recovery(&kept).await.refused(410, "cancel_token_invalid");
        assert_eq!(app.recovery_state(&later).await, "waiting");
        app.advance(24 * super::HOUR);
        let stop = app.cancel_token_to(&person.email).await;
        assert_eq!(app.cancel_recovery(&stop).await.status, 204);
        assert_eq!(app.recovery_state(&later).await, "cancelled");
        app.ignore_notices().await;
    });
}

#[test]
fn a_notice_is_used_once_however_many_race() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        app.recovery(&person.email, &["phone"]).await;
        let stop = app.cancel_token_to(&person.email).await;
        let answers = futures_util::future::join_all((0..6).map(|_| app.cancel_recovery(&stop))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
        app.ignore_notices().await;
    });
}

/// Who can still sign in has lost nothing.
#[test]
fn a_full_sign_in_with_an_older_factor_ends_it() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        let flow = person.start_sign_in().await;
        assert_eq!(app.recovery_state(&token).await, "waiting", "a password alone ends nothing");
        app.second_factor(&flow, &app.totp(&person.factor).await).await.ok(201);
        assert_eq!(app.recovery_state(&token).await, "cancelled");
        app.message_to(&person.email).await;
        let count =
            "SELECT count(*) FROM audit_events WHERE kind = 'recovery_cancelled' AND detail ->> 'by' = 'sign_in'";
        assert_eq!(app.count(count).await, 1);
        // The next sign-in has nothing to end and says nothing.
        person.sign_in().await;
        app.ignore_notices().await;
    });
}

#[test]
fn an_operator_stands_in_for_proofs_and_never_for_the_wait() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone", "email"]).await;
        let opens_at = recovery::list(&app.app, None, 100).await.unwrap()[0].opens_at;
        assert_eq!(decide(app, Verdict::Approve).await, Decided::NotNow { state: "waiting", opens_at });
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        assert_eq!(decide(app, Verdict::Approve).await, Decided::Done);
        assert_eq!(app.recovery_state(&token).await, "open");
        assert_eq!(decide(app, Verdict::Approve).await, Decided::Already);
        app.prove(&token, "password", PASSWORD).await.refused(409, "wrong_step");
        let row = "SELECT count(*) FROM audit_events WHERE kind = 'recovery_approved' AND account_id IS NOT NULL";
        assert_eq!(app.count(row).await, 1);
        assert_eq!(decide(app, Verdict::Deny).await, Decided::Done, "up to the end");
        assert_eq!(app.recovery_state(&token).await, "denied");
        assert!(recovery::list(&app.app, None, 100).await.unwrap().is_empty());
        app.ignore_notices().await;
    });
}

/// The owner hears of a denial, too: their token has nothing left to stop then, and the answer says what to do.
#[test]
fn a_denial_is_told_to_the_owner() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        app.recovery(&person.email, &["phone"]).await;
        let stop = app.cancel_token_to(&person.email).await;
        assert_eq!(decide(app, Verdict::Deny).await, Decided::Done);
        assert!(app.message_to(&person.email).await["subject"].as_str().unwrap().contains("was stopped"));
        let void = app.cancel_recovery(&stop).await.refused(410, "cancel_token_invalid");
        assert_eq!(void["reason"], "recovery");
        assert!(void["detail"].as_str().unwrap().contains("Sign in"), "{void}");
        app.ignore_notices().await;
    });
}

/// Denial tells nothing, since what nobody has can be denied as well.
#[test]
fn a_recovery_of_nobody_can_be_denied_and_not_approved() {
    test(async |app| {
        let token = app.recovery("nobody@example.jp", &["phone"]).await;
        app.advance(WAIT);
        assert_eq!(decide(app, Verdict::Approve).await, Decided::Nobody);
        assert_eq!(decide(app, Verdict::Deny).await, Decided::Done);
        assert_eq!(app.recovery_state(&token).await, "denied");
        app.prove(&token, "password", PASSWORD).await.refused(410, "recovery_token_invalid");
        let unknown =
            recovery::decide_by_operator(&app.app, uuid::Uuid::nil().into(), Verdict::Deny, &operator()).await;
        assert_eq!(unknown.unwrap(), Decided::Unknown);
        app.ignore_notices().await;
    });
}
