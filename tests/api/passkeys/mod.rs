//! `src/factors`, `src/sign_in` and `src/account_life`: passkeys, with a software authenticator.

mod account;
mod alone;
mod configuration;
mod proved_anew;
mod refusals;

use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Claims;
use crate::support::Passkey;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;

const TARO: &str = "taro@example.jp";

/// Someone with nothing but a passkey.
struct Owner {
    factor: Value,
    passkey: Passkey,
    tokens: Value,
}

impl Owner {
    fn access(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap()
    }
}

/// The creation options of an enrolment in a flow, and its factor.
async fn begin(app: &TestApp, flow: &Value) -> (Value, Value) {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "passkey", "label": "Laptop" });
    let started = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    (started["enrolment"]["factor_id"].clone(), started["enrolment"]["passkey"].clone())
}

async fn confirm(app: &TestApp, flow: &Value, factor: &Value, credential: &Value) -> Answer {
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "passkey", "credential": credential,
    });
    app.post("/v1/sign-ins/enrolments/confirm", &body).await
}

/// Signs up and enrols a passkey that counts, or not.
async fn owner(app: &TestApp, email: &str, count: u32) -> Owner {
    owner_with(app, email, |claims| claims.count = count).await
}

async fn owner_with(app: &TestApp, email: &str, bend: impl FnOnce(&mut Claims)) -> Owner {
    let flow = app.sign_up(email).await;
    let (factor, options) = begin(app, &flow).await;
    let (passkey, credential) = Passkey::make(&options, &app.url, bend);
    let tokens = confirm(app, &flow, &factor, &credential).await.ok(201);
    app.message_to(email).await;
    Owner { factor, passkey, tokens }
}

/// A flow that asks for the second factor, and what it asks a passkey.
async fn asked(app: &TestApp, email: &str, factor: &Value) -> (Value, Value) {
    let flow = app.start_sign_in(email, crate::support::PASSWORD).await.ok(200);
    let options = ask(app, &flow, factor).await.ok(200)["public_key"].clone();
    (flow, options)
}

async fn ask(app: &TestApp, flow: &Value, factor: &Value) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor });
    app.post("/v1/sign-ins/passkey-options", &body).await
}

async fn second_factor(app: &TestApp, flow: &Value, credential: &Value) -> Answer {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "passkey", "credential": credential });
    app.post("/v1/sign-ins/second-factor", &body).await
}

/// A flow of a sign-in by passkey alone: its token and its options.
async fn asked_alone(app: &TestApp) -> (Value, Value) {
    let asked = app.post("/v1/passkey-sign-ins/options", &json!({})).await.ok(200);
    (asked["flow_token"].clone(), asked["public_key"].clone())
}

async fn alone(app: &TestApp, token: &Value, credential: &Value) -> Answer {
    app.post("/v1/passkey-sign-ins", &json!({ "flow_token": token, "credential": credential })).await
}

#[test]
fn a_passkey_is_enrolled_at_the_first_sign_in_and_is_its_second_factor_from_then_on() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        assert_eq!(flow["enrollable"], json!(["totp", "phone", "passkey"]));
        let (factor, options) = begin(app, &flow).await;
        assert_eq!(options["rp"], json!({ "id": "localhost", "name": "Sekisho" }));
        let selection = &options["authenticatorSelection"];
        assert_eq!(
            (&selection["residentKey"], &selection["userVerification"]),
            (&json!("required"), &json!("required"))
        );
        assert_eq!((&options["user"]["name"], &options["excludeCredentials"]), (&json!(TARO), &json!([])));
        let (mut passkey, credential) = Passkey::make(&options, &app.url, |_| {});
        let tokens = confirm(app, &flow, &factor, &credential).await.ok(201);
        assert_eq!(tokens["recovery_codes"].as_array().unwrap().len(), 10);
        let told = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(told["amr"], json!(["pwd", "pop", "user", "mfa"]));
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Laptop"));
        assert!(!options.to_string().contains(tokens["account_id"].as_str().unwrap()), "the handle says nothing");

        let (flow, options) = asked(app, TARO, &factor).await;
        assert_eq!(flow["next"], "second_factor");
        assert_eq!((&flow["factors"][0]["kind"], &flow["factors"][0]["label"]), (&json!("passkey"), &json!("Laptop")));
        assert_eq!(options["allowCredentials"][0]["id"], json!(passkey.id()));
        assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("localhost"), &json!("required")));
        let tokens = second_factor(app, &flow, &passkey.answer(&options)).await.ok(201);
        assert!(tokens["device_token"].is_string());
        let told = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(told["amr"], json!(["pwd", "pop", "user", "mfa"]));
    });
}

/// What the browser adds, and what an authenticator without a user handle leaves out, is no fault.
#[test]
fn a_passkey_may_keep_its_owner_to_itself_where_the_owner_is_known() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        let mut credential = taro.passkey.answer_with(&options, |claims| claims.user_handle = None);
        credential["response"]["aNewMember"] = json!({ "deep": [1, 2, 3] });
        credential["aNewMember"] = json!(true);
        // Some libraries write down what is absent.
        credential["response"]["userHandle"] = Value::Null;
        credential["authenticatorAttachment"] = Value::Null;
        second_factor(app, &flow, &credential).await.ok(201);
    });
}

/// One confirmed passkey of several is asked by its id.
#[test]
fn each_of_several_passkeys_is_asked_by_itself() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (second, mut other) = account::add(app, taro.access(), "Key").await;
        app.message_to(TARO).await;
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        second_factor(app, &flow, &taro.passkey.answer(&options)).await.faults(&["/factor_id required"]);
        let named = async |factor: &Value, credential: &Value| {
            let body = json!({
                "sign_in_token": flow["sign_in_token"], "method": "passkey", "credential": credential, "factor_id": factor,
            });
            app.post("/v1/sign-ins/second-factor", &body).await
        };
        named(&second, &other.answer(&options)).await.refused(422, "invalid_credential");
        named(&taro.factor, &other.answer(&options)).await.refused(422, "invalid_credential");
        named(&taro.factor, &taro.passkey.answer(&options)).await.ok(201);
    });
}

/// A challenge goes to one factor of the account that is a passkey, and to nobody else's.
#[test]
fn only_a_passkey_of_the_account_is_asked() {
    test(async |app| {
        let taro = owner(app, TARO, 0).await;
        let hana = app.person("hana@example.jp").await;
        let flow = hana.start_sign_in().await;
        ask(app, &flow, &taro.factor).await.faults(&["/factor_id unknown_id"]);
        ask(app, &flow, &json!(hana.factor)).await.faults(&["/factor_id unknown_id"]);
        ask(app, &json!({ "sign_in_token": "sit_x" }), &taro.factor).await.refused(410, "sign_in_expired");
        let fresh = app.sign_up("jiro@example.jp").await;
        ask(app, &fresh, &taro.factor).await.refused(409, "wrong_step");
    });
}
