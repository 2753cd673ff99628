//! `src/openapi`: the document says what the service does, and the service does what the document says.

mod schema;
mod told;

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::RequestBuilder;
use sekisho::config::Mode;
use sekisho::http::ErrorCode;
use sekisho::server::document;
use serde_json::Value;
use serde_json::json;

use crate::support::TestApp;
use crate::support::test;
use schema::faults;

/// What may be called without an access token. Whatever is not here asks for one.
const PUBLIC: &[&str] = &[
    // Takes the token of a message.
    "cancel_change",
    "cancel_recovery",
    "check_password",
    "claim_identifier",
    "complete_passkey_sign_in",
    "complete_recovery",
    "complete_sign_in",
    "confirm_device_token",
    "confirm_enrolment",
    "confirm_identifier_claim",
    "confirm_password_reset",
    "find_change_password_page",
    "get_authorization_server_metadata",
    "get_jwks",
    "get_openid_configuration",
    "get_webauthn",
    "inspect_password_reset",
    "inspect_recovery",
    "live",
    "prove_recovery",
    "ready",
    "refresh_session",
    "remind_identifiers",
    "request_device_token",
    "request_password_reset",
    "resend_enrolment_code",
    "resend_sign_up_code",
    "resume_recovery",
    "send_factor_code",
    "send_identifier_code",
    "send_recovery_code",
    "show_configuration",
    "show_openapi",
    "show_problem_help",
    // Signed by a provider of messages.
    "continue_call",
    "receive_provider_event",
    // Takes a refresh token, the cookie or an access token.
    "sign_out",
    "stage_password",
    "start_enrolment",
    "start_passkey_factor",
    "start_passkey_sign_in",
    "start_recovery",
    "start_sign_in",
    "start_sign_up",
    "verify_identifier",
    "verify_recovery_contact",
    "verify_sign_up",
    // `sekisho dev` alone.
    "empty_inbox",
    "show_inbox",
    "show_totp",
];

fn of(mode: Mode) -> Value {
    document(mode, "https://auth.example.com").unwrap().value().clone()
}

/// Method, path and operation, of everything that `sekisho dev` serves.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items
        .flat_map(|(path, item)| {
            let each = item.as_object().unwrap().iter();
            each.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
        })
        .collect()
}

fn id(operation: &Value) -> &str {
    operation["operationId"].as_str().unwrap()
}

/// The bodies of an operation, asked and answered, with where they stand.
fn bodies(operation: &Value) -> Vec<(String, &Value)> {
    let answers = operation["responses"].as_object().unwrap().iter();
    let answers = answers.map(|(status, response)| (status.clone(), response));
    let asked = operation.get("requestBody").map(|body| ("request".to_owned(), body));
    let contents = answers.chain(asked).filter_map(|(place, holder)| Some((place, holder["content"].as_object()?)));
    contents
        .flat_map(|(place, content)| content.iter().map(move |(kind, body)| (format!("{place} {kind}"), body)))
        .collect()
}

/// security.md 80; style.md 15: what is generated is committed and checked for drift.
#[test]
fn the_committed_document_is_that_of_serve() {
    let committed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json")).unwrap();
    let current = document(Mode::Production, "https://auth.example.com").unwrap();
    assert!(committed == current.text().as_ref(), "openapi/openapi.json is old: write it with `sekisho openapi`");
}

#[test]
fn the_document_is_served_and_in_development_tells_of_its_own_paths() {
    test(async |app| {
        let answer = app.get("/openapi.json").await;
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let served = answer.ok(200);
        assert_eq!(served["servers"], json!([{ "url": app.url }]));
        let paths = |document: &Value| document["paths"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let production = paths(&of(Mode::Production));
        let only_here: Vec<String> = paths(&served).difference(&production).cloned().collect();
        assert_eq!(only_here, ["/dev/inbox", "/dev/totp/{factor_id}"]);
        assert!(production.is_subset(&paths(&served)));
    });
}

fn words(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::Object(members) => {
            found.extend(members.keys().cloned());
            found.extend(members.get("type").map(ToString::to_string));
            members.values().for_each(|member| words(member, found));
        }
        Value::Null => _ = found.insert("null".to_owned()),
        _ => {}
    }
}

#[test]
fn nothing_is_in_it_that_client_generators_stumble_over() {
    let mut found = BTreeSet::new();
    words(&of(Mode::Development), &mut found);
    for word in ["oneOf", "anyOf", "allOf", "not", "nullable", "null", "\"null\"", "discriminator"] {
        assert!(!found.contains(word), "{word}");
    }
    assert!(!found.iter().any(|word| word.starts_with('[')), "a list of types");
}

#[test]
fn every_operation_has_a_name_a_group_and_a_lock_or_is_public_on_purpose() {
    let document = of(Mode::Development);
    let mut names = BTreeSet::new();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(&document) {
        let name = id(operation);
        assert!(names.insert(name.to_owned()), "{name} twice");
        assert!(operation["summary"].is_string(), "{name} is not described");
        let [tag] = operation["tags"].as_array().unwrap().as_slice() else { panic!("{name}: one tag") };
        assert!(tags.contains(&tag), "{name}: {tag}");
        let ways = operation["security"].as_array().unwrap();
        let open = ways.is_empty() || ways.contains(&json!({}));
        assert_eq!(open, PUBLIC.contains(&name), "{name}: {ways:?}");
        let in_path = path.matches('{').count();
        let told = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path").count();
        assert_eq!(in_path, told, "{method} {path}");
    }
    assert!(PUBLIC.iter().all(|name| names.contains(*name)), "the list names what is gone");
}

#[test]
fn every_body_has_an_example_that_fits_its_schema() {
    let document = of(Mode::Development);
    for (_, _, operation) in operations(&document) {
        for (place, body) in bodies(operation) {
            let example = body.get("example").unwrap_or_else(|| panic!("{} {place}: no example", id(operation)));
            let wrong = faults(&document, &body["schema"], example);
            assert!(wrong.is_empty(), "{} {place}: {wrong:?} in {example}", id(operation));
        }
    }
}

/// security.md 80: no refusal that the document does not know, 5xx included.
#[test]
fn every_operation_documents_its_problems() {
    let document = of(Mode::Development);
    for (_, _, operation) in operations(&document) {
        let codes = operation["x-problems"].as_array().unwrap();
        assert!(codes.len() >= 5, "{}", id(operation));
        for code in codes {
            let code = ErrorCode::parse(code.as_str().unwrap()).unwrap();
            let response = &operation["responses"][code.status().as_str()];
            assert!(response.is_object(), "{}: {}", id(operation), code.code());
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(problem) = response["content"].get("application/problem+json") else { continue };
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
            assert_eq!(problem["example"]["status"].to_string(), *status);
            assert!(codes.contains(&problem["example"]["code"]), "{} {status}", id(operation));
            let headers = match status.as_str() {
                "401" => ["WWW-Authenticate"].as_slice(),
                "429" => &["Retry-After", "RateLimit", "RateLimit-Policy"],
                "503" => &["Retry-After"],
                _ => &[],
            };
            assert!(headers.iter().all(|name| response["headers"].get(*name).is_some()), "{} {status}", id(operation));
        }
    }
}

/// The refusals that any operation of this form must know, each with the request that earns it.
fn refusals(app: &TestApp, method: &str, path: &str, operation: &Value) -> Vec<(RequestBuilder, u16, &'static str)> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let filled = path
        .replace("{code}", "not_found")
        .replace("{id}", ID)
        .replace("{factor_id}", ID)
        .replace("{provider}", "nobody");
    let request = |query: &str| app.request(method.clone(), &format!("{filled}{query}"));
    let mut refusals = vec![
        (request("?colour=red"), 400, "unsupported_field"),
        (request("?x=%zz"), 400, "malformed_request"),
        (request("").header("accept", "image/png"), 406, "not_acceptable"),
    ];
    if !PUBLIC.contains(&id(operation)) {
        refusals.push((request(""), 401, "access_token_missing"));
        refusals.push((request("").bearer_auth("x.y.z"), 401, "access_token_invalid"));
    } else if operation.get("requestBody").is_some() {
        let json = |body: &'static str| request("").header("content-type", "application/json").body(body);
        if path.contains("{provider}") {
            // Whoever is not known, or signs nothing, is not read.
            refusals.push((json("{"), 404, "not_found"));
        } else {
            refusals.push((json("{"), 400, "malformed_request"));
            refusals.push((json(r#"{"colour":"red"}"#), 400, "unsupported_field"));
        }
        refusals.push((request("").header("content-type", "text/plain").body("x"), 415, "unsupported_media_type"));
        refusals.push((request("").json(&"x".repeat(20_000)), 413, "body_too_large"));
    }
    refusals
}

const ID: &str = "01932c5e-7a10-7000-8000-000000000001";

/// security.md 80; style.md 4: there is no operation without a refusal test. Each answer is held against the document.
#[test]
fn every_operation_refuses_as_it_documents() {
    test(async |app| {
        let document = document(Mode::Development, &app.url).unwrap().value().clone();
        for (method, path, operation) in operations(&document) {
            for (request, status, code) in refusals(app, &method, &path, operation) {
                let problem = app.send(request).await.refused(status, code);
                assert!(operation["x-problems"].as_array().unwrap().contains(&json!(code)), "{} {code}", id(operation));
                let body = &operation["responses"][status.to_string()]["content"]["application/problem+json"];
                let wrong = faults(&document, &body["schema"], &problem);
                assert!(body.is_object() && wrong.is_empty(), "{} {status}: {wrong:?}", id(operation));
            }
        }
    });
}

/// With a token, what every operation that takes a body must refuse as well.
#[test]
fn a_token_does_not_excuse_a_wrong_body() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let document = of(Mode::Development);
        let locked = operations(&document).into_iter().filter(|(_, _, one)| !PUBLIC.contains(&id(one)));
        for (method, path, operation) in locked.filter(|(_, _, one)| one.get("requestBody").is_some()) {
            let path = path.replace("{id}", person.tokens["session_id"].as_str().unwrap());
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let body = json!({ "colour": "red" });
            let answer = app.with_token(&person.access(), method, &path, Some(&body)).await;
            answer.refused(400, "unsupported_field");
            assert!(operation["x-problems"].as_array().unwrap().contains(&json!("unsupported_field")));
        }
    });
}
