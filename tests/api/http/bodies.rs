//! Strict JSON bodies. The reader's every case stands beside it in `src/http/json/tests.rs`; here is that the
//! endpoints use it.

use sekisho::clock::Stopwatch;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::raw;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

async fn post_as(app: &TestApp, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    app.send(app.request(Method::POST, path).header("content-type", kind).body(body)).await
}

async fn post(app: &TestApp, body: impl Into<reqwest::Body>) -> Answer {
    post_as(app, "/v1/sign-ups", "application/json", body).await
}

/// security.md 74
#[test]
fn a_body_that_is_not_strict_json_is_refused_at_its_fault() {
    test(async |app| {
        for (body, code, pointer, fault) in [
            ("", "malformed_request", "", "malformed"),
            ("sign me up", "malformed_request", "", "malformed"),
            ("identifier=a&password=b", "malformed_request", "", "malformed"),
            ("{}{}", "malformed_request", "", "malformed"),
            ("\u{feff}{}", "malformed_request", "", "malformed"),
            ("[]", "malformed_request", "", "wrong_type"),
            ("null", "malformed_request", "", "null_not_allowed"),
            (r#"{"identifier":"a","identifier":"b"}"#, "malformed_request", "/identifier", "duplicate"),
            (r#"{"password":null}"#, "malformed_request", "/password", "null_not_allowed"),
            (r#"{"identifier":"a\u0000"}"#, "malformed_request", "/identifier", "malformed"),
            (r#"{"password":"a\u0000"}"#, "malformed_request", "/password", "malformed"),
            (r#"{"password":"\ud83d"}"#, "malformed_request", "/password", "malformed"),
            (r#"{"identifier":1}"#, "malformed_request", "/identifier", "wrong_type"),
            (r#"{"identifier":["a"]}"#, "malformed_request", "/identifier", "wrong_type"),
            (r#"{"identifier":1e400}"#, "malformed_request", "/identifier", "malformed"),
            (r#"{"identifier":NaN}"#, "malformed_request", "/identifier", "malformed"),
            (r#"{"colour":"red"}"#, "unsupported_field", "/colour", "unsupported"),
            (r#"{"Identifier":"a"}"#, "unsupported_field", "/Identifier", "unsupported"),
            (r#"{"__proto__":{}}"#, "unsupported_field", "/__proto__", "unsupported"),
        ] {
            let problem = post(app, body).await.refused(400, code);
            let found = &problem["errors"][0];
            assert_eq!((&found["pointer"], &found["code"]), (&pointer.into(), &fault.into()), "{body}");
        }
        post(app, b"{\"identifier\":\"\xff\"}".to_vec()).await.refused(400, "malformed_request");
        for empty in [post(app, "").await, app.send(app.request(Method::POST, "/v1/sign-ups")).await] {
            let problem = empty.refused(400, "malformed_request");
            assert_eq!(problem["reason"], "no_body");
            assert!(problem["detail"].as_str().unwrap().contains("JSON body"), "{problem}");
        }
    });
}

#[test]
fn a_value_that_does_not_fit_is_pointed_at() {
    test(async |app| {
        post(app, "{}").await.faults(&["/identifier required"]);
        post(app, r#"{"identifier":"a@example.jp"}"#).await.faults(&["/password required"]);
        let kind = json!({ "sign_in_token": "sit_x", "kind": "smoke_signal" });
        app.post("/v1/sign-ins/enrolments", &kind).await.faults(&["/kind unknown_value"]);
        let id = json!({ "sign_in_token": "sit_x", "factor_id": "7", "method": "code", "code": "123456" });
        app.post("/v1/sign-ins/enrolments/confirm", &id).await.faults(&["/factor_id invalid_format"]);
        // Several at once, so that a form can show them all.
        let several = json!({ "identifier": "nobody", "password": "short", "locale": "tlh", "client_id": "x" });
        app.post("/v1/sign-ups", &several).await.faults(&[
            "/identifier invalid_email",
            "/password password_too_short",
            "/locale unsupported_locale",
            "/client_id unknown_client",
        ]);
    });
}

/// security.md 3: what cannot be seen in a name or an address is not accepted there.
#[test]
fn unseen_characters_are_refused_where_a_person_reads() {
    test(async |app| {
        let unseen = ['\u{1}', '\t', '\r', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{200b}', '\u{200d}', '\u{200f}'];
        for c in unseen.into_iter().chain(['\u{202a}', '\u{202e}', '\u{2060}', '\u{2066}', '\u{2069}', '\u{feff}']) {
            let address = json!({ "identifier": format!("ta{c}ro@example.jp"), "password": PASSWORD });
            app.post("/v1/sign-ups", &address).await.faults(&["/identifier invalid_characters"]);
            app.post("/v1/sign-ins", &address).await.faults(&["/identifier invalid_characters"]);
            let name =
                json!({ "identifier": "taro@example.jp", "password": PASSWORD, "display_name": format!("T{c}") });
            app.post("/v1/sign-ups", &name).await.faults(&["/display_name invalid_characters"]);
        }
        let person = app.person("taro@example.jp").await;
        person
            .patch("/v1/account", &json!({ "display_name": "T\u{202e}" }))
            .await
            .faults(&["/display_name invalid_characters"]);
        let session = format!("/v1/sessions/{}", person.tokens["session_id"].as_str().unwrap());
        person.patch(&session, &json!({ "label": "a\u{200b}" })).await.faults(&["/label invalid_characters"]);
    });
}

/// A password is never shown, so it may hold anything that a keyboard can make; control characters it cannot.
#[test]
fn a_password_may_hold_what_a_name_may_not() {
    test(async |app| {
        let check = async |password: &str| {
            let opinion = app.post("/v1/passwords/check", &json!({ "password": password })).await.ok(200);
            let codes = opinion["errors"].as_array().unwrap().iter().map(|fault| fault["code"].clone());
            codes.collect::<Vec<Value>>()
        };
        for password in ["horse\u{200d}battery staple", "\u{202e}horse battery staple", "馬 電池 ホッチキス 正しい"]
        {
            assert_eq!(check(password).await, Vec::<Value>::new(), "{password:?}");
        }
        for password in ["horse\tbattery staple", "horse\u{1b}battery staple", "horse\u{85}battery staple"] {
            assert_eq!(check(password).await, ["invalid_characters"], "{password:?}");
        }
    });
}

/// security.md 74
#[test]
fn only_uncompressed_utf_8_json_is_read() {
    test(async |app| {
        let body = || json!({ "password": PASSWORD }).to_string();
        let path = "/v1/passwords/check";
        for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            post_as(app, path, kind, body()).await.ok(200);
        }
        for kind in [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/problem+json",
            "application/json; charset=shift_jis",
            "application/json, text/plain",
            "",
        ] {
            post_as(app, path, kind, body()).await.refused(415, "unsupported_media_type");
        }
        app.send(app.request(Method::POST, path).body(body())).await.refused(415, "unsupported_media_type");
        for coding in ["gzip", "identity"] {
            let request = app.request(Method::POST, path).header("content-encoding", coding);
            let request = request.header("content-type", "application/json").body(body());
            app.send(request).await.refused(415, "unsupported_media_type");
        }
    });
}

/// security.md 17 and 74
#[test]
fn a_large_body_is_refused_quickly_whether_its_length_is_told_or_not() {
    test(async |app| {
        let large = json!({ "identifier": "taro@example.jp", "password": "x".repeat(1 << 20) }).to_string();
        let begun = Stopwatch::start();
        post(app, large).await.refused(413, "body_too_large");
        let head =
            "POST /v1/sign-ups HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
        let told = format!("{head}content-length: 10485760\r\n\r\n");
        let (status, answer) = raw(app, told.as_bytes()).await;
        assert!(status == 413 && answer.contains("body_too_large"), "{answer}");
        let chunk = format!("{:x}\r\n{}\r\n", 20_000, " ".repeat(20_000));
        let (status, answer) =
            raw(app, format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}0\r\n\r\n").as_bytes()).await;
        assert!(status == 413 && answer.contains("body_too_large"), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    });
}

/// security.md 74
#[test]
fn hostile_bodies_are_refused_quickly() {
    test(async |app| {
        let many: Vec<String> = (0..1500).map(|n| format!("\"{n}\":1")).collect();
        for body in [
            "[".repeat(16_000),
            format!("{{\"identifier\":{}", "{\"a\":".repeat(3000)),
            format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200)),
            format!("{{{}}}", many.join(",")),
            format!("{{\"identifier\":{}}}", "9".repeat(16_000)),
        ] {
            let begun = Stopwatch::start();
            let answer = post(app, body).await;
            assert_eq!(answer.status, 400, "{}", answer.body);
            assert!(begun.elapsed() < Duration::from_secs(5));
        }
    });
}
