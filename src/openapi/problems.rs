//! The refusals of every operation.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::http::problem_body;
use crate::ids::RequestId;
use crate::internal::Internal;
use crate::limits::Limited;
use crate::limits::Policy;
use crate::text::Language;

/// The request id of the examples.
const REQUEST: Uuid = Uuid::from_u128(0x0193_2c5e_7a11_7000_8000_0000_0000_0002);

/// Adds the refusals, and the numbers of the limits, to every operation.
pub(super) fn complete(document: &mut Value, issuer: &str) -> Result<(), Internal> {
    let schemas = document["components"]["schemas"].clone();
    for (name, operation) in super::operations_mut(document) {
        let fault = |what: String| Internal::bug(format!("{name} {what}"));
        if !operation["operationId"].is_string() || !operation["tags"].is_array() {
            return Err(fault("has no operation id or no tag".to_owned()));
        }
        if operation.get("security").is_none() {
            operation["security"] = json!([]);
        }
        let policy = policy(operation).map_err(&fault)?;
        if let Some(policy) = policy {
            let quota = policy.quota();
            operation["x-limit"] =
                json!({ "policy": policy.name(), "requests": quota.requests, "window_secs": quota.window_secs });
        }
        // Whatever is posted is read, if only to see that it says nothing.
        let takes_body = name.starts_with("POST ") || operation.get("requestBody").is_some();
        let codes = codes(operation, policy, takes_body).map_err(&fault)?;
        operation["x-problems"] = codes.iter().map(|code| code.code()).collect();
        let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in codes {
            by_status.entry(code.status().as_u16()).or_default().push(code);
        }
        for (status, codes) in by_status {
            let place = Place::of(operation, &schemas);
            let status = status.to_string();
            // A handler that documents a refusal itself has a body of its own for it.
            if operation["responses"].get(&status).is_none() {
                operation["responses"][status] = response(&codes, issuer, &place, policy);
            }
        }
    }
    Ok(())
}

fn policy(operation: &Value) -> Result<Option<Policy>, String> {
    let Some(name) = operation.get("x-limit").and_then(Value::as_str) else { return Ok(None) };
    Policy::parse(name).map(Some).ok_or_else(|| format!("has the limit {name:?}, which does not exist"))
}

/// The operation's own codes and those that follow from what it takes, in the order of the catalogue.
fn codes(operation: &Value, policy: Option<Policy>, takes_body: bool) -> Result<Vec<ErrorCode>, String> {
    let mut codes = vec![
        ErrorCode::UnsupportedField,
        ErrorCode::MalformedRequest,
        ErrorCode::NotAcceptable,
        ErrorCode::InternalError,
        ErrorCode::DependencyUnavailable,
    ];
    for own in operation.get("x-problems").and_then(Value::as_array).into_iter().flatten() {
        let code = own.as_str().and_then(ErrorCode::parse);
        codes.push(code.ok_or_else(|| format!("has the problem {own}, which does not exist"))?);
    }
    if takes_body {
        codes.extend([ErrorCode::BodyTooLarge, ErrorCode::UnsupportedMediaType]);
    }
    if operation.get("requestBody").is_some() {
        codes.push(ErrorCode::InvalidFields);
    }
    if has_parameter(operation, "query") {
        codes.push(ErrorCode::InvalidFields);
    }
    if has_parameter(operation, "path") {
        codes.push(ErrorCode::NotFound);
    }
    if operation["security"].as_array().into_iter().flatten().any(|way| way.get("bearer").is_some()) {
        codes.extend([
            ErrorCode::AccessTokenMissing,
            ErrorCode::AccessTokenInvalid,
            ErrorCode::AccessTokenExpired,
            ErrorCode::SessionExpired,
            ErrorCode::SessionRevoked,
            ErrorCode::AccountClosed,
        ]);
    }
    codes.extend(policy.map(|_| ErrorCode::RateLimited));
    Ok(ErrorCode::ALL.iter().copied().filter(|code| codes.contains(code)).collect())
}

fn has_parameter(operation: &Value, kind: &str) -> bool {
    operation["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["in"] == kind)
}

/// What an example points at.
struct Place {
    pointer: Option<String>,
    parameter: Option<String>,
}

impl Place {
    fn of(operation: &Value, schemas: &Value) -> Self {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let schema = body["$ref"].as_str().and_then(|path| path.rsplit('/').next()).map_or(body, |name| &schemas[name]);
        let first = schema["required"][0].as_str().map(|name| format!("/{name}"));
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameter = parameters.find(|parameter| parameter["in"] == "query").and_then(|it| it["name"].as_str());
        Self { pointer: first, parameter: parameter.map(str::to_owned) }
    }

    fn mark(&self, problem: Problem, code: FieldCode) -> Problem {
        match (&self.pointer, &self.parameter) {
            (Some(pointer), _) => problem.fault(pointer.clone(), code),
            (None, Some(parameter)) => problem.parameter_fault(parameter.clone(), code),
            (None, None) => problem,
        }
    }
}

fn response(codes: &[ErrorCode], issuer: &str, place: &Place, policy: Option<Policy>) -> Value {
    let names: Vec<String> = codes.iter().map(|code| format!("`{}`", code.code())).collect();
    let code = example_code(codes);
    let mut response = json!({
        "description": names.join(", "),
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "example": example(code, issuer, place, policy),
        } },
    });
    if let Some(headers) = headers(code) {
        response["headers"] = headers;
    }
    response
}

/// The operation's own refusals tell more than those that every operation has.
fn example_code(codes: &[ErrorCode]) -> ErrorCode {
    let common = |code: &ErrorCode| {
        matches!(
            code,
            ErrorCode::MalformedRequest
                | ErrorCode::AccessTokenMissing
                | ErrorCode::AccessTokenInvalid
                | ErrorCode::SessionExpired
                | ErrorCode::SessionRevoked
                | ErrorCode::AccountClosed
                | ErrorCode::InvalidFields
        )
    };
    codes.iter().copied().find(|code| !common(code)).unwrap_or(codes[0])
}

fn example(code: ErrorCode, issuer: &str, place: &Place, policy: Option<Policy>) -> Value {
    let problem = Problem::new(code);
    let problem = match code {
        ErrorCode::UnsupportedField => problem.parameter_fault("colour", FieldCode::Unsupported),
        ErrorCode::InvalidFields => place.mark(problem, FieldCode::Required),
        ErrorCode::InvalidCursor => problem.parameter_fault("cursor", FieldCode::InvalidFormat),
        ErrorCode::InvalidCode => problem.attempts_left(4),
        ErrorCode::SessionExpired => problem.reason("idle"),
        ErrorCode::TooManyAttempts | ErrorCode::ChannelUnavailable => problem.retry_after(30),
        ErrorCode::Overloaded | ErrorCode::DependencyUnavailable => problem.retry_after(5),
        ErrorCode::RateLimited => match policy {
            Some(policy) => problem.limited(Limited { policy, retry_after_secs: 12 }),
            None => problem.retry_after(12),
        },
        _ => problem,
    };
    let body = problem_body(&problem, issuer, Language::DEFAULT, RequestId::from(REQUEST));
    serde_json::to_value(body).unwrap_or_default()
}

fn headers(code: ErrorCode) -> Option<Value> {
    let text = |words: &str| json!({ "description": words, "schema": { "type": "string" } });
    let seconds = json!({ "description": "Seconds until trying again can succeed", "schema": { "type": "integer" } });
    match code.status().as_u16() {
        401 => Some(json!({ "WWW-Authenticate": text("RFC 6750, RFC 9470") })),
        429 => Some(json!({
            "Retry-After": seconds,
            "RateLimit": text("What is left of the limit"),
            "RateLimit-Policy": text("The limit"),
        })),
        503 => Some(json!({ "Retry-After": seconds })),
        _ => None,
    }
}
