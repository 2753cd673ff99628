//! `src/sign_in`.

mod identifier;
mod reauthentication;
mod refusals;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

/// Every step of a flow but the first, with a body that fits it.
fn steps(token: &Value) -> [(&'static str, Value); 5] {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    [
        ("/v1/sign-ins/identifier-codes", json!({ "sign_in_token": token, "identifier_id": id })),
        ("/v1/sign-ins/identifier", json!({ "sign_in_token": token, "code": "123456" })),
        ("/v1/sign-ins/second-factor", json!({ "sign_in_token": token, "method": "code", "code": "123456" })),
        ("/v1/sign-ins/enrolments", json!({ "sign_in_token": token, "kind": "totp" })),
        (
            "/v1/sign-ins/enrolments/confirm",
            json!({ "sign_in_token": token, "factor_id": id, "method": "code", "code": "123456" }),
        ),
    ]
}

async fn only_these_steps_fit(app: &TestApp, flow: &Value, fitting: &[&str]) {
    for (path, body) in steps(&flow["sign_in_token"]) {
        let answer = app.post(path, &body).await;
        if fitting.contains(&path) {
            assert_ne!(answer.body["code"], "wrong_step", "{path}");
        } else {
            answer.refused(409, "wrong_step");
        }
    }
}

#[test]
fn a_person_signs_in_with_password_and_app() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let tokens = taro.sign_in().await;
        assert_eq!(tokens["recovery_codes_left"], 10);
        assert!(tokens.get("recovery_codes").is_none());
    });
}

/// security.md 25: the answer to the right password names the factors and holds nothing that opens anything.
#[test]
fn the_right_password_alone_says_what_comes_next_and_no_more() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        let mut members: Vec<_> = flow.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["enrollable", "expires_in", "factors", "identifiers", "next", "sign_in_token"]);
        assert_eq!((&flow["next"], &flow["expires_in"]), (&json!("second_factor"), &json!(600)));
        assert_eq!((&flow["identifiers"], &flow["enrollable"]), (&json!([]), &json!([])));
        let kinds: Vec<_> = flow["factors"].as_array().unwrap().iter().map(|factor| factor["kind"].clone()).collect();
        assert_eq!(kinds, ["totp", "recovery_code"]);
        assert_eq!(flow["factors"][0]["id"], taro.factor.as_str());
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1, "that of the sign-up");
    });
}

/// security.md 7: no step before its time, none after it.
#[test]
fn a_flow_takes_the_step_that_it_asks_for_and_no_other() {
    test(async |app| {
        let enrolling = app.sign_up("hana@example.jp").await;
        let enrolments = ["/v1/sign-ins/enrolments", "/v1/sign-ins/enrolments/confirm"];
        only_these_steps_fit(app, &enrolling, &enrolments).await;
        let proving = app.start_sign_in("hana@example.jp", PASSWORD).await.ok(200);
        assert_eq!(proving["next"], "verify_identifier");
        let identifier = ["/v1/sign-ins/identifier-codes", "/v1/sign-ins/identifier"];
        only_these_steps_fit(app, &proving, &identifier).await;
        let taro = app.person("taro@example.jp").await;
        only_these_steps_fit(app, &taro.start_sign_in().await, &["/v1/sign-ins/second-factor"]).await;
    });
}

/// security.md 61: a token that was cut, lengthened or written otherwise names no flow.
#[test]
fn damaged_tokens_name_no_flow() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        let token = flow["sign_in_token"].as_str().unwrap();
        let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let damaged = [
            String::new(),
            "sit_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            format!("sit_{}", token[4..].chars().map(swap).collect::<String>()),
            format!("sup_{}", &token[4..]),
            taro.access(),
            taro.refresh_token(),
        ];
        for damaged in damaged {
            for (path, body) in steps(&json!(damaged)) {
                app.post(path, &body).await.refused(410, "sign_in_expired");
            }
        }
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
    });
}

/// security.md 33: ten minutes, and not a second more.
#[test]
fn a_flow_waits_for_ten_minutes() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let (in_time, late) = (taro.start_sign_in().await, taro.start_sign_in().await);
        app.advance(595);
        app.second_factor(&in_time, &app.totp(&taro.factor).await).await.ok(201);
        app.advance(6);
        for (path, body) in steps(&late["sign_in_token"]) {
            app.post(path, &body).await.refused(410, "sign_in_expired");
        }
    });
}

/// security.md 24: whoever held the token of the flow holds nothing once the flow had its effect.
#[test]
fn a_flow_is_over_once_it_opened_a_session() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        for (path, body) in steps(&flow["sign_in_token"]) {
            app.post(path, &body).await.refused(410, "sign_in_expired");
        }
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.refused(410, "sign_in_expired");
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 2);
    });
}

/// security.md 24: every step gives out an identifier of its own, and none that the caller came with is taken over.
#[test]
fn no_identifier_lives_on_from_one_step_to_the_next() {
    test(async |app| {
        let sign_up = app.start_sign_up("taro@example.jp").await;
        let enrolling = app.verify(&sign_up, &app.code_to("taro@example.jp").await).await.ok(200);
        let (factor, authenticator) = app.set_up_app(&enrolling).await;
        let first = app.confirm_enrolment(&enrolling, &factor, &authenticator.code(app.next_step())).await.ok(201);
        app.message_to("taro@example.jp").await;
        let mut sessions = vec![first.clone()];
        let mut flows = vec![json!(sign_up), enrolling["sign_in_token"].clone()];
        for _ in 0..2 {
            // A browser that somebody else has prepared: with a session, a flow and an id that they know.
            let token = first["refresh_token"].as_str().unwrap();
            let planted = format!("__Host-sekisho_refresh={token}; session={}", first["session_id"].as_str().unwrap());
            let prepared = |path: &str, body: &Value| {
                let request = app.request(Method::POST, path).header("cookie", &planted).header("origin", &app.url);
                app.send(request.bearer_auth(first["access_token"].as_str().unwrap()).json(body))
            };
            let body = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
            let flow = prepared("/v1/sign-ins", &body).await.ok(200);
            flows.push(flow["sign_in_token"].clone());
            let code = authenticator.code(app.next_step());
            let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": code });
            sessions.push(prepared("/v1/sign-ins/second-factor", &body).await.ok(201));
        }
        sessions.push(app.refresh(sessions[1]["refresh_token"].as_str().unwrap()).await.ok(200));
        for name in ["refresh_token", "access_token"] {
            let different: BTreeSet<_> = sessions.iter().map(|tokens| tokens[name].as_str().unwrap()).collect();
            assert_eq!(different.len(), 4, "{name}");
        }
        // A refresh goes on with its own session; a sign-in never does.
        let ids: BTreeSet<_> = sessions.iter().map(|tokens| tokens["session_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 3);
        let secrets = flows.iter().map(|token| &token.as_str().unwrap()[4..]);
        let secrets = secrets.chain(sessions.iter().map(|tokens| &tokens["refresh_token"].as_str().unwrap()[4..]));
        assert_eq!(secrets.collect::<BTreeSet<_>>().len(), 8);
    });
}

/// security.md 23: the forms of an address are one identifier.
#[test]
fn an_address_may_be_typed_in_any_form() {
    test(async |app| {
        app.person("taro@example.jp").await;
        for form in ["TARO@EXAMPLE.JP", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", " taro@example.jp　"] {
            app.start_sign_in(form, PASSWORD).await.ok(200);
        }
        app.start_sign_in("taro+x@example.jp", PASSWORD).await.refused(401, "invalid_credentials");
    });
}

#[test]
fn every_fault_of_a_sign_in_is_told_at_once() {
    test(async |app| {
        let body = json!({
            "identifier": "taro", "password": PASSWORD, "client_id": "nobody", "session_label": "太".repeat(101),
        });
        let faults = ["/identifier invalid_email", "/client_id unknown_client", "/session_label too_long"];
        app.post("/v1/sign-ins", &body).await.faults(&faults);
        let body = json!({ "identifier": "+8190", "password": PASSWORD, "session_label": " " });
        app.post("/v1/sign-ins", &body).await.faults(&["/identifier invalid_phone", "/session_label required"]);
        app.post("/v1/sign-ins", &json!({ "identifier": "a@b.jp" })).await.faults(&["/password required"]);
        let surplus = json!({ "identifier": "a@b.jp", "password": PASSWORD, "otp": "123456" });
        app.post("/v1/sign-ins", &surplus).await.refused(400, "unsupported_field");
    });
}

#[test]
fn a_session_carries_the_label_of_its_sign_in() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({
            "identifier": "taro@example.jp", "password": PASSWORD, "session_label": " 居間のタブレット ",
            "client_id": "first-party", "country": "JP",
        });
        let flow = app.post("/v1/sign-ins", &body).await.ok(200);
        let tokens = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        let access = tokens["access_token"].as_str().unwrap();
        let sessions = app.with_token(access, Method::GET, "/v1/sessions", None).await.ok(200);
        let current = sessions["items"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
        assert_eq!(current["label"], "居間のタブレット");
        assert_eq!(current["amr"], json!(["pwd", "otp", "mfa"]));
    });
}

/// Cookies go to listed origins alone; a refusal uses nothing up.
#[test]
fn tokens_for_a_cookie_need_a_listed_origin() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        let code = app.totp(&taro.factor).await;
        let mut body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "code": code, "token_delivery": "cookie",
        });
        app.post("/v1/sign-ins/second-factor", &body).await.refused(403, "origin_not_allowed");
        let origin = |origin: &str| app.request(Method::POST, "/v1/sign-ins/second-factor").header("origin", origin);
        app.send(origin("https://evil.example.com").json(&body)).await.refused(403, "origin_not_allowed");
        body["token_delivery"] = json!("carrier pigeon");
        app.post("/v1/sign-ins/second-factor", &body).await.faults(&["/token_delivery unknown_value"]);
        body["token_delivery"] = json!("cookie");
        let answer = app.send(origin(&app.url).json(&body)).await;
        assert!(answer.header("set-cookie").starts_with("__Host-sekisho_refresh=srt_"), "{:?}", answer.headers);
        assert!(answer.ok(201).get("refresh_token").is_none());
    });
}
