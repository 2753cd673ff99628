//! No path gives a token that opens anything before the second factor.
//!
//! Everything that a person (or a thief) can hold before the second factor is tried as an access token at every
//! operation that takes one, and as every other kind of token wherever one is taken.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const SOME_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Everything in hand before a second factor was given, by name.
struct InHand {
    sign_up: String,
    verify_identifier: String,
    second_factor: String,
    enrol: String,
}

async fn in_hand(app: &TestApp, taro: &Person<'_>) -> InHand {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let sign_up = app.start_sign_up("new@example.jp").await;
    app.message_to("new@example.jp").await;
    let enrol = text(&app.sign_up("hana@example.jp").await, "sign_in_token");
    let verify = app.start_sign_in("hana@example.jp", PASSWORD).await.ok(200);
    let second_factor = text(&taro.start_sign_in().await, "sign_in_token");
    InHand { sign_up, verify_identifier: text(&verify, "sign_in_token"), second_factor, enrol }
}

/// A good token with another payload, under the old signature.
fn altered(token: &str, claim: &str, value: Value) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims[claim] = value;
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}

/// A good token's header and payload, signed by a key that is not the service's.
fn signed_by_another(token: &str) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// What is no access token, though it opens something or looks like one.
async fn impostors(app: &TestApp, taro: &Person<'_>) -> Vec<(&'static str, String)> {
    let hand = in_hand(app, taro).await;
    let (link, asked, _) = app.reset_message("taro@example.jp").await;
    let access = taro.access();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#);
    let (message, signature) = access.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    vec![
        ("the token of a sign-up", hand.sign_up),
        ("a flow that proves an identifier", hand.verify_identifier),
        ("a flow that asks for the second factor", hand.second_factor),
        ("a flow that enrols", hand.enrol),
        ("a refresh token", taro.refresh_token()),
        ("the token of a reset", link),
        ("the token of a request for one", asked),
        ("the token of a device", taro.tokens["device_token"].as_str().unwrap().to_owned()),
        ("a code of the app", taro.authenticator.code(app.next_step())),
        ("a recovery code", taro.recovery_codes[0].clone()),
        ("the password", PASSWORD.to_owned()),
        ("the session's id", taro.tokens["session_id"].as_str().unwrap().to_owned()),
        ("nothing", String::new()),
        ("another person's token", altered(&access, "sub", json!(SOME_ID))),
        ("a token of later", altered(&access, "exp", json!(4_000_000_000_u32))),
        ("a token with a role", altered(&access, "roles", json!(["admin"]))),
        ("a token of another key", signed_by_another(&access)),
        ("an unsigned token", format!("{unsigned}.{payload}.")),
        ("a token without its signature", format!("{message}.")),
        ("a token of another signature", format!("{message}.{}", signature.chars().rev().collect::<String>())),
    ]
}

/// Every operation of the document that takes an access token.
async fn protected(app: &TestApp) -> Vec<(Method, String)> {
    let document = app.get("/openapi.json").await.ok(200);
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let ways = operation["security"].as_array().into_iter().flatten();
            if ways.into_iter().any(|way| way.get("bearer").is_some()) {
                let path: Vec<_> =
                    path.split('/').map(|part| if part.starts_with('{') { SOME_ID } else { part }).collect();
                found.push((Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path.join("/")));
            }
        }
    }
    found
}

async fn call(app: &TestApp, method: &Method, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = app.request(method.clone(), path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    // An act that needs no body gets none: the refusal must not hang on it.
    app.send(if [Method::POST, Method::PATCH].contains(method) && path != "/v1/account/recovery-codes" {
        request.json(&json!({}))
    } else {
        request
    })
    .await
}

#[track_caller]
fn opens_nothing(answer: &Answer, what: &str) {
    let text = answer.body.to_string();
    assert!(
        !["access_token\"", "refresh_token\"", "recovery_codes\""].iter().any(|name| text.contains(name)),
        "{what}: {text}"
    );
    assert!(answer.header("set-cookie").is_empty(), "{what}");
}

/// security.md 25 and 50.
#[test]
fn only_an_access_token_opens_what_needs_one() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let impostors = impostors(app, &taro).await;
        let operations = protected(app).await;
        assert!(operations.len() >= 9, "{operations:?}");
        for (method, path) in &operations {
            call(app, method, path, None).await.refused(401, "access_token_missing");
            for (name, token) in &impostors {
                let answer = call(app, method, path, Some(&format!("Bearer {token}"))).await;
                let what = format!("{method} {path} with {name}");
                assert_eq!(answer.status, 401, "{what}: {}", answer.body);
                opens_nothing(&answer, &what);
                let code = answer.body["code"].as_str().unwrap().to_owned();
                assert!(["access_token_invalid", "access_token_missing"].contains(&code.as_str()), "{what}: {code}");
            }
            for scheme in ["Basic", "Token", "DPoP"] {
                let answer = call(app, method, path, Some(&format!("{scheme} {}", taro.access()))).await;
                answer.refused(401, "access_token_missing");
            }
        }
        assert_eq!(taro.get("/v1/account").await.status, 200, "the session is none the worse");
    });
}

/// security.md 25: each answer on the way holds the token of the next step and no other.
#[test]
fn no_step_before_the_last_answers_a_token_that_opens_anything() {
    test(async |app| {
        let email = "taro@example.jp";
        let sign_up = app.post("/v1/sign-ups", &json!({ "identifier": email, "password": PASSWORD })).await;
        opens_nothing(&sign_up, "the start of a sign-up");
        let token = sign_up.ok(202)["sign_up_token"].as_str().unwrap().to_owned();
        let verified = app.verify(&token, &app.code_to(email).await).await;
        opens_nothing(&verified, "a verified sign-up");
        let verified = verified.ok(200);
        let started = app.start_sign_in(email, PASSWORD).await;
        opens_nothing(&started, "the right password");
        let started = started.ok(200);
        let body =
            json!({ "sign_in_token": started["sign_in_token"], "identifier_id": started["identifiers"][0]["id"] });
        opens_nothing(&app.post("/v1/sign-ins/identifier-codes", &body).await, "a code on its way");
        let body = json!({ "sign_in_token": started["sign_in_token"], "code": app.code_to(email).await });
        let proved = app.post("/v1/sign-ins/identifier", &body).await;
        opens_nothing(&proved, "a proved identifier");
        assert_eq!(proved.ok(200)["next"], "enrol_second_factor");
        let body = json!({ "sign_in_token": verified["sign_in_token"], "kind": "totp" });
        opens_nothing(&app.post("/v1/sign-ins/enrolments", &body).await, "an enrolment");
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 0);
    });
}

/// What looks like the answer of a passkey.
fn credential() -> Value {
    let response = json!({ "authenticatorData": "AA", "clientDataJSON": "AA", "signature": "AA" });
    json!({ "id": "AA", "rawId": "AA", "type": "public-key", "response": response })
}

/// Every endpoint that takes a token in its body, with a body that is right but for the token, and the right kinds.
fn places() -> Vec<(&'static str, Value, &'static str, &'static [&'static str])> {
    vec![
        ("/v1/sign-ups/verify", json!({ "code": "123456" }), "sign_up_token", &["sign-up"]),
        ("/v1/sign-ups/resend", json!({}), "sign_up_token", &["sign-up"]),
        ("/v1/sign-ins/identifier-codes", json!({ "identifier_id": SOME_ID }), "sign_in_token", &["verify"]),
        ("/v1/sign-ins/identifier", json!({ "code": "123456" }), "sign_in_token", &["verify"]),
        ("/v1/sign-ins/second-factor", json!({ "method": "code", "code": "123456" }), "sign_in_token", &["second"]),
        ("/v1/sign-ins/passkey-options", json!({ "factor_id": SOME_ID }), "sign_in_token", &["second"]),
        ("/v1/passkey-sign-ins", json!({ "credential": credential() }), "flow_token", &[]),
        ("/v1/sign-ins/enrolments", json!({ "kind": "totp" }), "sign_in_token", &["enrol"]),
        (
            "/v1/sign-ins/enrolments/confirm",
            json!({ "factor_id": SOME_ID, "method": "code", "code": "123456" }),
            "sign_in_token",
            &["enrol"],
        ),
        ("/v1/sessions/refresh", json!({}), "refresh_token", &[]),
        ("/v1/device-tokens/confirm", json!({}), "token", &[]),
        ("/v1/sign-ins/password", json!({ "new_password": "tidal mango ledger vowel" }), "sign_in_token", &[]),
        ("/v1/password-resets/inspect", json!({}), "reset_token", &["link"]),
        (
            "/v1/password-resets/confirm",
            json!({ "method": "link", "new_password": "tidal mango ledger vowel" }),
            "reset_token",
            &["link"],
        ),
        (
            "/v1/password-resets/confirm",
            json!({ "method": "code", "code": "12345678", "new_password": "tidal mango ledger vowel" }),
            "password_reset_token",
            &["reset"],
        ),
    ]
}

/// security.md 50 and 61: a token is of one kind and for one step.
#[test]
fn a_token_opens_nothing_in_the_place_of_another() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hand = in_hand(app, &taro).await;
        let (link, asked, _) = app.reset_message("taro@example.jp").await;
        let tokens = [
            ("sign-up", hand.sign_up),
            ("verify", hand.verify_identifier),
            ("second", hand.second_factor),
            ("enrol", hand.enrol),
            ("access", taro.access()),
            ("recovery", taro.recovery_codes[0].clone()),
            ("device", taro.tokens["device_token"].as_str().unwrap().to_owned()),
            ("link", link),
            ("reset", asked),
        ];
        for (path, body, member, fitting) in places() {
            for (kind, token) in tokens.iter().filter(|(kind, _)| !fitting.contains(kind)) {
                let mut body = body.clone();
                body[member] = json!(token);
                let answer = app.post(path, &body).await;
                let what = format!("{path} with {kind}");
                opens_nothing(&answer, &what);
                let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
                let expected: &[&str] = match path {
                    "/v1/sessions/refresh" => &["refresh_token_invalid"],
                    "/v1/device-tokens/confirm" => &["device_token_invalid"],
                    "/v1/passkey-sign-ins" => &["sign_in_expired"],
                    _ if member.ends_with("reset_token") => &["reset_token_invalid"],
                    _ if member == "sign_up_token" => &["sign_up_expired"],
                    _ if ["verify", "second", "enrol"].contains(kind) => &["wrong_step"],
                    _ => &["sign_in_expired"],
                };
                assert!(expected.contains(&code.as_str()), "{what}: {code}");
            }
            // A refresh token takes no step of a flow either.
            if member != "refresh_token" {
                let mut body = body.clone();
                body[member] = json!(taro.refresh_token());
                assert_eq!(app.post(path, &body).await.status, 410, "{path}");
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 1);
    });
}
