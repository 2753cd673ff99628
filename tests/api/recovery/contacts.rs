//! What those who wait are told, and that it tells them nothing of any account.

use futures_util::future::join_all;
use sekisho::recovery;
use sekisho::recovery::Decided;
use sekisho::recovery::Verdict;
use serde_json::Value;
use serde_json::json;
use tokio::sync::watch;

use super::CONTACT;
use super::HOUR;
use super::NOTICE;
use super::WAIT;
use super::ending::decide;
use super::ending::operator;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const OPEN: &str = "You can get back into Sekisho now";
const UNDECIDED: &str = "The wait for Sekisho is over, and proofs are missing";
const PROVED: &str = "One more day until you can get back into Sekisho";
const STOPPED: &str = "Getting back into Sekisho was stopped";
const DENIED: &str = "You cannot get back into Sekisho in this way";
const CANCELLED: &str = "An attempt to get into your Sekisho account was stopped";
const PHONE: &str = "+818011112222";

/// A recovery that waits; answers its token.
async fn recovery_by(app: &TestApp, identifier: &str, contact: &str) -> String {
    let body = json!({ "identifier": identifier, "contact": contact, "lost": ["phone"] });
    let started = app.post("/v1/recoveries", &body).await.ok(202);
    let token = started["recovery_token"].as_str().unwrap().to_owned();
    app.verify_contact(&token, &app.code_to(contact).await).await.ok(200);
    token
}

/// What stands in a message, besides where it went.
fn said(message: &Value) -> [Value; 4] {
    ["subject", "text", "code", "link"].map(|member| message[member].clone())
}

/// How many messages of a kind are out or on their way.
async fn told(app: &TestApp, kind: &str) -> i64 {
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox WHERE kind = $1");
    count.bind(kind).fetch_one(&app.app.db).await.unwrap()
}

/// security.md 20: one of nobody gets the same words at the same times, from the end of the wait to a denial.
#[test]
fn whoever_waits_is_told_alike_whoever_has_the_identifier() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let contacts = ["a@example.org", "b@example.org"];
        recovery_by(app, &person.email, contacts[0]).await;
        recovery_by(app, "nobody@example.jp", contacts[1]).await;
        app.advance(WAIT - 60);
        app.ignore_notices().await;
        assert_eq!(told(app, "recovery_undecided_notice").await, 0, "not before the wait is over");
        app.advance(60);
        let messages = join_all(contacts.map(|contact| app.message_to(contact))).await;
        assert_eq!(messages[0]["subject"], UNDECIDED);
        assert_eq!(said(&messages[0]), said(&messages[1]));
        let text = messages[0]["text"].as_str().unwrap();
        assert!(!text.contains("taro") && !text.contains("Taro"), "{text}");
        app.advance(24 * HOUR);
        app.ignore_notices().await;
        assert_eq!(told(app, "recovery_undecided_notice").await, 2, "each once");

        for one in recovery::list(&app.app, None, 100).await.unwrap() {
            let denied = recovery::decide_by_operator(&app.app, one.id, Verdict::Deny, &operator()).await.unwrap();
            assert_eq!(denied, Decided::Done);
        }
        let messages = join_all(contacts.map(|contact| app.message_to(contact))).await;
        assert_eq!(messages[0]["subject"], DENIED);
        assert_eq!(said(&messages[0]), said(&messages[1]));
        // Its owner hears that nobody gets in.
        assert_eq!(app.message_to(&person.email).await["subject"], CANCELLED);
        app.due_is_told().await;
    });
}

#[test]
fn whoever_proved_enough_is_told_that_it_is_open() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.due_is_told().await;
        assert_eq!(told(app, "recovery_open_notice").await, 0);
        app.advance(WAIT);
        assert_eq!(app.message_to(CONTACT).await["subject"], OPEN);
        app.complete_recovery(&token, None).await.ok(200);
        app.ignore_notices().await;
        let rest = ["open", "undecided", "stopped", "denied"].map(|name| format!("recovery_{name}_notice"));
        let counts = join_all(rest.iter().map(|kind| told(app, kind))).await;
        assert_eq!(counts, [1, 0, 0, 0], "whoever completes it is there");
    });
}

/// A proof that comes late opens it a day later, and one more changes nothing: each is told once.
#[test]
fn whoever_proves_late_is_told_so_and_when_it_opens() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.recovery(&person.email, &["phone"]).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.message_to(CONTACT).await["subject"], UNDECIDED);
        let code = &person.recovery_codes[0];
        assert_eq!(app.prove(&token, "recovery_code", code).await.ok(200)["state"], "waiting");
        assert_eq!(app.message_to(CONTACT).await["subject"], PROVED);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.ignore_notices().await;
        assert_eq!(told(app, "recovery_open_notice").await, 0);
        app.advance(NOTICE);
        assert_eq!(app.message_to(CONTACT).await["subject"], OPEN);
        app.ignore_notices().await;
        assert_eq!((told(app, "recovery_proved_notice").await, told(app, "recovery_open_notice").await), (1, 1));
    });
}

/// security.md 40: the contact is told, and so is the owner, at every identifier and phone and on a day that had its notice: with a token
/// that stops it still.
#[test]
fn an_approval_is_told_to_contact_and_owner_who_can_stop_it() {
    test(async |app| {
        let phone = "+819012345678";
        let person = app.person("taro@example.jp").await;
        let access = person.reauthenticate().await;
        let add = json!({ "kind": "phone", "phone": phone });
        let added = app.with_token(&access, reqwest::Method::POST, "/v1/account/factors", Some(&add)).await.ok(201);
        let confirm = json!({ "method": "code", "code": app.code_to(phone).await });
        let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
        app.with_token(&access, reqwest::Method::POST, &path, Some(&confirm)).await.ok(200);
        let token = app.recovery(&person.email, &["email"]).await;
        app.advance(WAIT);
        app.ignore_notices().await;
        let today = told(app, "recovery_notice").await;

        assert_eq!(decide(app, Verdict::Approve).await, Decided::Done);
        assert_eq!(app.message_to(CONTACT).await["subject"], OPEN);
        let notice = app.message_to(&person.email).await;
        assert_eq!(notice["subject"], "Somebody may get into your Sekisho account now");
        let stop = notice["code"].as_str().unwrap();
        assert_eq!(notice["link"], format!("{}/cancel-recovery#{stop}", app.url));
        assert_ne!(app.cancel_token_to(phone).await, stop, "words and a token of its own");
        assert_eq!(told(app, "recovery_notice").await, today);

        assert_eq!(app.cancel_recovery(stop).await.status, 204);
        assert_eq!(app.recovery_state(&token).await, "cancelled");
        assert_eq!(app.message_to(CONTACT).await["subject"], STOPPED);
        app.cancel_recovery(stop).await.refused(410, "cancel_token_invalid");
        app.ignore_notices().await;
        assert_eq!(told(app, "recovery_approval_notice").await, 2, "to the mailbox and to the phone");
    });
}

/// Whatever ends it, the contact hears of it once, and once of several that end together.
#[test]
fn a_cancellation_is_told_once() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for _ in 0..3 {
            app.recovery(&person.email, &["phone"]).await;
        }
        app.cancel_token_to(&person.email).await;
        person.sign_in().await;
        assert_eq!(app.message_to(CONTACT).await["subject"], STOPPED);
        app.message_to(&person.email).await;
        app.due_is_told().await;
        assert_eq!(told(app, "recovery_stopped_notice").await, 1);
    });
}

/// Several replicas look for contacts to tell: each contact hears it from one of them.
#[test]
fn a_contact_is_told_once_however_many_replicas_race() {
    test(async |app| {
        let contacts: Vec<_> = (0..6).map(|n| format!("c{n}@example.org")).collect();
        for contact in &contacts {
            recovery_by(app, "nobody@example.jp", contact).await;
        }
        let (stop, stopping) = watch::channel(false);
        let replicas: Vec<_> =
            (0..3).map(|_| tokio::spawn(recovery::tell_owners(app.replica(), stopping.clone()))).collect();
        app.advance(WAIT);
        for contact in &contacts {
            assert_eq!(app.message_to(contact).await["subject"], UNDECIDED);
        }
        app.due_is_told().await;
        assert_eq!(told(app, "recovery_undecided_notice").await, 6);
        drop(stop);
        join_all(replicas).await;
    });
}

/// A contact's phone is no owner's: what it is told is paid for as a code to any number, and left out when that is spent.
#[test]
fn words_to_a_phone_are_paid_for_as_those_to_any_number() {
    test_with(&[("limits.enabled", "true"), ("phone.unproved_per_day", "1")], async |app| {
        let sent = async |budget: &str| {
            let sent = "SELECT coalesce(sum(sent), 0)::bigint FROM phone_spend WHERE scope = 'all' AND budget = $1";
            sqlx::query_scalar::<_, i64>(sent).bind(budget).fetch_one(&app.app.db).await.unwrap()
        };
        recovery_by(app, "nobody@example.jp", PHONE).await;
        assert_eq!((sent("unproved").await, sent("notices").await), (1, 0));
        app.advance(WAIT);
        let words = app.message_to(PHONE).await;
        assert_eq!(words["text"], "Sekisho: the wait is over, proofs are missing. Go on there.");
        assert_eq!((sent("unproved").await, sent("notices").await), (2, 0));
        // The day has no more.
        assert_eq!(decide(app, Verdict::Deny).await, Decided::Done);
        app.due_is_told().await;
        assert_eq!((sent("unproved").await, told(app, "recovery_denied_notice").await), (2, 0));
    });
}
