//! Paths and methods.

use reqwest::Method;
use sekisho::openapi::Document;
use serde_json::Value;

use super::raw;
use crate::support::TestApp;
use crate::support::test;

async fn get(app: &TestApp, target: &str, token: &str) -> (u16, String) {
    let head = format!(
        "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\norigin: {}\r\n\r\n",
        app.url
    );
    raw(app, head.as_bytes()).await
}

/// security.md 73
#[test]
fn another_spelling_of_a_path_is_another_path() {
    test(async |app| {
        let token = app.person("taro@example.jp").await.access();
        assert_eq!(get(app, "/v1/account", &token).await.0, 200);
        for target in [
            "//v1/account",
            "/v1//account",
            "/v1/account/",
            "/v1/Account",
            "/V1/account",
            "/v1/account;v=1",
            "/v1/./account",
            "/v1/x/../account",
            "/v1/%2e/account",
            "/v1/%61ccount",
            "/v1%2faccount",
            "/v1/account%00",
            "/v1/account%20",
            "/v1/account%3fx=1",
        ] {
            let (status, answer) = get(app, target, &token).await;
            assert_eq!(status, 404, "{target}");
            assert!(answer.contains(r#""code":"not_found""#), "{target}: {answer}");
        }
    });
}

/// security.md 73 and 75: what is decided by the path cannot be passed by escaping it.
#[test]
fn an_escaped_path_does_not_open_the_development_pages_to_other_sites() {
    test(async |app| {
        let (status, answer) = get(app, "/%64ev/inbox", "x").await;
        assert_eq!(status, 404, "{answer}");
        let (status, answer) = get(app, "/dev/%69nbox?nonsense=1", "x").await;
        assert_eq!(status, 404, "{answer}");
    });
}

fn served(app: &TestApp) -> Document {
    sekisho::server::document(app.app.config.mode, &app.url).unwrap()
}

fn concrete(template: &str) -> String {
    template
        .replace("{id}", "01932c5e-7a10-7000-8000-000000000001")
        .replace("{code}", "not_found")
        .replace("{provider}", "nobody")
}

/// security.md 73: a wrong method on a known path is 405 and names the right ones; HEAD is GET without the body.
#[test]
fn every_path_refuses_every_other_method_and_names_its_own() {
    test(async |app| {
        let document = served(app);
        for (template, item) in document.value()["paths"].as_object().unwrap() {
            let path = concrete(template).replace("{factor_id}", "01932c5e-7a10-7000-8000-000000000001");
            let own: Vec<String> = item.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                if own.iter().any(|known| known == method) {
                    continue;
                }
                let request = app.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
                let answer = app.send(request).await;
                let mut allowed: Vec<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
                allowed.retain(|name| name != "HEAD");
                allowed.sort();
                answer.refused(405, "method_not_allowed");
                let mut expected = own.clone();
                expected.sort();
                assert_eq!(allowed, expected, "{method} {path}");
            }
        }
    });
}

#[test]
fn head_is_get_without_the_body() {
    test(async |app| {
        for (path, status) in [("/.well-known/jwks.json", 200), ("/v1/account", 401), ("/nowhere", 404)] {
            let got = app.get(path).await;
            let head = app.send(app.request(Method::HEAD, path)).await;
            assert_eq!((head.status, &head.body), (status, &Value::Null), "{path}");
            assert_eq!(head.header("content-type"), got.header("content-type"));
        }
        let refused = app.send(app.request(Method::HEAD, "/v1/sign-ups")).await;
        assert_eq!((refused.status, refused.header("allow")), (405, "POST"));
    });
}

/// security.md 73
#[test]
fn a_header_does_not_change_the_method_or_the_path() {
    test(async |app| {
        for (name, value) in [
            ("x-http-method-override", "POST"),
            ("x-http-method", "POST"),
            ("x-method-override", "POST"),
            ("x-original-url", "/v1/account"),
            ("x-rewrite-url", "/v1/account"),
        ] {
            let answer = app.send(app.request(Method::GET, "/v1/sign-ups").header(name, value)).await;
            answer.refused(405, "method_not_allowed");
        }
    });
}

#[test]
fn a_query_is_as_strict_as_a_body() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for (query, status, code, parameter, fault) in [
            ("colour=red", 400, "unsupported_field", "colour", "unsupported"),
            ("Limit=1", 400, "unsupported_field", "Limit", "unsupported"),
            ("limit[]=1", 400, "unsupported_field", "limit[]", "unsupported"),
            ("limit=1&limit=2", 400, "malformed_request", "limit", "duplicate"),
            ("cursor=%zz", 400, "malformed_request", "cursor", "malformed"),
            ("cursor=%ff", 400, "malformed_request", "cursor", "malformed"),
            ("cursor=%00", 400, "malformed_request", "cursor", "malformed"),
            ("cursor=%E2%80%AE", 422, "invalid_fields", "cursor", "invalid_characters"),
            ("limit=", 422, "invalid_fields", "limit", "invalid_format"),
            ("limit=ten", 422, "invalid_fields", "limit", "invalid_format"),
            ("limit=1.5", 422, "invalid_fields", "limit", "invalid_format"),
            ("limit=0", 422, "invalid_fields", "limit", "out_of_range"),
            ("limit=101", 422, "invalid_fields", "limit", "out_of_range"),
            ("limit=-1", 422, "invalid_fields", "limit", "out_of_range"),
        ] {
            let problem = person.get(&format!("/v1/sessions?{query}")).await.refused(status, code);
            let found = &problem["errors"][0];
            assert_eq!((&found["parameter"], &found["code"]), (&parameter.into(), &fault.into()), "{query}");
            assert!(found.get("pointer").is_none());
        }
        person.get("/v1/sessions?cursor=bm9uc2Vuc2U").await.refused(400, "invalid_cursor");
        person.get("/v1/sessions?&limit=1&").await.ok(200);
        app.get("/health/live?x=1").await.refused(400, "unsupported_field");
    });
}

/// A cursor names its list and the list's owner: nobody goes on where somebody else left off.
#[test]
fn a_cursor_is_good_for_the_list_that_gave_it_out() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        taro.sign_in().await;
        let page = taro.get("/v1/sessions?limit=1").await.ok(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let next = taro.get(&format!("/v1/sessions?limit=1&cursor={cursor}")).await.ok(200);
        assert_ne!(next["items"][0]["id"], page["items"][0]["id"]);
        assert!(next.get("next_cursor").is_none(), "{next}");
        let mut damaged = cursor.to_owned();
        let first = damaged.remove(0);
        damaged.insert(0, if first == 'A' { 'B' } else { 'A' });
        for (person, cursor) in [(&hana, cursor), (&taro, &damaged), (&taro, &cursor[1..]), (&taro, "")] {
            person.get(&format!("/v1/sessions?cursor={cursor}")).await.refused(400, "invalid_cursor");
        }
        app.get(&format!("/dev/inbox?cursor={cursor}")).await.refused(400, "invalid_cursor");
        app.ignore_messages().await;
    });
}
