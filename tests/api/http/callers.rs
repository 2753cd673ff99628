//! Who is calling. Each address is observed where its owner sees it: in the list of sessions.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::raw;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

/// Signs in with these headers; the newest session as the list shows it.
async fn session_seen(app: &TestApp, person: &Person<'_>, headers: &[(&str, &str)]) -> Value {
    let with = |request: reqwest::RequestBuilder| {
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let flow = person.start_sign_in().await;
    let body =
        json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": app.totp(&person.factor).await });
    let request = with(app.request(Method::POST, "/v1/sign-ins/second-factor")).json(&body);
    let tokens = app.send(request).await.ok(201);
    let listed = app.with_token(tokens["access_token"].as_str().unwrap(), Method::GET, "/v1/sessions?limit=1", None);
    listed.await.ok(200)["items"][0].clone()
}

const FORGED: [(&str, &str); 9] = [
    ("x-forwarded-for", "203.0.113.9"),
    ("forwarded", "for=203.0.113.9"),
    ("x-real-ip", "203.0.113.9"),
    ("cf-connecting-ip", "203.0.113.9"),
    ("true-client-ip", "203.0.113.9"),
    ("x-client-ip", "203.0.113.9"),
    ("x_forwarded_for", "203.0.113.9"),
    ("forwarded", "for=\"[2001:db8::9]:1\""),
    ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
];

/// security.md 72
#[test]
fn nobody_is_believed_about_addresses_by_default() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for header in FORGED {
            assert_eq!(session_seen(app, &person, &[header]).await["ip"], "127.0.0.1", "{header:?}");
        }
        app.ignore_messages().await;
    });
}

/// security.md 72: the rightmost address that is not a trusted proxy's.
#[test]
fn behind_a_trusted_proxy_the_address_is_counted_from_the_right() {
    test_with(&[("http.trusted_proxies", "127.0.0.1/32,10.0.0.0/8")], async |app| {
        let person = app.person("taro@example.jp").await;
        let x = "x-forwarded-for";
        for (headers, address) in [
            (vec![(x, "203.0.113.9")], "203.0.113.9"),
            (vec![(x, "198.51.100.1, 203.0.113.9")], "203.0.113.9"),
            (vec![(x, "198.51.100.1"), (x, "203.0.113.9, 10.0.0.7")], "203.0.113.9"),
            (vec![(x, "203.0.113.9, rubbish, 10.0.0.7")], "10.0.0.7"),
            (vec![("forwarded", "for=198.51.100.1")], "127.0.0.1"),
            (vec![("forwarded", "for=198.51.100.1"), (x, "203.0.113.9")], "203.0.113.9"),
            (vec![("x-real-ip", "203.0.113.9"), ("cf-connecting-ip", "203.0.113.9")], "127.0.0.1"),
            (vec![], "127.0.0.1"),
        ] {
            assert_eq!(session_seen(app, &person, &headers).await["ip"], address, "{headers:?}");
        }
        app.ignore_messages().await;
    });
}

/// security.md 72: proxies that write `Forwarded` are read by that header and no other.
#[test]
fn the_header_of_the_trusted_proxies_is_a_setting() {
    let settings = [("http.trusted_proxies", "127.0.0.1/32"), ("http.forwarded_header", "forwarded")];
    test_with(&settings, async |app| {
        let person = app.person("taro@example.jp").await;
        let x = "x-forwarded-for";
        for (headers, address) in [
            (vec![("forwarded", "for=198.51.100.1, for=\"[2001:db8::9]:4711\";proto=https")], "2001:db8::9"),
            (vec![("forwarded", "for=203.0.113.9"), (x, "198.51.100.1")], "203.0.113.9"),
            (vec![(x, "203.0.113.9")], "127.0.0.1"),
        ] {
            assert_eq!(session_seen(app, &person, &headers).await["ip"], address, "{headers:?}");
        }
        app.ignore_messages().await;
    });
}

/// security.md 82: what a browser calls itself is kept without what would break a line of a log or a page.
#[test]
fn a_user_agent_is_kept_printable_and_short() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let flow = person.start_sign_in().await;
        let body =
            json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": app.totp(&person.factor).await });
        let agent = "App\t\"1\\\" <b>{}\u{9b}31m";
        let mut request = format!(
            "POST /v1/sign-ins/second-factor HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nuser-agent: {agent}",
            body.to_string().len()
        )
        .into_bytes();
        request.extend([b"\xff", "x".repeat(600).as_bytes(), b"\r\n\r\n", body.to_string().as_bytes()].concat());
        assert_eq!(raw(app, &request).await.0, 201);
        let listed = person.get("/v1/sessions").await.ok(200);
        let kept = listed["items"][0]["user_agent"].as_str().unwrap();
        assert!(kept.starts_with("App\"1\\\" <b>{}31m\u{fffd}xxx"), "{kept:?}");
        assert_eq!(kept.chars().count(), 512);
        app.ignore_messages().await;
    });
}

/// A line that a caller smuggles in is not a header: the request is refused before it is read.
#[test]
fn control_characters_do_not_pass_as_part_of_a_header() {
    test(async |app| {
        for agent in ["a\u{1b}[31m", "a\u{0}b", "a\rb"] {
            let head = format!(
                "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nuser-agent: {agent}\r\n\r\n"
            );
            assert_eq!(raw(app, head.as_bytes()).await.0, 400, "{agent:?}");
        }
    });
}

/// security.md 73: what evades no limit and opens no session by itself stays what it says: a name.
#[test]
fn a_basic_or_broken_authorization_is_no_token() {
    test(async |app| {
        for value in ["Basic dGFybzpwdw==", "Bearer", "Bearer ", "bearer a b", "Token x", "x"] {
            let answer = app.send(app.request(Method::GET, "/v1/account").header("authorization", value)).await;
            assert_eq!(answer.status, 401, "{value}");
            assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"sekisho\""));
        }
        app.start_sign_in("nobody@example.jp", PASSWORD).await.refused(401, "invalid_credentials");
    });
}
