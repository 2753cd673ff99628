//! The OpenAPI document: assembled from the handlers, completed, and tidied for client generators.
//!
//! A handler writes what only it knows: `operation_id`, `tag`, `security`, its successful answers, and two
//! extensions, `x-problems` (the codes of its own refusals) and `x-limit` (the name of its limit).
//! [`document`] adds the refusals that follow from the rest (a body can be too large, a token can have expired),
//! one answer per status with a true example; the numbers of the limit; an example for every body. A member with
//! values of an open set names that set as `x-open-set`, and [`open_sets`] tells them. It refuses a code, a limit or
//! a set that does not exist. `x-page` says that a browser gets the same as a page: as a second content it would take the
//! members of the first from typed clients. [`tidy`] then removes what generators stumble over: no `null`, `oneOf`,
//! `anyOf` or `allOf` is left.

mod docs;
mod example;
mod open_sets;
mod problems;
mod tidy;

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::get;
use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web;
use actix_web::web::Data;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::Operation;
use crate::http::ProblemBody;
use crate::http::REFRESH_COOKIE;
use crate::http::Routes;
use crate::internal::Internal;
use crate::limits::Policy;

pub use docs::docs;

const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// The groups of operations, in the order in which a person meets them.
const TAGS: [(&str, &str); 10] = [
    ("sign-up", "Making an account."),
    ("sign-in", "Password, then a second factor; each answer says what comes next."),
    ("recovery", "The slow way back for someone who has lost mailbox, phone or second factor."),
    ("sessions", "Refreshing, listing and ending sessions; showing again who one is."),
    ("account", "What belongs to the person who is signed in."),
    ("tokens", "For services that check access tokens."),
    ("help", "For people who got stuck."),
    ("providers", "For those who carry messages: what became of them."),
    ("health", "For operators."),
    ("development", "Only with `sekisho dev`: messages and codes without a phone or mailbox."),
];

const DESCRIPTION: &str = "Sign-up, sign-in with a second factor that cannot be skipped, and access tokens that every \
service can check.\n\nEvery refusal is a problem (RFC 9457) with a `code` to switch on; its `type` is a page for \
people. A caller that prefers `text/html`, as a browser does, gets the same problem as a page. Members that are absent are \
left out, never null; unknown members and parameters are refused.";

/// The finished document, as `Data<Document>` for `GET /openapi.json`.
#[derive(Clone)]
pub struct Document {
    value: Value,
    text: web::Bytes,
}

/// Assembles the document of the operations that `configure` adds.
///
/// # Errors
/// An operation names a problem or limit that does not exist, or lacks its id or tag, or a schema is a choice of several.
pub fn document(issuer: &str, configure: impl FnOnce(&mut ServiceConfig<'_>)) -> Result<Document, Internal> {
    let (_, collected) = App::new().into_utoipa_app().configure(configure).split_for_parts();
    let mut value = serde_json::to_value(&collected)?;
    describe(&mut value, issuer);
    open_sets::tell(&mut value)?;
    problems::complete(&mut value, issuer)?;
    tidy::tidy(&mut value)?;
    example::add(&mut value);
    let mut text = serde_json::to_string_pretty(&value)?;
    text.push('\n');
    Ok(Document { value, text: text.into() })
}

impl Document {
    /// The document as it is served and committed.
    pub fn text(&self) -> &web::Bytes {
        &self.text
    }

    /// The document as data.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What `http::edge` must know of it.
    pub fn routes(&self) -> Routes {
        let mut routes = Routes::default();
        for (path, item) in self.value["paths"].as_object().into_iter().flatten() {
            for (name, method) in METHODS {
                if let Some(operation) = item.get(name) {
                    routes.add(path, route(method, operation));
                }
            }
        }
        routes
    }
}

fn route(method: Method, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters =
        parameters.filter(|parameter| parameter["in"] == "query").filter_map(|parameter| parameter["name"].as_str());
    let successes =
        operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    let media_types = successes.filter_map(|(_, response)| response["content"].as_object()).flat_map(Map::keys);
    let page = (operation["x-page"] == true).then(|| "text/html".to_owned());
    Operation {
        method,
        parameters: parameters.map(str::to_owned).collect(),
        media_types: media_types.cloned().chain(page).collect(),
        limit: operation["x-limit"]["policy"].as_str().and_then(Policy::parse),
    }
}

fn describe(value: &mut Value, issuer: &str) {
    value["openapi"] = json!("3.1.0");
    value["info"] = json!({
        "title": "Sekisho",
        "version": env!("CARGO_PKG_VERSION"),
        "description": DESCRIPTION,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    value["servers"] = json!([{ "url": issuer }]);
    let used: Vec<Value> = operations(value).filter_map(|(_, operation)| operation["tags"].get(0)).cloned().collect();
    let tags = TAGS.iter().filter(|(name, _)| used.iter().any(|tag| tag == name));
    value["tags"] = tags.map(|(name, words)| json!({ "name": name, "description": words })).collect();
    let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
    ProblemBody::schemas(&mut schemas);
    for (name, schema) in schemas {
        value["components"]["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
    value["components"]["securitySchemes"] = json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The access token of a completed sign-in.",
        },
        "refresh_cookie": {
            "type": "apiKey", "in": "cookie", "name": REFRESH_COOKIE,
            "description": "The refresh token of a browser that asked for `token_delivery` `cookie`. \
                            Such a request needs the `Origin` of a page of the client.",
        },
    });
}

/// Every operation with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |(name, method)| Some((format!("{method} {path}"), item.get(name)?)))
    })
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    document["paths"].as_object_mut().into_iter().flatten().flat_map(|(path, item)| {
        item.as_object_mut().into_iter().flatten().filter_map(move |(name, operation)| {
            let (_, method) = METHODS.iter().find(|(known, _)| known == name)?;
            Some((format!("{method} {path}"), operation))
        })
    })
}

/// Adds `GET /openapi.json`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show);
}

/// This document.
#[utoipa::path(
    tag = "help", operation_id = "show_openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, example = json!({ "openapi": "3.1.0" }))),
)]
#[get("/openapi.json")]
async fn show(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(document.text().clone())
}

#[cfg(test)]
mod tests;
