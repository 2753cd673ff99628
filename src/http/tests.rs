//! The layer as a whole, over a real connection.

use std::io::BufRead;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web;
use serde::Deserialize;

use super::*;
use crate::internal::Internal;
use crate::limits::Limited;
use crate::limits::Policy;

#[derive(Deserialize)]
struct Body {
    name: String,
}

async fn hello(client: Client, body: Json<Body>) -> Result<HttpResponse, Problem> {
    ok(&serde_json::json!({ "name": body.name, "agent": client.user_agent }))
}

async fn fail(kind: web::Path<String>) -> Result<HttpResponse, Problem> {
    Err(match kind.as_str() {
        "panic" => panic!("on purpose"),
        "never" => std::future::pending().await,
        "bug" => Internal::bug("the secret cause").into(),
        "dependency" => Internal::dependency("the secret cause").into(),
        "limited" => Limited { policy: Policy::SignUp, retry_after_secs: 7 }.into(),
        "code" => Problem::new(ErrorCode::InvalidCode).attempts_left(0),
        "token" => Problem::new(ErrorCode::AccessTokenExpired),
        "fresh" => Problem::new(ErrorCode::InsufficientUserAuthentication),
        "email" => Problem::field("/identifier", FieldCode::InvalidEmail).did_you_mean("a@b.jp").hint("caps_lock"),
        _ => Problem::new(ErrorCode::NotFound),
    })
}

async fn number(_: web::Path<u32>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn cookie(request: actix_web::HttpRequest) -> Result<HttpResponse, Problem> {
    require_listed_origin(&request)?;
    Ok(HttpResponse::NoContent().cookie(clear_refresh_cookie()).finish())
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
        for (method, template) in [
            (Method::POST, "/v1/hello"),
            (Method::GET, "/v1/fail/{kind}"),
            (Method::GET, "/v1/number/{n}"),
            (Method::POST, "/v1/cookie"),
            (Method::GET, "/.well-known/jwks.json"),
        ] {
            context
                .routes
                .add(template, Operation { method, parameters: Vec::new(), media_types: Vec::new(), limit: None });
        }
        let context = web::Data::new(context);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(context.clone())
                .route("/v1/hello", web::post().to(hello))
                .route("/v1/fail/{kind}", web::get().to(fail))
                .route("/v1/number/{n}", web::get().to(number))
                .route("/v1/cookie", web::post().to(cookie))
                .route("/.well-known/jwks.json", web::get().to(HttpResponse::Ok))
                .default_service(web::to(not_found))
                .wrap(from_fn(edge))
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

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().build().unwrap().request(method, format!("http://{}{path}", self.address))
    }

    async fn problem(&self, method: &str, path: &str) -> (u16, String) {
        seen(self.request(method, path)).await
    }
}

async fn seen(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!((&body["status"], &body["request_id"]), (&status.into(), &id.into()));
    let code = body["code"].as_str().unwrap().to_owned();
    assert_eq!(body["type"], format!("https://auth.example/help/problems/{code}"));
    (status, code)
}

/// Sends a body whose length is not told beforehand; the first line of the answer.
fn chunked(address: SocketAddr, body: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = "POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked";
    stream.write_all(format!("{head}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes()).unwrap();
    let mut line = String::new();
    std::io::BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn answer(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn every_answer_has_the_security_headers() {
    let server = Server::start();
    let answered =
        server.request("POST", "/v1/hello").header("user-agent", "x").json(&serde_json::json!({"name": "n"}));
    for response in [answered.send().await.unwrap(), server.request("GET", "/v1/fail/panic").send().await.unwrap()] {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=31536000"),
            ("content-language", "en"),
            ("server", ""),
        ] {
            assert_eq!(header(&response, name), value, "{name}");
        }
        assert_eq!(header(&response, "x-request-id").len(), 36);
    }
    server.handle.stop(false).await;
}

/// security.md 71 and 79: panics and what has no code of its own included.
#[actix_web::test]
async fn every_refusal_is_a_problem() {
    let server = Server::start();
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/fail/code/", 404, "not_found"),
        ("GET", "//v1/fail/code", 404, "not_found"),
        ("GET", "/v1/number/x", 404, "not_found"),
        ("GET", "/v1/hello", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/hello", 405, "method_not_allowed"),
        ("BREW", "/v1/hello", 405, "method_not_allowed"),
        ("POST", "/v1/hello", 400, "malformed_request"),
        ("GET", "/v1/fail/code?x=1", 400, "unsupported_field"),
        ("GET", "/v1/fail/panic", 500, "internal_error"),
        ("GET", "/v1/fail/bug", 500, "internal_error"),
        ("GET", "/v1/fail/dependency", 503, "dependency_unavailable"),
        ("GET", "/v1/fail/never", 503, "dependency_unavailable"),
        ("GET", "/v1/fail/limited", 429, "rate_limited"),
        ("POST", "/v1/cookie", 403, "origin_not_allowed"),
    ] {
        assert_eq!(server.problem(method, path).await, answer(status, code), "{method} {path}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_body_is_bounded_and_typed() {
    let server = Server::start();
    let post = |kind: &str, body: String| server.request("POST", "/v1/hello").header("content-type", kind).body(body);
    let good = || r#"{"name":"n"}"#.to_owned();
    let large = || format!(r#"{{"name":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(seen(post("application/json", large())).await, answer(413, "body_too_large"));
    assert_eq!(chunked(server.address, &large()), "HTTP/1.1 413 Payload Too Large");
    for kind in ["text/plain", "application/json; charset=latin1", "application/jsonx", ""] {
        assert_eq!(seen(post(kind, good())).await, answer(415, "unsupported_media_type"), "{kind}");
    }
    let packed = post("application/json", good()).header("content-encoding", "gzip");
    assert_eq!(seen(packed).await, answer(415, "unsupported_media_type"));
    assert_eq!(seen(server.request("POST", "/v1/hello").body(good())).await, answer(415, "unsupported_media_type"));
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        assert_eq!(post(kind, good()).send().await.unwrap().status(), 200, "{kind}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn problems_carry_their_headers_and_members() {
    let server = Server::start();
    let get = async |path: &str| server.request("GET", path).send().await.unwrap();
    assert_eq!(header(&get("/v1/hello").await, "allow"), "POST");
    let limited = get("/v1/fail/limited").await;
    assert_eq!(header(&limited, "retry-after"), "7");
    assert!(header(&limited, "ratelimit").ends_with(";r=0;t=7"), "{}", header(&limited, "ratelimit"));
    assert!(header(&limited, "ratelimit-policy").contains(";q="));
    assert_eq!(header(&get("/v1/fail/dependency").await, "retry-after"), "5");
    assert!(header(&get("/v1/fail/token").await, "www-authenticate").contains("error=\"invalid_token\""));
    let fresh = get("/v1/fail/fresh").await;
    let challenge = "Bearer realm=\"sekisho\", error=\"insufficient_user_authentication\", max_age=600";
    assert_eq!(header(&fresh, "www-authenticate"), challenge);
    let code: serde_json::Value = get("/v1/fail/code").await.json().await.unwrap();
    assert_eq!(code["attempts_left"], 0);
    let email: serde_json::Value = get("/v1/fail/email").await.json().await.unwrap();
    assert_eq!(
        (&email["errors"][0]["pointer"], &email["errors"][0]["code"]),
        (&"/identifier".into(), &"invalid_email".into())
    );
    assert_eq!(
        (&email["errors"][0]["did_you_mean"], &email["hints"][0]["code"]),
        (&"a@b.jp".into(), &"caps_lock".into())
    );
    assert!(!get("/v1/fail/bug").await.text().await.unwrap().contains("secret"));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_browser_gets_a_page_and_nothing_else_is_406() {
    let server = Server::start();
    let get =
        async |path: &str, accept: &str| server.request("GET", path).header("accept", accept).send().await.unwrap();
    for path in ["/nowhere<b>", "/v1/fail/bug", "/v1/fail/panic"] {
        let page = get(path, "text/html,*/*;q=0.8").await;
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert!(header(&page, "content-security-policy").contains("style-src 'sha256-"));
        let html = page.text().await.unwrap();
        assert!(html.contains("<header>Sign-in help</header><main><h1>") && !html.contains("<b>"), "{html}");
    }
    assert_eq!(get("/v1/fail/code", "image/png").await.status(), 406);
    assert_eq!(get("/v1/fail/code", "text/html").await.status(), 406);
    assert_eq!(get("/nowhere", "image/png").await.status(), 404);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn only_listed_origins_may_read() {
    let server = Server::start();
    let from = async |method: &str, path: &str, origin: &str| {
        let request = server.request(method, path).header("origin", origin);
        request.header("access-control-request-method", "POST").send().await.unwrap()
    };
    for (method, path, origin, allowed, credentials) in [
        ("OPTIONS", "/v1/hello", "https://app.example", "https://app.example", "true"),
        ("OPTIONS", "/nowhere", "https://app.example", "https://app.example", "true"),
        ("GET", "/v1/fail/code", "https://app.example", "https://app.example", "true"),
        ("GET", "/v1/fail/panic", "https://app.example", "https://app.example", "true"),
        ("OPTIONS", "/v1/hello", "https://app.example.evil", "", ""),
        ("OPTIONS", "/v1/hello", "null", "", ""),
        ("GET", "/v1/fail/code", "https://evil.example", "", ""),
        ("GET", "/.well-known/jwks.json", "https://evil.example", "*", ""),
        ("OPTIONS", "/.well-known/jwks.json", "https://evil.example", "*", ""),
        ("OPTIONS", "/dev/inbox", "https://app.example", "", ""),
        ("GET", "/dev/inbox", "https://app.example", "", ""),
    ] {
        let response = from(method, path, origin).await;
        assert_eq!(header(&response, "access-control-allow-origin"), allowed, "{method} {path} {origin}");
        assert_eq!(header(&response, "access-control-allow-credentials"), credentials, "{method} {path} {origin}");
        let preflight = method == "OPTIONS" && !allowed.is_empty();
        assert_eq!(header(&response, "access-control-max-age"), if preflight { "7200" } else { "" });
    }
    let listed = server.request("POST", "/v1/cookie").header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(listed.status(), 204);
    assert!(header(&listed, "set-cookie").starts_with("__Host-sekisho_refresh=;"));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let server = Server::start();
    let head = server.request("HEAD", "/v1/fail/code").send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-type")), (422, "application/problem+json"));
    assert!(head.text().await.unwrap().is_empty());
    assert_eq!(server.request("HEAD", "/v1/hello").send().await.unwrap().status(), 405);
    server.handle.stop(false).await;
}
