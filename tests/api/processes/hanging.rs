//! A PostgreSQL that is there and says nothing, and bytes that are no request.

use std::io::Read;
use std::io::Write;
use std::time::Duration;

use futures_util::future::join_all;
use sekisho::clock::Stopwatch;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::stores::Surroundings;
use crate::support::Process;
use crate::support::until;

/// Stands before a store and can stop passing anything on, without closing a connection.
struct Proxy {
    address: String,
    paused: watch::Sender<bool>,
}

impl Proxy {
    async fn before(store: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (paused, pausing) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&store).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, pausing.clone()));
                tokio::spawn(pass(far_in, near_out, pausing.clone()));
            }
        });
        Self { address, paused }
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut pausing: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if pausing.wait_for(|paused| !paused).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// `host:port` of a URL.
fn address(url: &str) -> String {
    url.split(['@', '/', '?']).find(|part| part.starts_with("127.0.0.1:")).unwrap().to_owned()
}

/// security.md 79 and 86: no request outlives its deadline, health goes on, nothing is told, and it comes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_a_503_within_the_deadline() {
    let around = Surroundings::migrated().await;
    let database = around.embedded.database_url();
    let proxy = Proxy::before(address(database)).await;
    let server =
        Process::serve(&around.with("database.url", &database.replace(&address(database), &proxy.address))).await;
    let body = json!({ "identifier": "nobody@example.jp", "password": "correct horse battery" });
    let sign_in = async || {
        let watch = Stopwatch::start();
        (server.post("/v1/sign-ins", &body).await, watch.elapsed())
    };
    sign_in().await.0.refused(401, "invalid_credentials");

    proxy.paused.send_replace(true);
    for (answer, took) in join_all((0..10).map(|_| sign_in())).await {
        assert_eq!(answer.header("retry-after"), "5");
        let problem = answer.refused(503, "dependency_unavailable").to_string().to_lowercase();
        assert!(!problem.contains("pool") && !problem.contains("sql"), "{problem}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    let watch = Stopwatch::start();
    server.get("/health/live").await.ok(200);
    server.get("/.well-known/jwks.json").await.ok(200);
    let unready = until("a replica that misses PostgreSQL", async || {
        Some(server.get("/health/ready").await).filter(|answer| answer.status == 503)
    });
    assert_eq!(unready.await.ok(503), json!({ "status": "unready", "reasons": ["database_unavailable"] }));
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());

    proxy.paused.send_replace(false);
    until("a replica that is back", async || (server.get("/health/ready").await.status == 200).then_some(())).await;
    until("a sign-in", async || (sign_in().await.0.status == 401).then_some(())).await;
    around.embedded.stop().await.unwrap();
}

/// security.md 79 and 86: a Redis that hangs is asked once, not once a call.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_costs_little_time() {
    let around = Surroundings::migrated().await;
    let redis = around.embedded.redis_url();
    let proxy = Proxy::before(address(redis)).await;
    let server = Process::serve(&around.with("redis.url", &redis.replace(&address(redis), &proxy.address))).await;
    let body = json!({ "identifier": "nobody@example.jp", "password": "correct horse battery" });
    server.post("/v1/sign-ins", &body).await.refused(401, "invalid_credentials");
    proxy.paused.send_replace(true);
    let degraded =
        async || Some(server.get("/health/ready").await).filter(|answer| answer.body["status"] == "degraded");
    until("a replica that misses Redis", degraded).await;
    let watch = Stopwatch::start();
    // What needs no Redis goes on at the speed of its failure step, limits included.
    server.post("/v1/sign-ins", &body).await.refused(401, "invalid_credentials");
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());
    proxy.paused.send_replace(false);
    until("a replica that is back", async || (server.get("/health/ready").await.body["status"] == "ok").then_some(()))
        .await;
    around.embedded.stop().await.unwrap();
}

/// security.md 82: what is no request is answered or dropped, and never logged as it came.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_not_logged() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.with("log.filter", "trace")).await;
    for garbage in [
        "GET /\x1b[31mhunter2 HTTP/1.1\r\nhost: x\r\n\r\n",
        "hunter2\r\n\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: hunter2\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: hunter2\r\n\r\n",
        "GET / HTTP/9.9\r\nhunter2\x00: \x1b[2J\r\n\r\n",
    ] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(garbage.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    server.get("/health/live").await.ok(200);
    let output = until("a line of the last request", async || {
        Some(server.output()).filter(|output| output.contains("\"/health/live\""))
    })
    .await;
    for line in output.lines() {
        assert!(!line.contains("hunter2") && !line.contains('\x1b'), "{line}");
    }
    around.embedded.stop().await.unwrap();
}
