use actix_web::HttpResponse;
use actix_web::post;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use super::*;
use crate::http::Json;
use crate::http::Page;
use crate::http::Problem;
use crate::http::Query;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
}

#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Inner {
    count: Option<u8>,
}

#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Body {
    #[schema(example = "taro")]
    name: String,
    kind: Option<Kind>,
    /// Said where it is used.
    #[schema(inline)]
    again: Kind,
    #[schema(inline)]
    inline: Option<Inner>,
    inner: Option<Inner>,
    /// Described here and there.
    list: Option<Vec<Inner>>,
}

#[derive(Serialize, ToSchema)]
struct Sample {
    id: Uuid,
    at: Option<String>,
}

/// Make one.
#[utoipa::path(
    tag = "account", operation_id = "make_one", request_body = Body, params(("id" = Uuid, Path, description = "Which")),
    responses((status = 201, description = "Made", body = Sample)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_code", "wrong_step"])), ("x-limit" = json!("sign_up"))),
)]
#[post("/v1/sample/{id}")]
async fn make_one(_: web::Path<Uuid>, body: Json<Body>) -> Result<HttpResponse, Problem> {
    crate::http::created(&Sample { id: Uuid::nil(), at: Some(body.name.clone()) })
}

/// List some.
#[utoipa::path(
    tag = "account", operation_id = "list_some", params(Page),
    responses((status = 200, description = "Some", body = Sample)),
    extensions(("x-problems" = json!(["invalid_cursor"]))),
)]
#[get("/v1/sample")]
async fn list_some(page: Query<Page>) -> Result<HttpResponse, Problem> {
    crate::http::ok(&json!({ "rows": page.0.rows() }))
}

#[utoipa::path(tag = "account", operation_id = "x", responses((status = 204, description = "")), extensions(("x-problems" = json!(["no_such_code"]))))]
#[post("/v1/bad")]
async fn wrong() -> HttpResponse {
    crate::http::no_content()
}

fn sample() -> Document {
    document("https://auth.example", |config| {
        config.service(make_one).service(list_some).configure(routes).configure(crate::help::routes);
    })
    .unwrap()
}

fn keys_and_types(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys_and_types(item, found)),
        Value::Object(members) => {
            found.extend(members.keys().cloned());
            found.extend(members.get("type").map(|kind| format!("type {kind}")));
            members.values().for_each(|member| keys_and_types(member, found));
        }
        Value::Null => found.push("null".to_owned()),
        _ => {}
    }
}

#[test]
fn nothing_is_left_that_generators_stumble_over() {
    let mut found = Vec::new();
    keys_and_types(sample().value(), &mut found);
    let bad = |word: &&String| ["oneOf", "anyOf", "allOf", "null"].contains(&word.as_str()) || word.contains("null\"");
    assert_eq!(found.iter().filter(bad).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(sample().value()["components"]["schemas"]["Body"]["additionalProperties"], false);
    assert_eq!(sample().value()["components"]["schemas"]["Inner"]["additionalProperties"], false);
    assert!(sample().value()["components"]["schemas"]["Sample"].get("additionalProperties").is_none());
}

#[test]
fn every_operation_has_its_refusals_with_examples() {
    let document = sample();
    let make = &document.value()["paths"]["/v1/sample/{id}"]["post"];
    let statuses: Vec<&String> = make["responses"].as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["201", "400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "500", "503"]);
    let example = &make["responses"]["422"]["content"]["application/problem+json"]["example"];
    assert_eq!((&example["code"], &example["attempts_left"]), (&json!("invalid_code"), &json!(4)));
    assert_eq!(make["responses"]["422"]["description"], "`invalid_code`, `invalid_fields`");
    assert_eq!(make["x-limit"]["policy"], "sign_up");
    assert_eq!(
        make["requestBody"]["content"]["application/json"]["example"],
        json!({ "name": "taro", "again": "plain" })
    );
    let list = &document.value()["paths"]["/v1/sample"]["get"];
    assert_eq!(list["security"], json!([]));
    let id = &list["responses"]["200"]["content"]["application/json"]["example"]["id"];
    assert!(Uuid::parse_str(id.as_str().unwrap()).is_ok());
    for (name, operation) in operations(document.value()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let without = |content: &Map<String, Value>| content.values().any(|body| body.get("example").is_none());
            assert!(!response["content"].as_object().is_some_and(without), "{name} {status}");
        }
    }
}

#[test]
fn a_code_that_does_not_exist_is_refused() {
    let refusal = document("https://auth.example", |config| {
        config.service(wrong);
    });
    assert!(refusal.err().unwrap().to_string().contains("no_such_code"));
}
