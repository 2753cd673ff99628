//! Heads of requests that mean two things, or nothing.

use crate::support::TestApp;
use crate::support::test;

use super::connections::talk;

/// What a careless reader would take for a second request.
const SMUGGLED: &str = "GET /v1/configuration HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// The statuses of everything that came back.
async fn statuses(app: &TestApp, request: &str) -> Vec<u16> {
    let answer = String::from_utf8_lossy(&talk(&app.url, request.as_bytes()).await).into_owned();
    let heads = answer.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// Two readers must never disagree on where a request ends (RFC 9112 §11.2): what could be read in two ways is refused,
/// and the connection ends with it.
#[test]
fn a_request_whose_end_is_in_doubt_is_refused_with_its_connection() {
    test(async |app| {
        let head = "POST /v1/sign-ups HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        for length in [
            "content-length: 4\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
            "content-length: 2\r\ncontent-length: 90\r\n",
            "content-length: 2, 2\r\n",
            "content-length: +2\r\n",
            "content-length: -2\r\n",
            "content-length: 0x2\r\n",
            "content-length: 99999999999999999999\r\n",
            "content-length : 2\r\n",
            "transfer-encoding: chunked, identity\r\n",
            "transfer-encoding: xchunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            " transfer-encoding: chunked\r\n",
        ] {
            let answers = statuses(app, &format!("{head}{length}\r\n0\r\n\r\n{SMUGGLED}")).await;
            assert_eq!(answers, [400], "{length:?}");
        }
        let old = head.replace("1.1", "1.0");
        assert_eq!(statuses(app, &format!("{old}transfer-encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}")).await, [400]);
        for size in ["ffffffffffffffff1", "-2", "0x2", "+2", ""] {
            let chunk = format!("{head}transfer-encoding: chunked\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
            assert_eq!(statuses(app, &chunk).await, [400], "{size:?}");
        }
    });
}

/// A body that nobody reads is not taken for the next request.
#[test]
fn an_unread_body_is_no_request() {
    test(async |app| {
        let length = SMUGGLED.len();
        for (line, status) in [("GET /health/live", 200), ("POST /nowhere", 404), ("DELETE /v1/sign-ups", 405)] {
            let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{SMUGGLED}");
            assert_eq!(statuses(app, &request).await, [status], "{line}");
        }
    });
}

#[test]
fn a_head_that_is_none_is_refused() {
    test(async |app| {
        let head = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
        for (what, request) in [
            ("a folded line", format!("{head}x: a\r\n b\r\n\r\n")),
            ("a NUL", format!("{head}x: a\0b\r\n\r\n")),
            ("a bare CR", format!("{head}x: a\rb: c\r\n\r\n")),
            ("a name with a space", format!("{head}x y: a\r\n\r\n")),
            ("an escape in a name", format!("{head}x\u{1b}: a\r\n\r\n")),
            ("two hosts", format!("{head}host: evil.example\r\n\r\n")),
            ("no host", "GET /health/live HTTP/1.1\r\n\r\n".to_owned()),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
            ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}".to_owned()),
        ] {
            assert_eq!(statuses(app, &request).await, [400], "{what}");
        }
        for (what, request) in [
            ("too many lines", format!("{head}{}\r\n", "x: a\r\n".repeat(200))),
            ("a line without an end", format!("{head}x: {}", "a".repeat(1 << 20))),
            ("a path without an end", format!("GET /{}", "a".repeat(1 << 20))),
        ] {
            assert_eq!(statuses(app, &request).await, [431], "{what}");
        }
    });
}

/// The address in the request line is not asked, and its path is judged like any other (security.md 73).
#[test]
fn a_request_for_another_host_is_answered_by_this_one_or_not_at_all() {
    test(async |app| {
        for (target, status) in [
            ("GET http://evil.example/v1/account", 401),
            ("GET http://evil.example/nowhere", 404),
            ("CONNECT evil.example:443", 404),
            ("OPTIONS *", 404),
        ] {
            let request = format!("{target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            assert_eq!(statuses(app, &request).await, [status], "{target}");
        }
    });
}
