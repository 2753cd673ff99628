//! The situations of people who cannot get in, from beginning to end: each comes to a signed-in state, or to a clear answer.

use sekisho::recovery;
use sekisho::recovery::Decided;
use sekisho::recovery::Verdict;
use serde_json::json;

use super::CONTACT;
use super::NOTICE;
use super::WAIT;
use super::ending::operator;
use crate::support::PASSWORD;
use crate::support::test;

const NEW: &str = "tidal mango ledger vowel";

/// The provider closed, and the password is forgotten: the reset goes to a mailbox that nobody can open.
#[test]
fn lost_mailbox() {
    test(async |app| {
        let person = app.person("taro@closed.example").await;
        let token = app.recovery(&person.email, &["email", "password"]).await;
        app.prove(&token, "recovery_code", &person.recovery_codes[3]).await.ok(200);
        app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.advance(WAIT);
        let flow = app.complete_recovery(&token, Some(NEW)).await.ok(200);
        app.second_factor(&flow, &app.totp(&person.factor).await).await.ok(201);
        let again = app.start_sign_in(CONTACT, NEW).await.ok(200);
        app.advance(30);
        let tokens = app.second_factor(&again, &app.totp(&person.factor).await).await.ok(201);
        assert_eq!(tokens["account_id"], person.tokens["account_id"], "the same account, not a new one");
        app.ignore_notices().await;
    });
}

/// The new phone has no authenticator app, and the sheet with the recovery codes is gone.
#[test]
fn lost_authenticator() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let body = json!({ "identifier": person.email, "contact": person.email, "lost": ["second_factor"] });
        let started = app.post("/v1/recoveries", &body).await.ok(202);
        let token = started["recovery_token"].as_str().unwrap();
        app.verify_contact(token, &app.code_to(&person.email).await).await.ok(200);
        app.cancel_token_to(&person.email).await;
        app.prove(token, "password", PASSWORD).await.ok(200);
        // The contact's code was no proof; another one to the same mailbox is.
        app.advance(30);
        app.recovery_code_to(token, &person.email).await.ok(202);
        app.prove(token, "code", &app.code_to(&person.email).await).await.ok(200);
        app.advance(WAIT);
        let flow = app.complete_recovery(token, None).await.ok(200);
        let tokens = app.enrol_again(&flow).await;
        assert_eq!(tokens["account_id"], person.tokens["account_id"]);
        assert_eq!(tokens["recovery_codes"].as_array().unwrap().len(), 10);
        let old = app.start_sign_in(&person.email, PASSWORD).await.ok(200);
        assert_eq!(old["factors"].as_array().unwrap().len(), 2, "one app and the new codes: {old:#}");
        app.get(&format!("/dev/totp/{}", person.factor)).await.refused(404, "not_found");
        app.recovery_code(&old, &person.recovery_codes[0]).await.refused(422, "invalid_code");
        app.ignore_notices().await;
    });
}

/// The phone was everything: the number to sign in with and the second factor. The password is known, the recovery codes are
/// not; one proof does not do, so an operator decides.
#[test]
fn lost_phone() {
    test(async |app| {
        let phone = "+819012345678";
        let flow = app.sign_up(phone).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": phone });
        let enrolment = app.post("/v1/sign-ins/enrolments", &body).await.ok(201)["enrolment"].clone();
        let factor = enrolment["factor_id"].as_str().unwrap();
        let tokens = app.confirm_enrolment(&flow, factor, &app.code_to(phone).await).await.ok(201);
        app.ignore_messages().await;
        let token = app.recovery(phone, &["phone"]).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        // The lost number proves nothing, and gets no code.
        app.advance(30);
        app.recovery_code_to(&token, phone).await.ok(202);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        let listed = recovery::list(&app.app, None, 100).await.unwrap();
        let own = listed.iter().find(|one| one.account.is_some()).unwrap();
        let shown = recovery::show(&app.app, own.id).await.unwrap().unwrap();
        assert_eq!((shown.identifier.as_str(), shown.contact.as_str()), (phone, CONTACT));
        assert_eq!(own.proofs, ["password"]);
        let decided = recovery::decide_by_operator(&app.app, own.id, Verdict::Approve, &operator()).await.unwrap();
        assert_eq!(decided, Decided::Done);
        let flow = app.complete_recovery(&token, None).await.ok(200);
        let again = app.enrol_again(&flow).await;
        assert_eq!(again["account_id"], tokens["account_id"]);
        app.start_sign_in(CONTACT, PASSWORD).await.ok(200);
        app.ignore_notices().await;
    });
}

/// Everything is gone: no proof at all. The answer is clear, and after the wait an operator has the last word.
#[test]
fn lost_everything() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let lost = ["email", "phone", "second_factor", "password"];
        let token = app.recovery(&person.email, &lost).await;
        app.prove(&token, "password", PASSWORD).await.faults(&["/kind not_supported"]);
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.complete_recovery(&token, Some(NEW)).await.refused(409, "wrong_step");
        let own = recovery::list(&app.app, None, 100).await.unwrap()[0].id;
        recovery::decide_by_operator(&app.app, own, Verdict::Approve, &operator()).await.unwrap();
        app.complete_recovery(&token, None).await.faults(&["/new_password required"]);
        let flow = app.complete_recovery(&token, Some(NEW)).await.ok(200);
        let tokens = app.enrol_again(&flow).await;
        assert_eq!(tokens["account_id"], person.tokens["account_id"]);
        app.ignore_notices().await;
    });
}

/// Who took over the number alone has one proof, whatever they ask for.
#[test]
fn a_stolen_number_alone_recovers_nothing() {
    test(async |app| {
        let phone = "+819012345678";
        let flow = app.sign_up(phone).await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": phone });
        let enrolment = app.post("/v1/sign-ins/enrolments", &body).await.ok(201)["enrolment"].clone();
        let factor = enrolment["factor_id"].as_str().unwrap();
        app.confirm_enrolment(&flow, factor, &app.code_to(phone).await).await.ok(201);
        app.ignore_messages().await;
        let token = app.recovery(phone, &["password"]).await;
        app.ignore_notices().await;
        for _ in 0..2 {
            app.advance(60);
            app.recovery_code_to(&token, phone).await.ok(202);
            app.prove(&token, "code", &app.code_to(phone).await).await.ok(200);
        }
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.complete_recovery(&token, Some(NEW)).await.refused(409, "wrong_step");
        app.ignore_notices().await;
    });
}

/// security.md 38: who has the mailbox sets a new password by it and gets a code there. That is one destination, so one
/// proof, in whatever order; something else is needed besides.
#[test]
fn a_mailbox_alone_recovers_nothing_by_way_of_a_reset() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(WAIT);
        let token = app.recovery(&taro.email, &["second_factor"]).await;
        app.ignore_notices().await;
        app.advance(60);
        app.recovery_code_to(&token, &taro.email).await.ok(202);
        app.prove(&token, "code", &app.code_to(&taro.email).await).await.ok(200);
        let (_, asked, code) = app.reset_message(&taro.email).await;
        app.reset_by_code(&asked, &code, NEW).await.ok(204);
        app.prove(&token, "password", NEW).await.ok(200);
        app.ignore_notices().await;
        app.advance(WAIT);
        assert_eq!(app.recovery_state(&token).await, "awaiting_operator");
        app.complete_recovery(&token, Some(NEW)).await.refused(409, "wrong_step");
        app.prove(&token, "recovery_code", &taro.recovery_codes[0]).await.ok(200);
        app.advance(NOTICE);
        assert_eq!(app.recovery_state(&token).await, "open");
        app.ignore_notices().await;
    });
}

/// security.md 38: a recovery that was completed and left before the enrolment is finished by who has something besides the
/// mailbox: the password, or one of the recovery codes that are left.
#[test]
fn a_mailbox_alone_does_not_finish_what_a_recovery_left() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({ "identifier": taro.email, "contact": taro.email, "lost": ["second_factor"] });
        let started = app.post("/v1/recoveries", &body).await.ok(202);
        let token = started["recovery_token"].as_str().unwrap();
        app.verify_contact(token, &app.code_to(&taro.email).await).await.ok(200);
        app.prove(token, "password", PASSWORD).await.ok(200);
        app.prove(token, "recovery_code", &taro.recovery_codes[0]).await.ok(200);
        app.advance(WAIT);
        assert_eq!(app.complete_recovery(token, None).await.ok(200)["next"], "enrol_second_factor");
        app.ignore_notices().await;
        assert_eq!(taro.start_sign_in().await["next"], "verify_identifier", "with the password it goes on");

        let (_, asked, code) = app.reset_message(&taro.email).await;
        app.reset_by_code(&asked, &code, NEW).await.ok(204);
        let flow = app.start_sign_in(&taro.email, NEW).await.ok(200);
        let kinds: Vec<_> = flow["factors"].as_array().unwrap().iter().map(|own| own["kind"].clone()).collect();
        assert_eq!((&flow["next"], kinds), (&json!("second_factor"), vec![json!("recovery_code")]));
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
        app.post("/v1/sign-ins/enrolments", &body).await.refused(409, "wrong_step");
        app.recovery_code(&flow, &taro.recovery_codes[0]).await.refused(422, "invalid_code");
        app.recovery_code(&flow, &taro.recovery_codes[1]).await.ok(201);
        // Something else than the mailbox was there: from now on the next step is the enrolment's again.
        assert_eq!(app.start_sign_in(&taro.email, NEW).await.ok(200)["next"], "verify_identifier");
        app.ignore_notices().await;
    });
}
