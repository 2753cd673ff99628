//! Strict JSON bodies.
//!
//! A body is read in two steps: the text becomes a tree ([`tree`]), which refuses what JSON or this API does not
//! know, and the tree becomes the handler's type ([`read()`]), which refuses what the type does not know. Both say
//! where, as a JSON pointer.
//!
//! * 400 `malformed_request`: not UTF-8, not JSON, an empty body (`reason: no_body`), a wrong JSON type, `null`, a member
//!   given twice, NUL, half of a surrogate pair, more than 32 levels.
//! * 400 `unsupported_field`: a member that the type does not have (no attribute is needed on the type).
//! * 413, 415: more than 16 KiB; anything but `application/json`, or compressed.
//! * 422 `invalid_fields`: a missing member, an unknown enum value, a number out of range, a text with control,
//!   direction or zero-width characters.
//!
//! Passwords may hold any character here; their policy judges them. A member `credential` is what a browser or a library
//! made (WebAuthn): inside of it a member that is `null` counts as absent.

mod fault;
mod read;
mod tree;

use std::ops::Deref;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::header::HeaderMap;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::http::deadline::Deadline;
use crate::http::error_code::ErrorCode;
use crate::http::error_code::FieldCode;
use crate::http::problem::Problem;

pub(super) use fault::JsonFault;
pub(super) use fault::Segment;
pub(super) use read::read;
pub(super) use tree::Node;

/// Who takes longer than this to send 16 KiB holds a connection and nothing else.
const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

const JSON: &str = "application/json";

/// The largest body.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// A JSON body.
pub struct Json<T>(pub T);

/// A JSON body that may be left out: no body at all reads like `{}`.
pub struct OptionalJson<T>(pub T);

/// A body that may be absent and says nothing: `OptionalJson<NoMembers>`.
#[derive(serde::Deserialize)]
pub struct NoMembers {}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = whole_body(request, payload, JSON);
        Box::pin(async move { parse(&body.await?).map(Self) })
    }
}

impl<T: DeserializeOwned> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = whole_body(request, payload, JSON);
        Box::pin(async move {
            let body = body.await?;
            if body.is_empty() { parse(b"{}").map(Self) } else { parse(&body).map(Self) }
        })
    }
}

/// Reads a body of this media type to its end.
pub(super) fn whole_body(
    request: &HttpRequest,
    payload: &mut Payload,
    kind: &'static str,
) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, Problem>> + use<> {
    let (headers, payload, deadline) = (request.headers().clone(), payload.take(), Deadline::of(request));
    async move {
        let body = tokio::time::timeout(READ_TIMEOUT, body_of(&headers, payload, kind));
        Deadline::reading(deadline, body).await.map_err(|_| malformed())?
    }
}

/// Reads a body as the extractors do.
///
/// # Errors
/// 400 or 422, see the head of this module.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() {
        return Err(malformed().reason("no_body"));
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    tree::parse(text).and_then(read).map_err(JsonFault::into_problem)
}

fn malformed() -> Problem {
    Problem::new(ErrorCode::MalformedRequest).fault("", FieldCode::Malformed)
}

async fn body_of(headers: &HeaderMap, mut payload: Payload, kind: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return Err(Problem::new(ErrorCode::BodyTooLarge));
    }
    if headers.contains_key(CONTENT_TYPE) && !is_kind(headers, kind) || headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(ErrorCode::UnsupportedMediaType));
    }
    // The whole room at once: a buffer that grows would leave copies of a password behind.
    let mut body = Zeroizing::new(Vec::with_capacity(MAX_BODY_BYTES));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| malformed())?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Problem::new(ErrorCode::BodyTooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    if !body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        return Err(Problem::new(ErrorCode::UnsupportedMediaType));
    }
    Ok(body)
}

/// One media type, once, in UTF-8 if anything is said about it.
pub(super) fn is_kind(headers: &HeaderMap, kind: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|given| given.eq_ignore_ascii_case(kind))
        && parts.all(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// What is read is what JSON says it is, without the nulls of a credential; what is no JSON is not read.
#[cfg(any(test, fuzzing))]
pub fn json_property(text: &str) {
    let mut judged: Option<serde_json::Value> = serde_json::from_str(text).ok();
    judged.as_mut().and_then(|body| body.get_mut("credential")).into_iter().for_each(drop_nulls);
    match tree::parse(text).and_then(read::<serde_json::Value>) {
        Ok(value) => assert_eq!(judged, Some(value), "{text}"),
        Err(fault) => {
            let pointer = fault.pointer();
            assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer}");
            fault.into_problem();
        }
    }
}

#[cfg(any(test, fuzzing))]
fn drop_nulls(value: &mut serde_json::Value) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
    value.as_array_mut().into_iter().flatten().for_each(drop_nulls);
}

#[cfg(test)]
mod tests;
