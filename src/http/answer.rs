//! Answers that are not problems.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::problem::Problem;
use crate::internal::Internal;

/// What a handler comes to.
pub type Reply = Result<HttpResponse, Problem>;

/// 200 with a body.
pub fn ok<T: Serialize>(body: &T) -> Reply {
    json(HttpResponse::Ok(), body)
}

/// 201 with the resource that was made.
pub fn created<T: Serialize>(body: &T) -> Reply {
    json(HttpResponse::Created(), body)
}

/// 202: the rest happens later.
pub fn accepted<T: Serialize>(body: &T) -> Reply {
    json(HttpResponse::Accepted(), body)
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

fn json<T: Serialize>(mut response: HttpResponseBuilder, body: &T) -> Reply {
    let body = serde_json::to_vec(body).map_err(Internal::from)?;
    Ok(response.insert_header((CONTENT_TYPE, "application/json")).body(body))
}

/// How a request ended, for metrics: `ok` or the code of the problem.
pub fn outcome<T>(result: &Result<T, Problem>) -> &'static str {
    result.as_ref().map_or_else(|problem| problem.code().code(), |_| "ok")
}
