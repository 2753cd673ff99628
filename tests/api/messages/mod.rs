//! `src/messages` and `src/deliveries`: what leaves, and what does not leave any more.

mod outages;
mod providers;
mod receipts;

use serde_json::Value;
use serde_json::json;
use sqlx::Postgres;
use sqlx::Transaction;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";

/// Keeps the worker from deciding about the codes of sign-ups, as a slow database would, while the result lives. The
/// requests of a sign-up never look where it waits.
async fn hold_worker(app: &TestApp) -> Transaction<'static, Postgres> {
    let mut tx = app.app.db.begin().await.unwrap();
    sqlx::query("LOCK TABLE identifiers IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await.unwrap();
    tx
}

async fn inbox(app: &TestApp, email: &str) -> Vec<Value> {
    let page = app.get(&format!("/dev/inbox?to={email}&limit=100")).await.ok(200);
    page["items"].as_array().unwrap().clone()
}

fn code_in(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

async fn wait_until_claimed(app: &TestApp, messages: i64) {
    app.poll("the worker", async || {
        let claimed = app.count("SELECT count(*) FROM outbox WHERE state = 'queued' AND attempts > 0").await;
        (claimed == messages).then_some(())
    })
    .await;
}

async fn wait_for_outbox(app: &TestApp) {
    app.poll("the outbox", async || {
        (app.count("SELECT count(*) FROM outbox WHERE state = 'queued'").await == 0).then_some(())
    })
    .await;
}

/// A code that was replaced before it left does not leave: the mailbox gets the one that counts.
#[test]
fn a_replaced_code_is_not_sent() {
    test(async |app| {
        let held = hold_worker(app).await;
        let token = app.start_sign_up(TARO).await;
        wait_until_claimed(app, 1).await;
        app.advance(30);
        app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token })).await.ok(202);
        held.rollback().await.unwrap();
        let code = app.code_to(TARO).await;
        wait_for_outbox(app).await;
        assert_eq!(inbox(app, TARO).await.len(), 1);
        assert_eq!(app.count("SELECT count(*) FROM outbox WHERE state = 'dropped'").await, 1);
        app.verify(&token, &code).await.ok(200);
    });
}

/// A message whose worker was slower than its lease leaves all the same, and once.
#[test]
fn a_message_whose_worker_came_late_leaves_once() {
    test(async |app| {
        let held = hold_worker(app).await;
        let token = app.start_sign_up(TARO).await;
        wait_until_claimed(app, 1).await;
        app.advance(60);
        held.rollback().await.unwrap();
        let code = app.code_to(TARO).await;
        wait_for_outbox(app).await;
        assert_eq!(inbox(app, TARO).await.len(), 1);
        app.verify(&token, &code).await.ok(200);
    });
}

/// A code that could not leave within its ten minutes does not leave later.
#[test]
fn an_expired_code_is_not_sent() {
    test(async |app| {
        let held = hold_worker(app).await;
        let token = app.start_sign_up(TARO).await;
        wait_until_claimed(app, 1).await;
        app.advance(601);
        held.rollback().await.unwrap();
        wait_for_outbox(app).await;
        assert_eq!(inbox(app, TARO).await, [] as [Value; 0]);
        app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token })).await.ok(202);
        app.verify(&token, &app.code_to(TARO).await).await.ok(200);
    });
}

/// Whether an address is taken is decided when the message leaves; a resend changes nothing of that.
#[test]
fn the_owner_of_a_taken_address_gets_a_notice_and_no_code() {
    test(async |app| {
        app.person(TARO).await;
        let token = app.start_sign_up(TARO).await;
        assert!(app.message_to(TARO).await.get("code").is_none());
        for _ in 0..2 {
            app.advance(30);
            app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token })).await.ok(202);
            assert!(app.message_to(TARO).await.get("code").is_none());
        }
        wait_for_outbox(app).await;
        assert_eq!(app.count("SELECT count(*) FROM outbox WHERE kind = 'sign_up_notice'").await, 3);
    });
}

/// A resend of a verified sign-up sends nothing.
#[test]
fn a_sign_up_that_is_over_sends_nothing() {
    test(async |app| {
        let token = app.start_sign_up(TARO).await;
        app.verify(&token, &app.code_to(TARO).await).await.ok(200);
        app.advance(30);
        let resend = json!({ "sign_up_token": token });
        app.post("/v1/sign-ups/resend", &resend).await.refused(410, "sign_up_expired");
        assert_eq!(app.count("SELECT count(*) FROM outbox").await, 1);
    });
}

/// security.md 26: the owner is told of every change of what signs them in, in a message without a code.
#[test]
fn notices_tell_the_owner_and_carry_no_code() {
    test(async |app| {
        let taro = app.person(TARO).await;
        app.recovery_code(&taro.start_sign_in().await, &taro.recovery_codes[0]).await.ok(201);
        let notice = app.message_to(TARO).await;
        assert!(notice.get("code").is_none() && notice.get("link").is_none(), "{notice}");
        app.with_token(&taro.access(), reqwest::Method::POST, "/v1/account/recovery-codes", None).await.ok(201);
        let notice = app.message_to(TARO).await;
        assert!(notice.get("code").is_none() && notice.get("link").is_none(), "{notice}");
        for (query, times) in [
            ("SELECT count(*) FROM outbox WHERE state = 'sent' AND kind = 'factor_enrolled_notice'", 1),
            ("SELECT count(*) FROM outbox WHERE state = 'sent' AND kind = 'recovery_code_used_notice'", 1),
            ("SELECT count(*) FROM outbox WHERE state = 'sent' AND kind = 'recovery_codes_replaced_notice'", 1),
        ] {
            app.poll("a notice", async || (app.count(query).await == times).then_some(())).await;
        }
    });
}

/// security.md 81: neither address nor code outlives the message.
#[test]
fn what_has_left_is_wiped() {
    test(async |app| {
        app.person(TARO).await;
        app.start_sign_up("hana@example.jp").await;
        app.message_to("hana@example.jp").await;
        wait_for_outbox(app).await;
        assert_eq!(app.count("SELECT count(*) FROM outbox").await, 3);
        assert_eq!(app.count("SELECT count(payload_sealed) FROM outbox").await, 0);
    });
}

/// A message greets its owner by name, in their language, at the address as they wrote it.
#[test]
fn a_notice_is_addressed_to_its_owner() {
    test(async |app| {
        let body = json!({
            "identifier": "Taro@Example.jp", "password": PASSWORD, "display_name": "Taro Yamada", "locale": "en",
        });
        let started = app.post("/v1/sign-ups", &body).await.ok(202);
        let flow = app.verify(started["sign_up_token"].as_str().unwrap(), &app.code_to(TARO).await).await.ok(200);
        let factor = app.start_enrolment(&flow).await;
        app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        let notice = app.message_to(TARO).await;
        assert!(notice["to"].as_str().unwrap().starts_with("Taro@"), "{notice}");
        assert_eq!((&notice["locale"], &notice["channel"]), (&json!("en"), &json!("email")));
        assert!(notice["text"].as_str().unwrap().contains("Taro Yamada"), "{notice}");
    });
}

/// Case before the `@` is nothing to us and may be another mailbox to its host: messages go to the form that was proved,
/// and the answer tells what was typed.
#[test]
fn a_message_goes_to_the_form_that_was_proved() {
    test(async |app| {
        app.person("Taro@example.jp").await;
        let typed = "tARO@example.jp";
        let asked = app.post("/v1/password-resets", &json!({ "identifier": typed })).await.ok(202);
        let body = json!({
            "method": "code", "password_reset_token": asked["password_reset_token"], "code": app.code_to(typed).await,
            "new_password": "tidal mango ledger vowel",
        });
        app.post("/v1/password-resets/confirm", &body).await.ok(204);
        app.post("/v1/device-tokens", &json!({ "identifier": typed })).await.ok(202);
        app.post("/v1/identifier-reminders", &json!({ "contact": typed })).await.ok(202);
        let recovery = app.recovery(typed, &["second_factor"]).await;
        app.recovery_code_to(&recovery, typed).await.ok(202);
        app.post("/v1/recoveries/resume", &json!({ "contact": "Helper@example.jp" })).await.ok(202);
        app.ignore_notices().await;
        let to = |kind: &'static str, key: &'static str| async move {
            let sent = "SELECT i.recipient FROM outbox o JOIN development_inbox i USING (id)
                        WHERE o.kind = $1 AND i.lookup_key = $2";
            sqlx::query_scalar::<_, String>(sent).bind(kind).bind(key).fetch_all(&app.app.db).await.unwrap()
        };
        for kind in ["password_reset", "device_token", "identifier_reminder", "recovery_proof_code"] {
            assert_eq!(to(kind, "taro@example.jp").await, ["Taro@example.jp"], "{kind}");
        }
        assert_eq!(to("recovery_token", "helper@example.jp").await, ["helper@example.jp"]);
    });
}
