//! `sekisho serve`: what it refuses, how it stops, what it says when a store is gone.

use std::sync::Arc;

use futures_util::future::join_all;
use sekisho::crypto::MasterKeys;
use serde_json::json;

use super::stores::Surroundings;
use crate::support::Folder;
use crate::support::Process;
use crate::support::fails;
use crate::support::run;
use crate::support::until;

/// src/cli/serve: it never migrates by itself; without its own key it does not make another.
#[tokio::test(flavor = "multi_thread")]
async fn serve_wants_a_current_schema_and_the_key_that_sealed_its_rows() {
    let around = Surroundings::new().await;
    let told = fails(&["serve"], &around.environment);
    assert!(told.contains("sekisho migrate"), "{told}");
    for _ in 0..2 {
        assert!(run(&["migrate"], &around.environment).status.success());
    }
    let secrets = Folder::new();
    std::fs::create_dir(secrets.path()).unwrap();
    let file = secrets.path().join("master");
    let mut mounted = around.environment.clone();
    std::fs::write(&file, mounted.remove("keys.master").unwrap() + "\n").unwrap();
    mounted.insert("keys.master_file", file.to_str().unwrap().to_owned());
    Process::serve(&mounted).await.kill();
    let told = fails(&["serve"], &around.with("keys.master", MasterKeys::generate().as_str()));
    assert!(told.contains("keys.master"), "{told}");
    let unsafe_limits = fails(&["serve"], &around.with("limits.enabled", "false"));
    assert!(unsafe_limits.contains("`limits.enabled`"), "{unsafe_limits}");
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let told = fails(&["serve"], &around.with("http.listen", &address));
    assert!(told.contains(&address) && told.lines().count() == 1, "{told}");
    around.embedded.stop().await.unwrap();
}

/// design.md §5.11: inbox, codes and the page exist in `dev` only.
#[tokio::test(flavor = "multi_thread")]
async fn serve_has_no_development_endpoints() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    server.get("/health/live").await.ok(200);
    assert_eq!(server.get("/health/ready").await.ok(200), json!({ "status": "ok", "reasons": [] }));
    for path in ["/dev/inbox", "/dev/totp/018f0000-0000-7000-8000-000000000000", "/dev", "/docs", "/docs/"] {
        server.get(path).await.refused(404, "not_found");
    }
    let answer = server.get("/.well-known/openid-configuration").await;
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    assert_eq!(answer.ok(200)["issuer"], "https://auth.example.com");
    // Nothing leads to a phone here, so no number is taken.
    let shown = server.get("/v1/configuration").await.ok(200);
    let offered = json!([shown["identifier_kinds"], shown["channels"], shown["phone_countries"]]);
    assert_eq!(offered, json!([["email"], ["email"], []]));
    let number = json!({ "identifier": "+819012345678", "password": "correct horse battery" });
    server.post("/v1/sign-ups", &number).await.faults(&["/identifier phone_not_supported"]);
    server.post("/v1/sign-ins", &number).await.refused(401, "invalid_credentials");
    let document = server.get("/openapi.json").await.ok(200);
    assert!(!document["paths"].as_object().unwrap().keys().any(|path| path.starts_with("/dev")));
    let lines = server.output();
    let line = lines.lines().next().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["timestamp"].is_string(), "{line}");
    server.signal("INT");
    assert!(server.ended().await.success());
    around.embedded.stop().await.unwrap();
}

/// src/server: a stopping replica says so, goes on answering, and ends well.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_costs_no_request() {
    let around = Surroundings::migrated().await;
    let server = Arc::new(Process::serve(&around.with("http.drain_secs", "1")).await);
    let sign_in = async |server: Arc<Process>| {
        let body = json!({ "identifier": "nobody@example.jp", "password": "correct horse battery" });
        server.post("/v1/sign-ins", &body).await
    };
    let before: Vec<_> = (0..20).map(|_| tokio::spawn(sign_in(Arc::clone(&server)))).collect();
    server.signal("TERM");
    let unready = until("a replica that says that it stops", async || {
        Some(server.get("/health/ready").await).filter(|answer| answer.status == 503)
    });
    assert_eq!(unready.await.ok(503), json!({ "status": "unready", "reasons": ["stopping"] }));
    let after = tokio::spawn(sign_in(Arc::clone(&server)));
    for answer in join_all(before.into_iter().chain([after])).await {
        answer.unwrap().refused(401, "invalid_credentials");
    }
    let server = Arc::into_inner(server).unwrap();
    assert!(server.ended().await.success());
    around.embedded.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_wait() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.with("http.drain_secs", "300")).await;
    server.signal("TERM");
    until("the drain", async || (server.get("/health/ready").await.status == 503).then_some(())).await;
    server.signal("TERM");
    assert!(server.ended().await.success());
    around.embedded.stop().await.unwrap();
}

/// security.md 79 and 86: without PostgreSQL nobody gets in, and nobody is told why. src/health: without Redis it is
/// degraded and goes on, without PostgreSQL it wants no requests.
#[tokio::test(flavor = "multi_thread")]
async fn health_tells_which_store_is_gone() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let client = redis::Client::open(around.embedded.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _ = redis::cmd("SHUTDOWN").arg("NOSAVE").query_async::<()>(&mut connection).await;
    let degraded = until("a replica that misses Redis", async || {
        Some(server.get("/health/ready").await.ok(200)).filter(|health| health["status"] != "ok")
    });
    assert_eq!(degraded.await, json!({ "status": "degraded", "reasons": ["redis_unavailable"] }));
    server.get("/.well-known/jwks.json").await.ok(200);

    let _ = around.embedded.stop().await;
    let unready = until("a replica that misses PostgreSQL", async || {
        Some(server.get("/health/ready").await).filter(|answer| answer.status == 503)
    });
    assert_eq!(unready.await.ok(503), json!({ "status": "unready", "reasons": ["database_unavailable"] }));
    server.get("/health/live").await.ok(200);
    let body = json!({ "identifier": "nobody@example.jp", "password": "correct horse battery" });
    for path in ["/v1/sign-ins", "/v1/sign-ups"] {
        let problem = server.post(path, &body).await.refused(503, "dependency_unavailable").to_string().to_lowercase();
        for inside in ["sql", "postgres", "redis", "connection", "127.0.0.1", "/src/", "panic", "io error"] {
            assert!(!problem.contains(inside), "{inside} in {problem}");
        }
    }
    server.signal("TERM");
    assert!(server.ended().await.success());
}
