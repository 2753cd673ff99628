//! From a [`Problem`] to an answer: words, language, headers, JSON or a page.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::error_code::ErrorCode;
use crate::http::page::Block;
use crate::http::page::page;
use crate::http::problem::Fault;
use crate::http::problem::Parts;
use crate::http::problem::Place;
use crate::http::problem::Problem;
use crate::ids::RequestId;
use crate::limits::Policy;
use crate::text::Language;
use crate::text::find;
use crate::text::text;

const REALM: &str = "Bearer realm=\"sekisho\"";

/// What went wrong (RFC 9457); switch on `code`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The address of a page that explains the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// The problem in a few words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
    /// The code, for programs. New ones may be added.
    #[schema(extensions(("x-open-set" = json!("problems"))))]
    pub code: String,
    /// The request, as in `X-Request-Id`.
    pub request_id: Uuid,
    /// What is wrong with single members or parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<ProblemFault>,
    /// What may have gone wrong on the way in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub hints: Vec<ProblemHint>,
    /// Seconds after which trying again can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// How many wrong codes are still allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts_left: Option<u32>,
    /// The finer reason; open set: `idle` or `absolute` of a session that expired, `no_body`, `not_closing`, `recovery_codes`,
    /// `leaving` of an identifier, `lost` and `recovery` of recoveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// What is wrong with one member or parameter.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemFault {
    /// The member of the body (JSON pointer, RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The code, for programs. New ones may be added.
    #[schema(extensions(("x-open-set" = json!("faults"))))]
    pub code: &'static str,
    /// The same in words.
    pub detail: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

/// What may have gone wrong on the way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemHint {
    /// The code, for programs. New ones may be added.
    #[schema(extensions(("x-open-set" = json!("hints"))))]
    pub code: &'static str,
    /// The same in words.
    pub text: String,
}

/// The text ids of a code: `problem-invalid-code`.
pub fn text_id(code: ErrorCode) -> String {
    format!("problem-{}", code.code().replace('_', "-"))
}

/// The body of a problem.
pub fn problem_body(problem: &Problem, issuer: &str, language: Language, request_id: RequestId) -> ProblemBody {
    let parts = problem.parts();
    let id = text_id(parts.code);
    ProblemBody {
        kind: format!("{issuer}/help/problems/{}", parts.code.code()),
        title: text(language, &format!("{id}.title"), &[]),
        status: parts.code.status().as_u16(),
        detail: detail(parts, &id, language),
        code: parts.code.code().to_owned(),
        request_id: request_id.uuid(),
        errors: parts.faults.iter().map(|fault| fault_body(fault, language)).collect(),
        hints: parts.hints.iter().map(|code| hint_body(code, language)).collect(),
        retry_after: parts.retry_after,
        attempts_left: parts.attempts_left,
        reason: parts.reason,
    }
}

/// What happened, in the words of its reason where it has some of its own.
fn detail(parts: &Parts, id: &str, language: Language) -> String {
    let finer =
        parts.reason.and_then(|reason| find(language, &format!("{id}.detail-{}", reason.replace('_', "-")), &[]));
    finer.unwrap_or_else(|| text(language, &format!("{id}.detail"), &[]))
}

fn fault_body(fault: &Fault, language: Language) -> ProblemFault {
    let (pointer, parameter) = match &fault.place {
        Place::Pointer(pointer) => (Some(pointer.clone()), None),
        Place::Parameter(name) => (None, Some(name.clone())),
    };
    let code = fault.code.code();
    let detail = text(language, &format!("field-{}", code.replace('_', "-")), &[]);
    ProblemFault { pointer, parameter, code, detail, did_you_mean: fault.did_you_mean.clone() }
}

fn hint_body(code: &'static str, language: Language) -> ProblemHint {
    ProblemHint { code, text: text(language, &format!("hint-{}", code.replace('_', "-")), &[]) }
}

/// The whole answer, as JSON or as a page.
pub(super) fn problem_response(problem: &Problem, body: &ProblemBody, language: Language, html: bool) -> HttpResponse {
    let status = problem.code().status();
    let mut response = if html { html_page(status, body, language) } else { json(status, body) };
    add_headers(response.headers_mut(), problem.parts());
    response
}

fn json(status: StatusCode, body: &ProblemBody) -> HttpResponse {
    // Strings and numbers always serialise.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    HttpResponseBuilder::new(status).insert_header((header::CONTENT_TYPE, "application/problem+json")).body(bytes)
}

fn html_page(status: StatusCode, body: &ProblemBody, language: Language) -> HttpResponse {
    let mut blocks = vec![Block::Text(body.detail.clone())];
    if !body.errors.is_empty() {
        let place =
            |fault: &ProblemFault| fault.pointer.clone().or_else(|| fault.parameter.clone()).unwrap_or_default();
        blocks.push(Block::List(body.errors.iter().map(|fault| (place(fault), fault.detail.clone())).collect()));
    }
    if !body.hints.is_empty() {
        blocks.push(Block::List(body.hints.iter().map(|hint| (String::new(), hint.text.clone())).collect()));
    }
    if let Some(secs) = body.retry_after {
        blocks.push(Block::Text(text(language, "page-retry-after", &[("seconds", &secs.to_string())])));
    }
    if let Some(left) = body.attempts_left {
        blocks.push(Block::Text(text(language, "page-attempts-left", &[("count", &left.to_string())])));
    }
    let address = format!("/help/problems/{}?lang={}", body.code, language.tag());
    blocks.push(Block::Link(address, text(language, "page-more", &[])));
    let request = body.request_id.to_string();
    blocks.push(Block::Note(text(language, "page-request", &[("id", &request), ("code", &body.code)])));
    page(status, language, &body.title, &blocks)
}

fn add_headers(headers: &mut HeaderMap, parts: &Parts) {
    let mut add = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if parts.code.status() == StatusCode::UNAUTHORIZED {
        add(header::WWW_AUTHENTICATE, challenge(parts.code));
    }
    if let Some(methods) = &parts.allow {
        add(header::ALLOW, methods.clone());
    }
    if let Some(secs) = parts.retry_after {
        add(header::RETRY_AFTER, secs.to_string());
    }
    if let Some(limited) = parts.limited {
        add_limit(headers, limited.policy, 0, limited.retry_after_secs.max(1));
    }
}

/// Names a limit and where the caller stands: how many requests remain, and in how many seconds there are more.
pub(super) fn add_limit(headers: &mut HeaderMap, policy: Policy, remaining: u64, secs: u64) {
    let (name, quota) = (policy.name(), policy.quota());
    let policy = format!("\"{name}\";q={};w={}", quota.requests, quota.window_secs);
    let standing = format!("\"{name}\";r={remaining};t={secs}");
    for (header, value) in [("ratelimit-policy", policy), ("ratelimit", standing)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
}

/// RFC 6750 §3: no error code when no token was shown. RFC 9470 §3 for a sign-in that is too old.
fn challenge(code: ErrorCode) -> String {
    match code {
        ErrorCode::AccessTokenMissing | ErrorCode::InvalidCredentials => REALM.to_owned(),
        ErrorCode::InsufficientUserAuthentication => {
            format!("{REALM}, error=\"insufficient_user_authentication\", max_age=600")
        }
        _ => format!("{REALM}, error=\"invalid_token\", error_description=\"{}\"", code.code()),
    }
}
