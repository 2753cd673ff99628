//! What no endpoint answers on purpose, over a real connection: panics, bugs, and problems with every member.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web;

use super::*;
use crate::internal::Internal;
use crate::limits::Limited;
use crate::limits::Policy;

async fn fail(kind: web::Path<String>) -> Result<HttpResponse, Problem> {
    Err(match kind.as_str() {
        "panic" => panic!("on purpose"),
        "never" => std::future::pending().await,
        "bug" => Internal::bug("the secret cause").into(),
        "dependency" => Internal::dependency("the secret cause").into(),
        "limited" => Limited { policy: Policy::SignUp, retry_after_secs: 7 }.into(),
        "token" => Problem::new(ErrorCode::AccessTokenExpired),
        "fresh" => Problem::new(ErrorCode::InsufficientUserAuthentication),
        "email" => Problem::field("/identifier", FieldCode::InvalidEmail).did_you_mean("a@b.jp").hint("caps_lock"),
        _ => Problem::new(ErrorCode::InvalidCode).attempts_left(0),
    })
}

struct Server {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    fn start() -> Self {
        let mut context = HttpContext {
            issuer: "https://auth.example".to_owned(),
            origins: vec!["https://app.example".to_owned()],
            deadline: Duration::from_millis(500),
            ..HttpContext::default()
        };
        let operation = Operation { method: Method::GET, parameters: Vec::new(), media_types: Vec::new(), limit: None };
        context.routes.add("/v1/fail/{kind}", operation);
        let context = web::Data::new(context);
        let server = HttpServer::new(move || {
            App::new().app_data(context.clone()).route("/v1/fail/{kind}", web::get().to(fail)).wrap(from_fn(edge))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, handle }
    }

    fn get(&self, kind: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://{}/v1/fail/{kind}", self.address))
    }
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[actix_web::test]
async fn a_panic_is_answered_like_anything_else() {
    let server = Server::start();
    let response = server.get("panic").header("origin", "https://app.example").send().await.unwrap();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=31536000"),
        ("content-language", "en"),
        ("server", ""),
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-credentials", "true"),
    ] {
        assert_eq!(header(&response, name), value, "{name}");
    }
    server.handle.stop(false).await;
}

/// security.md 71 and 79: panics and what has no code of its own included.
#[actix_web::test]
async fn every_refusal_is_a_problem() {
    let server = Server::start();
    for (kind, status, code) in [
        ("panic", 500, "internal_error"),
        ("bug", 500, "internal_error"),
        ("dependency", 503, "dependency_unavailable"),
        ("never", 503, "dependency_unavailable"),
        ("limited", 429, "rate_limited"),
    ] {
        let response = server.get(kind).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (status, "application/problem+json")
        );
        let id = header(&response, "x-request-id").to_owned();
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(
            (&body["status"], &body["code"], &body["request_id"]),
            (&status.into(), &code.into(), &id.into()),
            "{kind}"
        );
        assert_eq!(body["type"], format!("https://auth.example/help/problems/{code}"));
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn problems_carry_their_headers_and_members() {
    let server = Server::start();
    let get = async |kind: &str| server.get(kind).send().await.unwrap();
    let limited = get("limited").await;
    assert_eq!(header(&limited, "retry-after"), "7");
    assert!(header(&limited, "ratelimit").ends_with(";r=0;t=7"), "{}", header(&limited, "ratelimit"));
    assert!(header(&limited, "ratelimit-policy").contains(";q="));
    assert_eq!(header(&get("dependency").await, "retry-after"), "5");
    assert!(header(&get("token").await, "www-authenticate").contains("error=\"invalid_token\""));
    let fresh = get("fresh").await;
    let challenge = "Bearer realm=\"sekisho\", error=\"insufficient_user_authentication\", max_age=600";
    assert_eq!(header(&fresh, "www-authenticate"), challenge);
    let code: serde_json::Value = get("code").await.json().await.unwrap();
    assert_eq!(code["attempts_left"], 0);
    let email: serde_json::Value = get("email").await.json().await.unwrap();
    assert_eq!(
        (&email["errors"][0]["pointer"], &email["errors"][0]["code"]),
        (&"/identifier".into(), &"invalid_email".into())
    );
    assert_eq!(
        (&email["errors"][0]["did_you_mean"], &email["hints"][0]["code"]),
        (&"a@b.jp".into(), &"caps_lock".into())
    );
    assert!(!get("bug").await.text().await.unwrap().contains("secret"));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_browser_gets_a_page() {
    let server = Server::start();
    for kind in ["bug", "panic"] {
        let page = server.get(kind).header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert!(header(&page, "content-security-policy").contains("style-src 'sha256-"));
        let html = page.text().await.unwrap();
        assert!(html.contains("<header>Sign-in help</header><main><h1>"), "{html}");
    }
    server.handle.stop(false).await;
}
