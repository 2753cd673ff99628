//! Which pages may read our answers (security.md 75).

use reqwest::Method;

use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const LISTED: &str = "https://app.example.com";
const SETTINGS: &[(&str, &str)] = &[("client.origins", "https://app.example.com,https://shop.example.com:8443")];

async fn from(app: &TestApp, origin: &str, method: Method, path: &str) -> Answer {
    app.send(app.request(method, path).header("origin", origin)).await
}

async fn preflight(app: &TestApp, origin: &str, method: &str, path: &str) -> Answer {
    let request = app.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", method);
    app.send(request.header("access-control-request-headers", "authorization, content-type")).await
}

fn granted(answer: &Answer) -> (&str, &str) {
    (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials"))
}

/// security.md 75: listed origins alone.
#[test]
fn a_listed_page_may_read_with_credentials() {
    test_with(SETTINGS, async |app| {
        for origin in [LISTED, "https://shop.example.com:8443"] {
            assert_eq!(granted(&preflight(app, origin, "POST", "/nowhere").await), (origin, "true"));
            for path in ["/v1/configuration", "/v1/account", "/nowhere", "/v1/sign-ups", "/v1/sessions?x=1"] {
                let answer = from(app, origin, Method::GET, path).await;
                assert_eq!(granted(&answer), (origin, "true"), "{path}");
                assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"), "{path}");
                let exposed = answer.header("access-control-expose-headers");
                for name in ["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "WWW-Authenticate"] {
                    assert!(exposed.split(", ").any(|one| one == name), "{name} in {exposed}");
                }
            }
        }
    });
}

/// security.md 75: nothing that looks like a listed origin.
#[test]
fn no_other_page_may() {
    test_with(SETTINGS, async |app| {
        for origin in [
            "https://evil.example",
            "null",
            "",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "https://app.example.com:443",
            "https://app.example.com/",
            "http://app.example.com",
            "HTTPS://APP.EXAMPLE.COM",
            "https://shop.example.com",
            "https://app.example.com https://evil.example",
            "*",
        ] {
            for path in ["/v1/configuration", "/v1/account", "/nowhere"] {
                let answer = from(app, origin, Method::GET, path).await;
                assert_eq!(granted(&answer), ("", ""), "{origin} {path}");
                assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"), "{path}");
            }
            let asked = preflight(app, origin, "POST", "/v1/sign-ins").await;
            assert_eq!(granted(&asked), ("", ""), "{origin}");
            assert_eq!(asked.header("access-control-allow-methods"), "", "{origin}");
        }
        let twice =
            app.request(Method::GET, "/v1/account").header("origin", LISTED).header("origin", "https://evil.example");
        assert_eq!(granted(&app.send(twice).await), ("", ""));
        assert_eq!(granted(&app.get("/v1/account").await), ("", ""));
    });
}

/// What other services read, from whatever page.
const PUBLISHED: [&str; 4] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/webauthn",
];

#[test]
fn every_operation_takes_a_preflight() {
    test_with(SETTINGS, async |app| {
        let document = sekisho::server::document(sekisho::config::Mode::Production, &app.url).unwrap();
        for (template, item) in document.value()["paths"].as_object().unwrap() {
            let path = template
                .replace("{id}", "01932c5e-7a10-7000-8000-000000000001")
                .replace("{code}", "not_found")
                .replace("{provider}", "nobody");
            for method in item.as_object().unwrap().keys().map(|name| name.to_uppercase()) {
                let answer = preflight(app, LISTED, &method, &path).await;
                assert_eq!(answer.status, 204, "{method} {path}");
                let origin = if PUBLISHED.contains(&path.as_str()) { "*" } else { LISTED };
                assert_eq!(answer.header("access-control-allow-origin"), origin, "{path}");
                assert_eq!(answer.header("access-control-max-age"), "7200");
                let methods = answer.header("access-control-allow-methods");
                assert!(methods.split(", ").any(|one| one == method), "{method} in {methods}");
                let headers = answer.header("access-control-allow-headers");
                assert!(headers.contains("Authorization") && headers.contains("Content-Type"), "{headers}");
            }
        }
    });
}

/// security.md 75: what is for everybody goes without credentials.
#[test]
fn the_published_keys_may_be_read_by_any_page_without_credentials() {
    test(async |app| {
        for path in ["jwks.json", "openid-configuration", "oauth-authorization-server"] {
            for origin in ["https://evil.example", "null"] {
                let path = format!("/.well-known/{path}");
                let answer = from(app, origin, Method::GET, &path).await;
                assert_eq!((answer.status, granted(&answer)), (200, ("*", "")), "{path}");
                assert_eq!(granted(&preflight(app, origin, "GET", &path).await), ("*", ""), "{path}");
            }
        }
    });
}

#[test]
fn the_development_pages_are_for_no_page_at_all() {
    test(async |app| {
        let own = app.url.clone();
        for path in ["/dev/inbox", "/dev/totp/01932c5e-7a10-7000-8000-000000000001", "/dev/nowhere"] {
            assert_eq!(granted(&from(app, &own, Method::GET, path).await), ("", ""), "{path}");
            let asked = preflight(app, &own, "DELETE", path).await;
            assert_eq!(granted(&asked), ("", ""), "{path}");
            assert!(asked.status == 405 || asked.status == 404, "{path}: {}", asked.status);
        }
    });
}
