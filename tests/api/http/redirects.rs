//! Where answers send a browser: nowhere that a caller has named.

use reqwest::Method;

use super::raw;
use crate::support::test;

const ELSEWHERE: [&str; 6] = [
    "https://evil.example",
    "//evil.example",
    "https:evil.example",
    "\\evil.example",
    "/\\evil.example",
    "https://localhost@evil.example",
];

/// A path with a query.
fn with(path: &str, name: &str, value: &str) -> String {
    let url = reqwest::Url::parse_with_params("http://localhost", [(name, value)]).unwrap();
    format!("{path}?{}", url.query().unwrap())
}

/// security.md 77: no operation takes an address to go on to, and what looks like one is refused.
#[test]
fn no_parameter_sends_anybody_elsewhere() {
    test(async |app| {
        let document = sekisho::server::document(sekisho::config::Mode::Development, &app.url).unwrap();
        for (template, item) in document.value()["paths"].as_object().unwrap() {
            let id = "01932c5e-7a10-7000-8000-000000000001";
            let path = template
                .replace("{id}", id)
                .replace("{factor_id}", id)
                .replace("{code}", "not_found")
                .replace("{provider}", "nobody");
            for method in item.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                for name in ["return_to", "redirect_uri", "next", "continue", "url", "RelayState", "target"] {
                    let request = app.request(method.clone(), &with(&path, name, ELSEWHERE[0]));
                    let answer = app.send(request).await;
                    assert_eq!(answer.header("location"), "", "{path} {name}");
                    answer.refused(400, "unsupported_field");
                }
                for place in ELSEWHERE {
                    let request = app.request(method.clone(), &with(&path, "return_to", place));
                    app.send(request).await.refused(400, "unsupported_field");
                }
            }
        }
    });
}

/// security.md 77: nor does a path, a host or a header.
#[test]
fn no_path_and_no_header_sends_anybody_elsewhere() {
    test(async |app| {
        let targets =
            ["//evil.example/docs", "/docs//evil.example", "/docs/\\evil.example", "/docs/../..//evil.example"];
        let targets =
            targets.into_iter().chain(["//evil.example/%2e%2e", "/docs?url=https://evil.example", "/docs", "/dev"]);
        let targets =
            targets.chain(["/help", "/.well-known/jwks.json/", "https://evil.example/docs", "/@evil.example/"]);
        for target in targets {
            for host in ["localhost", "evil.example"] {
                let head = format!(
                    "GET {target} HTTP/1.1\r\nhost: {host}\r\nx-forwarded-host: evil.example\r\nconnection: close\r\n\
                     forwarded: host=evil.example\r\nreferer: https://evil.example/\r\nx-original-url: //evil.example\r\n\r\n"
                );
                let (status, answer) = raw(app, head.as_bytes()).await;
                let (head, _) = answer.split_once("\r\n\r\n").unwrap();
                let location =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("location: ").map(str::to_owned));
                let stays = location.as_ref().is_none_or(|place| place.starts_with('/') && !place.starts_with("//"));
                assert!(stays && !head.contains("evil.example"), "{target} {host}: {head}");
                assert!(status < 500 && (location.is_some() || !(300..400).contains(&status)), "{target}: {head}");
            }
        }
    });
}
