//! Connections that are slow, endless, or many; and what they cost.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::members;
use crate::processes::Surroundings;
use crate::support::Process;
use crate::support::test;

const POST: &str = "POST /v1/sign-ups HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(("127.0.0.1", url.rsplit(':').next().unwrap().parse::<u16>().unwrap())).await.unwrap()
}

/// Sends what may be more than the server wants to read; everything that it answered before it hung up.
pub async fn talk(url: &str, request: &[u8]) -> Vec<u8> {
    let (mut from, mut to) = connect(url).await.into_split();
    let mut answer = Vec::new();
    let send = async {
        // A server that has refused stops reading.
        let _ = to.write_all(request).await;
        to
    };
    let hear = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            answer.extend_from_slice(&bytes[..read]);
        }
    };
    let both = async { tokio::join!(send, hear) };
    tokio::time::timeout(Duration::from_secs(100), both).await.expect("an end of the connection");
    answer
}

/// Sends a byte every hundred milliseconds until the server hangs up.
async fn drip(url: &str, head: &str) -> String {
    let (mut from, mut to) = connect(url).await.into_split();
    to.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let dripping = async {
        while to.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        _ = from.read_to_end(&mut answer) => {}
        () = dripping => {}
        () = tokio::time::sleep(Duration::from_secs(100)) => panic!("still open: {head}"),
    }
    String::from_utf8(answer).unwrap()
}

/// security.md 74: nobody holds a connection by sending slowly, and those who do keep nobody else waiting.
#[test]
fn a_request_that_comes_drop_by_drop_is_given_up() {
    test(async |app| {
        let heads = (0..100).map(|_| drip(&app.url, "GET /health/live HTTP/1.1\r\nhost: localhost\r\nx: "));
        let body = format!("{POST}content-length: 1000\r\n\r\n{{\"identifier\":\"");
        let bodies = (0..100).map(|_| drip(&app.url, &body));
        let others = async {
            for _ in 0..50 {
                app.get("/health/live").await.ok(200);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let (heads, bodies, ()) = tokio::join!(join_all(heads), join_all(bodies), others);
        for answer in heads {
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
        for answer in bodies {
            assert!(answer.contains("\"malformed_request\""), "{answer}");
        }
    });
}

/// src/http/unread.rs: a chunked body that was read leaves its connection open; one that was not ends it, after the
/// answer and with it.
#[test]
fn an_unread_chunked_body_ends_its_connection_and_a_read_one_does_not() {
    test(async |app| {
        let chunked = format!("{POST}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
        let last = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let answers = talk(&app.url, format!("{chunked}{chunked}{last}").as_bytes()).await;
        assert_eq!(String::from_utf8(answers).unwrap().matches("HTTP/1.1 ").count(), 3);
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
        for target in ["POST /v1/sign-ups", "GET /health/live", "POST /nowhere", "DELETE /v1/account"] {
            let head = format!("{target} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
            let endless = format!("{head}{}", chunk.repeat(8));
            let answers = join_all((0..8).map(|_| talk(&app.url, endless.as_bytes()))).await;
            for answer in answers {
                assert_eq!(String::from_utf8_lossy(&answer).matches("connection: close").count(), 1, "{target}");
            }
        }
    });
}

/// security.md 17 and 74: what is refused is not kept while it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_whatever_is_sent() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let ten_mebibytes = " ".repeat(10 << 20);
    let chunks = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20)).repeat(10);
    let many = members(1_000_000);
    let hostile = [
        format!("{POST}content-length: {}\r\n\r\n{ten_mebibytes}", ten_mebibytes.len()),
        format!("{POST}content-length: {}\r\n\r\n{many}", many.len()),
        format!("{POST}transfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"),
        format!("{POST}transfer-encoding: chunked\r\n\r\n2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1 << 20)),
        format!("{POST}connection: close\r\ncontent-length: 16000\r\n\r\n{}", "[".repeat(16_000)),
        format!("GET /v1/account HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", ".".repeat(1 << 20)),
        format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{}", "x: a\r\n".repeat(200_000)),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "%2e/".repeat(1 << 18)),
    ];
    let round = async || {
        let all = hostile.iter().cycle().take(8 * hostile.len());
        for answer in join_all(all.map(|request| talk(&server.url, request.as_bytes()))).await {
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    };
    round().await;
    let before = server.resident_kib();
    for _ in 0..5 {
        round().await;
    }
    let grown = server.resident_kib().zip(before).map(|(after, before)| after.saturating_sub(before));
    assert!(grown.is_none_or(|kib| kib < 8 * 1024), "{grown:?} KiB more than {before:?}");
    server.get("/health/live").await.ok(200);
    around.embedded.stop().await.unwrap();
}
