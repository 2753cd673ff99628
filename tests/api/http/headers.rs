//! The headers of every answer.

use reqwest::Method;

use super::raw;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

/// One answer of every kind.
async fn every_kind(app: &TestApp) -> Vec<Answer> {
    let person = app.person("taro@example.jp").await;
    let page = |path| app.request(Method::GET, path).header("accept", "text/html");
    vec![
        person.get("/v1/account").await,
        app.get("/v1/configuration").await,
        app.get("/.well-known/jwks.json").await,
        app.get("/openapi.json").await,
        app.get("/docs").await,
        app.get("/docs/swagger-ui.css").await,
        app.get("/dev/inbox").await,
        app.send(page("/dev/inbox")).await,
        app.get("/help/problems/not_found").await,
        app.get("/health/live").await,
        app.get("/v1/account").await,
        app.get("/nowhere").await,
        app.send(page("/nowhere")).await,
        app.get("/v1/sign-ups").await,
        app.post("/v1/sign-ups", &serde_json::json!([])).await,
        app.send(app.request(Method::OPTIONS, "/v1/account")).await,
        person.delete("/v1/sessions?scope=others").await,
        app.send(app.request(Method::HEAD, "/v1/account")).await,
    ]
}

/// security.md 71 and 78
#[test]
fn every_answer_has_the_security_headers() {
    test(async |app| {
        for answer in every_kind(app).await {
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(answer.header("content-language"), "en");
            assert_eq!(answer.header("server"), "");
            assert_eq!(answer.header("x-powered-by"), "");
            assert_eq!(answer.header("strict-transport-security"), "", "plain HTTP");
            let id = answer.header("x-request-id");
            assert!(uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7), "{id}");
            if let Some(told) = answer.body.get("request_id") {
                assert_eq!(told, id);
            }
        }
    });
}

/// security.md 78: nothing but the published documents may be kept by a cache.
#[test]
fn only_published_documents_may_be_cached() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for path in ["/v1/account", "/v1/sessions", "/v1/account/recovery-codes"] {
            assert_eq!(person.get(path).await.header("cache-control"), "no-store", "{path}");
        }
        for path in ["/v1/account", "/nowhere", "/health/ready", "/dev/inbox"] {
            assert_eq!(app.get(path).await.header("cache-control"), "no-store", "{path}");
        }
        for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            assert_eq!(app.get(path).await.header("cache-control"), "public, max-age=300, stale-if-error=86400");
        }
        for path in ["/v1/configuration", "/.well-known/webauthn"] {
            assert_eq!(app.get(path).await.header("cache-control"), "public, max-age=300");
        }
        // A refusal of a published document is not the document.
        assert_eq!(app.get("/.well-known/jwks.json?x=1").await.header("cache-control"), "no-store");
    });
}

/// security.md 78
#[test]
fn a_service_with_an_https_address_asks_browsers_to_stay_there() {
    test_with(&[("service.issuer", "https://auth.example.com")], async |app| {
        for path in ["/health/live", "/nowhere", "/v1/account"] {
            assert_eq!(app.get(path).await.header("strict-transport-security"), "max-age=31536000", "{path}");
        }
    });
}

/// security.md 65: addresses in answers come from the configuration.
#[test]
fn a_host_header_has_no_say_in_addresses() {
    test_with(&[("service.issuer", "https://auth.example.com")], async |app| {
        for forged in
            ["forwarded: host=evil.example;proto=http", "x-forwarded-host: evil.example", "x-forwarded-proto: gopher"]
        {
            let head = format!(
                "GET /.well-known/openid-configuration HTTP/1.1\r\nhost: localhost:9\r\nconnection: close\r\n{forged}\r\n\r\n"
            );
            let (status, answer) = raw(app, head.as_bytes()).await;
            assert_eq!(status, 200);
            assert!(answer.contains("\"issuer\":\"https://auth.example.com\""), "{answer}");
            assert!(
                !answer.contains("evil") && !answer.contains("localhost") && !answer.contains("gopher"),
                "{answer}"
            );
        }
        let problem = app.get("/nowhere").await.refused(404, "not_found");
        assert_eq!(problem["type"], "https://auth.example.com/help/problems/not_found");
    });
}

/// A caller's id would let it write into our log.
#[test]
fn a_request_id_is_always_our_own() {
    test(async |app| {
        let theirs = "01932c5e-7a10-7000-8000-000000000001";
        let answer = app.send(app.request(Method::GET, "/nowhere").header("x-request-id", theirs)).await;
        assert_ne!(answer.header("x-request-id"), theirs);
        let again = app.get("/nowhere").await;
        assert_ne!(answer.header("x-request-id"), again.header("x-request-id"));
    });
}
