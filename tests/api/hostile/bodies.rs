//! Every hostile body to every operation that takes one.

use reqwest::Method;
use sekisho::config::Mode;
use serde_json::Value;

use super::members;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::rows;
use crate::support::test;

const JSON: &str = "application/json";
const MALFORMED: (u16, &str) = (400, "malformed_request");
const TOO_LARGE: (u16, &str) = (413, "body_too_large");
const OTHER_TYPE: (u16, &str) = (415, "unsupported_media_type");

/// Method and path of every operation that takes a JSON body.
fn operations(app: &TestApp) -> Vec<(Method, String)> {
    let document = sekisho::server::document(Mode::Development, &app.url).unwrap().value().clone();
    // What a provider sends is judged by its signature first.
    let items = document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.contains("{provider}"));
    let takes_a_body = items.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        let path = path.replace("{id}", "01932c5e-7a10-7000-8000-000000000001");
        operations
            .filter(|(_, operation)| !operation["requestBody"]["content"][JSON].is_null())
            .map(move |(method, _)| (Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path.clone()))
    });
    takes_a_body.collect()
}

/// What is refused for its form, whatever the operation wants to know.
fn malformed() -> Vec<Vec<u8>> {
    let deep = |levels| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let utf16 = "{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let texts = [
        "null",
        "[]",
        "7",
        "true",
        "\"{}\"",
        "{",
        "{}}",
        "{},{}",
        "{'a':1}",
        "{\"a\":1,}",
        "{/**/}",
        "\u{feff}{}",
        "{\"a\":NaN}",
        "{\"a\":1e400}",
        "{\"a\":-1e400}",
        "{\"a\":01}",
        "{\"a\":0x1}",
        "{\"a\":null}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\\u0000\":1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\\x41\"}",
        "a=1&b=2",
        "<a/>",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    bodies.extend([deep(129).into_bytes(), "[".repeat(16_000).into_bytes(), members(1700).into_bytes()]);
    bodies.extend([b"{\"a\":\"\xff\"}".to_vec(), b"{\"a\":\"\xc0\x80\"}".to_vec(), utf16]);
    bodies
}

async fn send(app: &TestApp, operation: &(Method, String), token: &str, kind: &str, body: Vec<u8>) -> Answer {
    let request = app.request(operation.0.clone(), &operation.1).bearer_auth(token);
    app.send(request.header("content-type", kind).body(body)).await
}

/// security.md 74 and 79: the body is judged before anything is looked up, the refusal names its kind, and nothing was
/// written.
#[test]
fn a_hostile_body_is_refused_by_every_operation_and_changes_nothing() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.ignore_messages().await;
        let (token, before) = (taro.access(), rows(&app.app.db).await);
        let operations = operations(app);
        assert!(operations.len() >= 15, "{operations:?}");
        for operation in &operations {
            for body in malformed() {
                let text = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
                refused(&send(app, operation, &token, JSON, body).await, MALFORMED, operation, &text);
            }
            let unknown = send(app, operation, &token, JSON, b"{\"sudo\":true}".to_vec()).await;
            refused(&unknown, (400, "unsupported_field"), operation, "an unknown member");
            for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-7", ""] {
                let answer = send(app, operation, &token, kind, b"{}".to_vec()).await;
                refused(&answer, OTHER_TYPE, operation, kind);
            }
            for large in [members(1_000_000), " ".repeat(10 << 20)] {
                let answer = send(app, operation, &token, JSON, large.into_bytes()).await;
                refused(&answer, TOO_LARGE, operation, "megabytes");
            }
        }
        assert_eq!(rows(&app.app.db).await, before);
        assert_eq!(taro.get("/v1/account").await.status, 200);
    });
}

#[track_caller]
fn refused(answer: &Answer, expected: (u16, &str), operation: &(Method, String), body: &str) {
    let told = (answer.status, answer.body["code"].as_str().unwrap_or_default());
    assert_eq!(told, expected, "{operation:?} {body:?}: {:#}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    if answer.status == 400 {
        let faults: &Vec<Value> = answer.body["errors"].as_array().unwrap();
        assert!(faults.iter().all(|fault| fault["pointer"].is_string()), "{operation:?} {body:?}: {faults:?}");
    }
}
