//! Every text of every body, with what no text should hold.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::test;

/// A body of every operation that takes one, by its example in the document: method, path and body.
fn bodies(document: &Value) -> Vec<(Method, String, Value)> {
    let mut bodies = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            if body.is_object() {
                bodies.push((
                    Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                    path.clone(),
                    body.clone(),
                ));
            }
        }
    }
    bodies
}

/// security.md 3: NUL, halves of characters, and what nobody can see, in every member of every body: refused or read as
/// a wrong value, never an error of ours, and never kept.
#[test]
fn what_is_no_text_is_refused_in_every_member() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let document = sekisho::server::document(sekisho::config::Mode::Development, &app.url).unwrap().value().clone();
        let bodies = bodies(&document);
        assert!(bodies.len() >= 15, "{}", bodies.len());
        for (method, template, example) in bodies {
            let path = template.replace("{id}", taro.tokens["session_id"].as_str().unwrap());
            let schema = members(&document, &template, &method);
            for member in schema {
                for hostile in
                    [r"a\u0000b", r"\ud800", r"\udc00\ud800", "a\u{202e}b", "a\u{200b}b", "a\u{1}b", "\u{feff}"]
                {
                    let mut body = example.clone();
                    body[&member] = json!("HERE");
                    let body = body.to_string().replace("HERE", &escaped(hostile));
                    let request = app.request(method.clone(), &path).bearer_auth(taro.access());
                    let answer = app.send(request.header("content-type", "application/json").body(body)).await;
                    let what = format!("{method} {path} {member} {hostile:?}: {:#}", answer.body);
                    // A password may hold what a keyboard makes; an opinion on one is no refusal.
                    let typed = ["a\u{202e}b", "a\u{200b}b", "\u{feff}"].contains(&hostile);
                    let allowed = member.contains("password") && typed || answer.body["acceptable"] == false;
                    assert!((400..500).contains(&answer.status) || allowed && answer.status < 500, "{what}");
                }
            }
        }
        let account = taro.get("/v1/account").await.ok(200);
        assert!(account.get("display_name").is_none(), "{account}");
        app.ignore_messages().await;
    });
}

/// JSON may not hold a control character as it is.
fn escaped(text: &str) -> String {
    text.replace('\u{1}', r"\u0001")
}

/// The members of the body of an operation that are text.
fn members(document: &Value, path: &str, method: &Method) -> Vec<String> {
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    let mut schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if let Some(name) = schema["$ref"].as_str() {
        schema = &document["components"]["schemas"][name.rsplit('/').next().unwrap()];
    }
    let members = schema["properties"].as_object().unwrap().iter();
    members.filter(|(_, member)| member["type"] == "string").map(|(name, _)| name.clone()).collect()
}
