//! What a recovery does in the end, and that it does it once.

use serde_json::Value;
use serde_json::json;

use super::CONTACT;
use super::HOUR;
use super::WAIT;
use crate::imports;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const NEW: &str = "tidal mango ledger vowel";

impl TestApp {
    /// Completes a recovery.
    pub async fn complete_recovery(&self, token: &str, new_password: Option<&str>) -> Answer {
        let mut body = json!({ "recovery_token": token });
        if let Some(password) = new_password {
            body["new_password"] = json!(password);
        }
        self.post("/v1/recoveries/complete", &body).await
    }

    /// A recovery that two recovery codes and an authenticator app have opened; every message is read.
    async fn open_recovery(&self, person: &Person<'_>, lost: &[&str]) -> String {
        let token = self.recovery(&person.email, lost).await;
        self.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        self.prove(&token, "factor", &self.totp(&person.factor).await).await.ok(200);
        self.advance(WAIT);
        assert_eq!(self.recovery_state(&token).await, "open");
        self.ignore_notices().await;
        token
    }

    /// Enrols another app in a flow; answers the tokens.
    pub async fn enrol_again(&self, flow: &Value) -> Value {
        assert_eq!(flow["next"], "enrol_second_factor", "{flow:#}");
        let factor = self.start_enrolment(flow).await;
        let code = self.totp(&factor).await;
        self.confirm_enrolment(flow, &factor, &code).await.ok(201)
    }
}

/// The texts of the mails with a subject that an address has got.
async fn told(app: &TestApp, address: &str, subject: &str) -> Vec<String> {
    let messages = app.get(&format!("/dev/inbox?limit=100&to={address}")).await.ok(200);
    let with_it = messages["items"].as_array().unwrap().iter().filter(|message| message["subject"] == subject);
    with_it.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn completing_opens_no_session_and_ends_all_that_there_are() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.open_recovery(&person, &["email", "password"]).await;
        app.complete_recovery(&token, None).await.faults(&["/new_password required"]);
        app.complete_recovery(&token, Some("password")).await.faults(&["/new_password password_too_common"]);
        let flow = app.complete_recovery(&token, Some(NEW)).await.ok(200);
        assert_eq!(flow["next"], "second_factor", "the app is not lost, so it is asked for");
        assert_eq!(app.recovery_state(&token).await, "completed");
        app.refresh(&person.refresh_token()).await.refused(401, "session_revoked");
        app.start_sign_in(&person.email, PASSWORD).await.refused(401, "invalid_credentials");
        app.start_sign_in(CONTACT, NEW).await.ok(200);
        app.complete_recovery(&token, Some(NEW)).await.refused(410, "recovery_token_invalid");
        let tokens = app.second_factor(&flow, &app.totp(&person.factor).await).await.ok(201);
        assert_eq!(tokens["account_id"], person.tokens["account_id"]);
        app.ignore_notices().await;
    });
}

/// What is not open is not completed, whatever stands in the body.
#[test]
fn only_an_open_recovery_is_completed() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let unproved = app.start_recovery(&person.email, &["email"]).await;
        app.code_to(CONTACT).await;
        app.complete_recovery(&unproved, Some(NEW)).await.refused(409, "wrong_step");
        let waiting = app.recovery(&person.email, &["email"]).await;
        app.prove(&waiting, "password", PASSWORD).await.ok(200);
        app.prove(&waiting, "recovery_code", &person.recovery_codes[0]).await.ok(200);
        app.complete_recovery(&waiting, Some(NEW)).await.refused(409, "wrong_step");
        app.advance(WAIT - 60);
        app.complete_recovery(&waiting, Some(NEW)).await.refused(409, "wrong_step");
        let decoy = app.recovery("nobody@example.jp", &["email"]).await;
        app.advance(WAIT);
        app.complete_recovery(&decoy, Some(NEW)).await.refused(409, "wrong_step");
        app.complete_recovery("rec_x", Some(NEW)).await.refused(410, "recovery_token_invalid");
        // The password was proved and is not lost: it may stay.
        let flow = app.complete_recovery(&waiting, None).await.ok(200);
        assert_eq!(flow["next"], "second_factor");
        app.start_sign_in(&person.email, PASSWORD).await.ok(200);
        app.ignore_notices().await;
    });
}

/// A suspended account is not a way in.
#[test]
fn a_suspended_account_is_not_recovered() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.open_recovery(&person, &["email"]).await;
        for (status, code) in [("suspended", "account_suspended"), ("closed", "account_closed")] {
            let set = format!("UPDATE accounts SET status = '{status}'");
            sqlx::query(sqlx::AssertSqlSafe(set)).execute(&app.app.db).await.unwrap();
            app.complete_recovery(&token, Some(NEW)).await.refused(403, code);
        }
        assert_eq!(app.recovery_state(&token).await, "open");
    });
}

/// security.md 40: the contact comes and carries nothing for three days; the lost address leaves after three, and can stop
/// all of it, which ends every session and takes the password away.
#[test]
fn the_contact_comes_the_lost_address_leaves_and_can_stop_it() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.open_recovery(&person, &["email"]).await;
        let flow = app.complete_recovery(&token, Some(NEW)).await.ok(200);
        let tokens = app.second_factor(&flow, &app.totp(&person.factor).await).await.ok(201);
        let access = tokens["access_token"].as_str().unwrap();
        let account = app.with_token(access, reqwest::Method::GET, "/v1/account", None).await.ok(200);
        let identifiers = account["identifiers"].as_array().unwrap();
        let primary: Vec<_> = identifiers.iter().map(|own| (own["value"].as_str(), own["primary"].as_bool())).collect();
        assert_eq!(primary, [(Some(CONTACT), Some(true)), (Some("taro@example.jp"), Some(false))]);
        assert_eq!(account["pending_changes"].as_array().unwrap().len(), 1, "{account:#}");
        app.ignore_notices().await;
        for address in [CONTACT, "taro@example.jp"] {
            let [recovered] = told(app, address, "Your Sekisho account was recovered").await.try_into().unwrap();
            assert!(recovered.contains("72 hours more"), "{recovered}");
        }
        assert!(told(app, CONTACT, "This address was not added to your Sekisho account").await.is_empty());
        // The contact is too new to reset the password: it is told so and gets no code.
        app.ignore_notices().await;
        app.post("/v1/password-resets", &json!({ "identifier": CONTACT })).await.ok(202);
        assert!(app.message_to(CONTACT).await.get("code").is_none());

        let messages = app.get("/dev/inbox?limit=100&to=taro@example.jp").await.ok(200);
        let mut stop = messages["items"].as_array().unwrap().iter().filter_map(|message| message["code"].as_str());
        let stop = stop.find(|code| code.starts_with("cct_")).unwrap().to_owned();
        let cancelled = app.post("/v1/account/changes/cancel", &json!({ "cancel_token": stop })).await;
        assert_eq!(cancelled.status, 204, "{:#}", cancelled.body);
        app.with_token(access, reqwest::Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
        app.start_sign_in(CONTACT, NEW).await.refused(401, "invalid_credentials");
        app.ignore_notices().await;
    });
}

#[test]
fn a_lost_address_leaves_for_good_when_nobody_stops_it() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let token = app.open_recovery(&person, &["email", "password"]).await;
        app.complete_recovery(&token, Some(NEW)).await.ok(200);
        app.advance(72 * HOUR);
        sekisho::janitor::carry_out(&app.app).await.unwrap();
        app.start_sign_in(&person.email, NEW).await.refused(401, "invalid_credentials");
        app.start_sign_in(CONTACT, NEW).await.ok(200);
        app.ignore_notices().await;
    });
}

/// What was lost stays when nothing else would: the owner is told so, and the contact that it did not come.
#[test]
fn the_contact_of_somebody_else_stays_theirs() {
    test(async |app| {
        let (person, helper) = (app.person("taro@example.jp").await, app.person(CONTACT).await);
        let token = app.open_recovery(&person, &["email", "password"]).await;
        let flow = app.complete_recovery(&token, Some(NEW)).await.ok(200);
        app.second_factor(&flow, &app.totp(&person.factor).await).await.ok(201);
        app.start_sign_in(CONTACT, NEW).await.refused(401, "invalid_credentials");
        app.start_sign_in(CONTACT, PASSWORD).await.ok(200);
        app.start_sign_in("taro@example.jp", NEW).await.ok(200);
        app.refresh(&helper.refresh_token()).await.ok(200);
        app.ignore_notices().await;
        let [recovered] = told(app, &person.email, "Your Sekisho account was recovered").await.try_into().unwrap();
        assert!(!recovered.contains("72 hours") && recovered.contains("stays"), "{recovered}");
        let [left_out] =
            told(app, CONTACT, "This address was not added to your Sekisho account").await.try_into().unwrap();
        assert!(left_out.contains("belongs to another one"), "{left_out}");
    });
}

/// Two of one account, and each of them many times at once: one effect.
#[test]
fn one_of_many_completes() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let first = app.open_recovery(&person, &["email"]).await;
        let second = app.recovery(&person.email, &["email"]).await;
        app.prove(&second, "recovery_code", &person.recovery_codes[1]).await.ok(200);
        app.prove(&second, "factor", &app.totp(&person.factor).await).await.ok(200);
        app.advance(WAIT);
        let tokens = [&first, &second];
        let racers = (0..6).map(|n| app.complete_recovery(tokens[n % 2], Some(NEW)));
        let answers = futures_util::future::join_all(racers).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:#?}");
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(410, "recovery_token_invalid");
        }
        let mut states = [app.recovery_state(&first).await, app.recovery_state(&second).await];
        states.sort();
        assert_eq!(states, ["cancelled", "completed"]);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'recovery_completed'").await, 1);
        app.ignore_notices().await;
    });
}

/// Completed or cancelled, never both; and whatever wins, no session of before survives a completion.
#[test]
fn a_race_of_completion_against_notice_and_sign_in_has_one_winner() {
    test(async |app| {
        for round in 0..4 {
            let person = app.person(&format!("taro{round}@example.jp")).await;
            let token = app.recovery(&person.email, &["password"]).await;
            let stop = app.cancel_token_to(&person.email).await;
            app.prove(&token, "recovery_code", &person.recovery_codes[0]).await.ok(200);
            app.prove(&token, "factor", &app.totp(&person.factor).await).await.ok(200);
            app.advance(WAIT);
            let flow = person.start_sign_in().await;
            let code = app.totp(&person.factor).await;
            let (completed, cancelled, signed_in) = if round % 2 == 0 {
                let (completed, cancelled) =
                    tokio::join!(app.complete_recovery(&token, Some(NEW)), app.cancel_recovery(&stop));
                (completed, Some(cancelled), None)
            } else {
                let (completed, signed_in) =
                    tokio::join!(app.complete_recovery(&token, Some(NEW)), app.second_factor(&flow, &code));
                (completed, None, Some(signed_in))
            };
            let state = app.recovery_state(&token).await;
            assert_eq!(state == "completed", completed.status == 200, "{state}: {:#}", completed.body);
            if let Some(cancelled) = cancelled {
                assert_eq!(state == "cancelled", cancelled.status == 204, "{state}");
            }
            if let Some(signed_in) = signed_in {
                assert_eq!(state == "cancelled", signed_in.status == 201, "{state}: {:#}", signed_in.body);
            }
            let alive = "SELECT count(*) FROM sessions s JOIN recoveries r USING (account_id)
                         WHERE r.state = 'completed' AND s.revoked_at IS NULL";
            assert_eq!(app.count(alive).await, 0);
            app.ignore_notices().await;
        }
    });
}

/// What an import brought and nobody has proved is worth nothing after a recovery either, in whosever account it stands; a
/// contact that was proved is.
#[test]
fn a_recovery_leaves_no_identifier_that_nobody_has_proved() {
    test(async |app| {
        let (taro, stale) = ("taro@example.jp", "stale@example.jp");
        let mut line = imports::person("1", taro, imports::BCRYPT);
        line["identifiers"].as_array_mut().unwrap().push(json!({ "kind": "email", "value": stale }));
        let mut other = imports::person("2", CONTACT, imports::BCRYPT);
        other["identifiers"][0].as_object_mut().unwrap().remove("verified_at");
        imports::bring(app, &[line, other]).await;

        let token = app.recovery(taro, &["second_factor"]).await;
        app.cancel_token_to(taro).await;
        app.prove(&token, "password", PASSWORD).await.ok(200);
        app.advance(30);
        app.recovery_code_to(&token, taro).await.ok(202);
        app.prove(&token, "code", &app.code_to(taro).await).await.ok(200);
        app.advance(WAIT);
        let flow = app.complete_recovery(&token, None).await.ok(200);
        let tokens = app.enrol_again(&flow).await;
        let access = tokens["access_token"].as_str().unwrap();
        let list = app.with_token(access, reqwest::Method::GET, "/v1/account/identifiers", None).await.ok(200);
        let values: Vec<_> = list["items"].as_array().unwrap().iter().map(|own| own["value"].clone()).collect();
        assert_eq!(values, [CONTACT, taro]);
        assert!(list["items"].as_array().unwrap().iter().all(|own| own["verified_at"].is_string()));
        app.start_sign_in(stale, PASSWORD).await.refused(401, "invalid_credentials");
        app.ignore_notices().await;
    });
}

/// An account whose time has come is as good as gone, purged or not.
#[test]
fn a_recovery_opens_no_account_that_has_closed() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        person.post("/v1/account/closure", &json!({})).await.ok(202);
        app.ignore_messages().await;
        app.advance(24 * HOUR);
        let token = app.open_recovery(&person, &["phone", "password"]).await;
        app.advance(26 * 24 * HOUR + 1);
        app.complete_recovery(&token, Some(NEW)).await.refused(403, "account_closed");
        app.ignore_notices().await;
    });
}
