//! The first sign-in of somebody who was imported.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::BCRYPT;
use super::bring;
use super::person;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const NUMBER: &str = "+819012345678";

/// Proves the identifier at this place of the flow's list; answers the flow.
pub(super) async fn prove(app: &TestApp, flow: &Value, at: usize, address: &str) -> Value {
    let id = &flow["identifiers"][at]["id"];
    let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": id });
    app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "code": app.code_to(address).await });
    app.post("/v1/sign-ins/identifier", &body).await.ok(200)
}

/// Enrols an app in a flow that asks for one.
pub(super) async fn enrol(app: &TestApp, flow: &Value) -> Value {
    let factor = app.start_enrolment(flow).await;
    app.confirm_enrolment(flow, &factor, &app.totp(&factor).await).await.ok(201)
}

/// A password alone opens nothing: without a factor an identifier is proved first, then one is enrolled.
#[test]
fn without_a_factor_an_identifier_is_proved_and_one_is_enrolled() {
    test(async |app| {
        bring(app, &[person("1", TARO, BCRYPT)]).await;
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(flow["next"], "verify_identifier");
        let tokens = enrol(app, &prove(app, &flow, 0, TARO).await).await;
        assert!(tokens["access_token"].is_string());
        app.message_to(TARO).await;
    });
}

/// Where the old password is not to be kept, the first sign-in asks for another one.
#[test]
fn a_password_that_must_change_is_changed_at_the_first_sign_in() {
    test(async |app| {
        let mut line = person("1", TARO, BCRYPT);
        line["must_change_password"] = json!(true);
        bring(app, &[line]).await;
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(flow["next"], "change_password");
        let new = "another horse, better battery";
        let body = json!({ "sign_in_token": flow["sign_in_token"], "new_password": new });
        let flow = app.post("/v1/sign-ins/password", &body).await.ok(200);
        enrol(app, &prove(app, &flow, 0, TARO).await).await;
        app.ignore_messages().await;
        app.start_sign_in(TARO, PASSWORD).await.refused(401, "invalid_credentials");
        app.start_sign_in(TARO, new).await.ok(200);
    });
}

/// Confirmed factors come along, and are asked for.
#[test]
fn factors_that_come_along_are_asked_for() {
    test(async |app| {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        let mut line = person("1", TARO, BCRYPT);
        line["totp"] = json!([{ "secret": "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp", "label": "Old phone" }]);
        line["phones"] = json!([{ "number": "090-1234-5678", "country": "JP", "verified_at": "2020-01-01T00:00:00Z" }]);
        bring(app, &[line]).await;
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(flow["next"], "second_factor");
        let factors = flow["factors"].as_array().unwrap();
        assert_eq!(factors.len(), 2);
        let factor = |label: &str| {
            let factor = factors.iter().find(|factor| factor["label"] == label).unwrap();
            (factor["id"].clone(), factor["kind"].as_str().unwrap())
        };
        let ((totp, "totp"), (phone, "phone")) = (factor("Old phone"), factor("Phone")) else { panic!("{flow:#}") };
        let step = app.next_step();
        let code = Authenticator::new(secret).code(step);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": totp, "code": code });
        app.post("/v1/sign-ins/second-factor", &body).await.ok(201);

        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": phone, "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        let code = app.code_to(NUMBER).await;
        let body =
            json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": phone, "code": code });
        app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
    });
}

/// The old user name leads in until the first sign-in has completed, whichever way that went.
#[test]
fn an_old_user_name_is_good_for_one_sign_in() {
    test(async |app| {
        let mut lines = [person("1", TARO, BCRYPT), person("2", "hanako@example.jp", BCRYPT)];
        (lines[0]["legacy_login"], lines[1]["legacy_login"]) = (json!("Taro_99"), json!("hanako"));
        app.start_sign_in("taro_99", PASSWORD).await.faults(&["/identifier invalid_email"]);
        bring(app, &lines).await;
        let hints = app.start_sign_in("nobody", PASSWORD).await.refused(401, "invalid_credentials")["hints"].clone();
        assert_eq!(hints[0]["code"], "migrated_account");
        let number = app.start_sign_in("090-1111-2222", PASSWORD).await.refused(401, "invalid_credentials");
        assert_eq!(number["hints"][0]["code"], "country_code", "a number, not an old name");
        let wrong = app.start_sign_in("taro_99", "not this one, I think").await.refused(401, "invalid_credentials");
        assert_eq!(wrong["hints"], hints);
        let first = app.start_sign_in(" ｔａｒｏ_99", PASSWORD).await.ok(200);
        let second = app.start_sign_in("TARO_99", PASSWORD).await.ok(200);
        assert_eq!(first["identifiers"][0]["hint"], "t•••@example.jp");
        let (first, second) = (prove(app, &first, 0, TARO).await, prove(app, &second, 0, TARO).await);
        enrol(app, &first).await;
        app.message_to(TARO).await;
        app.start_sign_in("taro_99", PASSWORD).await.refused(401, "invalid_credentials");
        // The other flow asks for the new factor now, and opens nothing with it.
        let id = sqlx::query_scalar::<_, uuid::Uuid>("SELECT id FROM factors WHERE confirmed_at IS NOT NULL");
        let id = id.fetch_one(&app.app.db).await.unwrap().to_string();
        app.second_factor(&second, &app.totp(&id).await).await.refused(410, "sign_in_expired");
        app.start_sign_in(TARO, PASSWORD).await.ok(200);

        // Signing in by address ends the old name too.
        let flow = app.start_sign_in("hanako@example.jp", PASSWORD).await.ok(200);
        enrol(app, &prove(app, &flow, 0, "hanako@example.jp").await).await;
        app.message_to("hanako@example.jp").await;
        app.start_sign_in("hanako", PASSWORD).await.faults(&["/identifier invalid_email"]);
        assert_eq!(app.count("SELECT count(*) FROM legacy_logins").await, 0);
    });
}

fn unproved(external_id: &str) -> Value {
    json!({ "external_id": external_id, "password_hash": BCRYPT, "identifiers": [
        { "kind": "email", "value": TARO }, { "kind": "phone", "value": NUMBER },
    ] })
}

/// What nobody has proved by the end of the first sign-in's proof goes; what was proved is like any other.
#[test]
fn an_unproved_identifier_signs_in_and_is_proved_or_goes() {
    test(async |app| {
        bring(app, &[unproved("1")]).await;
        let flow = app.start_sign_in(NUMBER, PASSWORD).await.ok(200);
        let at = flow["identifiers"].as_array().unwrap().iter().position(|own| own["kind"] == "phone").unwrap();
        let flow = prove(app, &flow, at, NUMBER).await;
        app.start_sign_in(TARO, PASSWORD).await.refused(401, "invalid_credentials");
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM identifiers WHERE is_proved AND is_primary").await, 1);
        enrol(app, &flow).await;
        app.message_to(NUMBER).await;
    });
}

/// No notice goes to an address that may be a stranger's.
#[test]
fn nothing_is_sent_to_an_unproved_identifier_but_its_code() {
    test(async |app| {
        bring(app, &[unproved("1")]).await;
        for _ in 0..12 {
            app.start_sign_in(TARO, "not this one, I think").await.refused(401, "invalid_credentials");
        }
        assert_eq!(app.count("SELECT count(*) FROM outbox").await, 0);
    });
}

/// Who proves an address in a sign-up, or in an account, has it, whoever was imported with it.
#[test]
fn a_proof_wins_over_an_import() {
    test(async |app| {
        bring(app, &[unproved("1")]).await;
        let flow = app.sign_up(TARO).await;
        assert_eq!(flow["next"], "enrol_second_factor");
        assert_eq!(
            app.count("SELECT count(*) FROM identifiers WHERE lookup_key = 'taro@example.jp' AND is_proved").await,
            1
        );
        let flow = app.start_sign_in(NUMBER, PASSWORD).await.ok(200);
        assert_eq!(flow["identifiers"].as_array().unwrap().len(), 1);

        let hanako = app.person("hanako@example.jp").await;
        let begun = hanako.post("/v1/account/identifiers", &json!({ "identifier": NUMBER })).await.ok(201);
        let path = format!("/v1/account/identifiers/{}/verify", begun["identifier"]["id"].as_str().unwrap());
        hanako.post(&path, &json!({ "code": app.code_to(NUMBER).await })).await.ok(200);
        app.ignore_messages().await;
        assert_eq!(app.start_sign_in(NUMBER, PASSWORD).await.ok(200)["next"], "second_factor");
    });
}

/// The identifier that carried a reset proves nothing more where there is another: one mailbox is one proof.
#[test]
fn after_a_reset_another_identifier_is_proved_than_the_one_that_carried_it() {
    test(async |app| {
        let other = "taro@example.com";
        let mut line = person("1", TARO, BCRYPT);
        let verified = json!({ "kind": "email", "value": other, "verified_at": "2016-01-01T00:00:00Z" });
        line["identifiers"].as_array_mut().unwrap().push(verified);
        bring(app, &[line]).await;
        let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
        assert_eq!(flow["identifiers"].as_array().unwrap().len(), 2);
        let carrier = flow["identifiers"][0]["id"].clone();

        let new = "another horse, better battery";
        let asked = app.post("/v1/password-resets", &json!({ "identifier": TARO })).await.ok(202);
        let body = json!({ "method": "code", "password_reset_token": asked["password_reset_token"],
                           "code": app.code_to(TARO).await, "new_password": new });
        app.post("/v1/password-resets/confirm", &body).await.ok(204);
        app.ignore_messages().await;
        let flow = app.start_sign_in(TARO, new).await.ok(200);
        assert_eq!(flow["next"], "verify_identifier");
        assert_eq!(flow["identifiers"].as_array().unwrap().len(), 1);
        let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": carrier });
        app.post("/v1/sign-ins/identifier-codes", &body).await.faults(&["/identifier_id unknown_id"]);
        enrol(app, &prove(app, &flow, 0, other).await).await;
        app.ignore_messages().await;
    });
}

/// The identifier that was proved first has a say over what comes after it, however new its proof.
#[test]
fn an_address_that_was_proved_first_stops_its_removal_and_the_next_one_does_not() {
    for (leaves, tokens) in [(TARO, 1), (NUMBER, 0)] {
        test(async |app| {
            let mut line = person("1", TARO, BCRYPT);
            line["identifiers"][0].as_object_mut().unwrap().remove("verified_at");
            bring(app, &[line]).await;
            let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
            let opened = enrol(app, &prove(app, &flow, 0, TARO).await).await;
            let access = opened["access_token"].as_str().unwrap();
            let (path, body) = ("/v1/account/identifiers", json!({ "identifier": NUMBER }));
            let begun = app.with_token(access, Method::POST, path, Some(&body)).await.ok(201);
            let verify = format!("{path}/{}/verify", begun["identifier"]["id"].as_str().unwrap());
            let body = json!({ "code": app.code_to(NUMBER).await });
            app.advance(1);
            app.with_token(access, Method::POST, &verify, Some(&body)).await.ok(200);
            let listed = app.with_token(access, Method::GET, path, None).await.ok(200);
            let own = listed["items"].as_array().unwrap().iter().find(|own| own["value"] == leaves).unwrap();
            let removal = format!("{path}/{}", own["id"].as_str().unwrap());
            app.with_token(access, Method::DELETE, &removal, None).await.ok(202);
            assert_eq!(app.count("SELECT count(*) FROM cancel_tokens").await, tokens);
            app.ignore_messages().await;
        });
    }
}
