//! `src/cli/limits.rs`: what an operator sees of the limits, and opens again.

use sekisho::limits::Policy;
use serde_json::json;
use strum::VariantArray;

use super::replicas::person;
use super::stores::Surroundings;
use crate::support::Environment;
use crate::support::Process;
use crate::support::fails;
use crate::support::told;

/// The words of every line that begins with this one.
fn lines(text: &str, first: &str) -> Vec<Vec<String>> {
    let words = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.filter(|words| words.first().is_some_and(|word| word == first)).collect()
}

/// What is left of a policy, and the failures in a row of the lane of the same name.
fn numbers(text: &str, first: &str) -> Vec<String> {
    lines(text, first).into_iter().map(|words| words[1].clone()).collect()
}

#[test]
fn the_limits_are_printed_without_any_settings() {
    let text = told(&["limits", "list"], &Environment::new());
    assert_eq!(text.lines().count(), 1 + Policy::VARIANTS.len(), "{text}");
    assert!(text.lines().any(|line| line.split_whitespace().eq(["password", "120", "60"])), "{text}");
    assert_eq!(told(&["limits", "list", "--dev", "/nowhere"], &Environment::new()), text);
}

/// The README promises it: an operator sees where somebody stands, and gives them a new start.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_forgets_what_was_counted() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let (tokens, ..) = person(&server, &server, &around).await;
    let account =
        server.with_token(tokens["access_token"].as_str().unwrap(), reqwest::Method::GET, "/v1/account", None);
    let account = account.await.ok(200)["id"].as_str().unwrap().to_owned();
    for identifier in ["taro@example.jp", "taro@example.jp", "nobody@example.jp"] {
        let body = json!({ "identifier": identifier, "password": "not this one, I think" });
        server.post("/v1/sign-ins", &body).await.refused(401, "invalid_credentials");
    }
    let limits = |action: &str, whose: &str| told(&["limits", action, whose], &around.environment);
    for (whose, failures) in
        [("taro@example.jp", "2"), ("TARO@example.jp", "2"), (&account, "2"), ("nobody@example.jp", "1")]
    {
        let text = limits("show", whose);
        assert_eq!(numbers(&text, "password"), [failures], "{whose}: {text}");
    }
    assert_eq!(lines(&limits("show", "127.0.0.1"), "password").len(), 1);
    let messages = sekisho::limits::Policy::Message.quota().requests - 1;
    assert_eq!(numbers(&limits("show", "taro@example.jp"), "message"), [messages.to_string()]);
    for path in ["/v1/password-resets", "/v1/device-tokens"] {
        server.post(path, &json!({ "identifier": "taro@example.jp" })).await.ok(202);
    }
    let each = [messages, messages, messages].map(|left| left.to_string());
    assert_eq!(numbers(&limits("show", "taro@example.jp"), "message"), each, "each purpose counts by itself");

    for whose in ["127.0.0.1", "taro@example.jp", "nobody@example.jp"] {
        assert_eq!(limits("reset", whose), "forgotten\n");
    }
    assert_eq!(numbers(&limits("show", &account), "password"), ["0"]);
    assert_eq!(numbers(&limits("show", "nobody@example.jp"), "password"), ["0"]);
    let empty = limits("show", "127.0.0.1");
    assert!(lines(&empty, "password").is_empty(), "{empty}");
    assert!(lines(&limits("show", "taro@example.jp"), "message").is_empty());
    assert_eq!(told(&["limits", "spend"], &around.environment).lines().count(), 1, "nothing went to a phone");
    let told = fails(&["limits", "show", "no such thing"], &around.environment);
    assert!(told.contains("no such thing") && told.contains("number with its country code"), "{told}");
    limits("show", "+819012345678");
    around.embedded.stop().await.unwrap();
}
