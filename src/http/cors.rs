//! Which pages may read our answers.
//!
//! The listed origins may call with credentials; the published documents may be read by anyone; the
//! development pages by nobody. An unlisted origin (or `null`) gets an answer without any of these headers.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderValue;

use crate::http::context::HttpContext;
use crate::http::error_code::ErrorCode;
use crate::http::problem::Problem;
use crate::internal::Internal;

/// What everyone may read.
const PUBLIC: [&str; 4] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/webauthn",
];
const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Accept, Accept-Language, Authorization, Content-Type";
const EXPOSED: &str = "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, WWW-Authenticate, Content-Language, \
                       ETag, Deprecation, Sunset";
const MAX_AGE_SECS: &str = "7200";

/// What one request may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cors {
    Nobody,
    Anyone,
    Unlisted,
    Listed(HeaderValue),
}

impl Cors {
    pub(super) fn of(context: &HttpContext, path: &str, headers: &HeaderMap) -> Self {
        if path == "/dev" || path.starts_with("/dev/") {
            return Self::Nobody;
        }
        if PUBLIC.contains(&path) {
            return Self::Anyone;
        }
        match single_origin(headers) {
            Some(origin) if origin.to_str().is_ok_and(|origin| context.lists_origin(origin)) => {
                Self::Listed(origin.clone())
            }
            _ => Self::Unlisted,
        }
    }

    /// The answer to a preflight, if this is one that the path takes.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
        let asked = *method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asked || *self == Self::Nobody {
            return None;
        }
        let mut answer = HttpResponseBuilder::new(StatusCode::NO_CONTENT);
        if *self != Self::Unlisted {
            answer
                .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
                .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECS));
        }
        Some(answer.finish())
    }

    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Nobody => {}
            Self::Anyone => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            }
            Self::Unlisted => headers.append(header::VARY, HeaderValue::from_static("Origin")),
            Self::Listed(origin) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            }
        }
    }
}

fn single_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN);
    origins.next().filter(|_| origins.next().is_none())
}

/// Refuses a request with a cookie unless a listed page sent it: browsers add cookies to anyone's requests, but
/// they also name the page in `Origin`.
///
/// # Errors
/// 403 `origin_not_allowed`.
pub fn require_listed_origin(request: &HttpRequest) -> Result<(), Problem> {
    let context = HttpContext::of(request).ok_or_else(|| Internal::bug("no HttpContext in the application"))?;
    let origin = single_origin(request.headers()).and_then(|origin| origin.to_str().ok());
    if origin.is_some_and(|origin| context.lists_origin(origin)) {
        Ok(())
    } else {
        Err(Problem::new(ErrorCode::OriginNotAllowed))
    }
}
