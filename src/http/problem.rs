//! What a caller is told when a request fails (RFC 9457).
//!
//! A [`Problem`] carries codes alone. The words, the language, the page for a browser and the request's id are
//! added by the outermost layer ([`crate::http::edge()`]), which also logs the cause, once; a cause never reaches
//! a caller.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::ResponseError;
use actix_web::http::StatusCode;

use crate::crypto::HashingError;
use crate::http::error_code::ErrorCode;
use crate::http::error_code::FieldCode;
use crate::http::error_code::HINTS;
use crate::internal::Internal;
use crate::internal::InternalKind;
use crate::limits::Limited;
use crate::limits::MessageRefused;
use crate::limits::Policy;

/// How long to wait when a store does not answer.
const DEPENDENCY_RETRY_SECS: u64 = 5;

/// A refusal, ready to be rendered.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

/// The parts of a [`Problem`].
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) code: ErrorCode,
    pub(super) faults: Vec<Fault>,
    pub(super) hints: Vec<&'static str>,
    pub(super) retry_after: Option<u64>,
    pub(super) attempts_left: Option<u32>,
    pub(super) reason: Option<&'static str>,
    pub(super) limited: Option<Limited>,
    pub(super) allow: Option<String>,
    pub(super) cause: Option<Internal>,
}

/// Where in the request a fault lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a query parameter.
    Parameter(String),
}

/// What is wrong with one part of the request.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) code: FieldCode,
    pub(super) did_you_mean: Option<String>,
}

impl Problem {
    /// A problem with nothing but its code.
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(Parts {
            code,
            faults: Vec::new(),
            hints: Vec::new(),
            retry_after: None,
            attempts_left: None,
            reason: None,
            limited: None,
            allow: None,
            cause: None,
        }))
    }

    /// `invalid_fields` because of one member: `Problem::field("/password", FieldCode::PasswordTooShort)`.
    pub fn field(pointer: impl Into<String>, code: FieldCode) -> Self {
        Self::new(ErrorCode::InvalidFields).fault(pointer, code)
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Points at a member of the body (JSON pointer).
    pub fn fault(self, pointer: impl Into<String>, code: FieldCode) -> Self {
        self.fault_at(Place::Pointer(pointer.into()), code)
    }

    /// Points at a query parameter.
    pub fn parameter_fault(self, name: impl Into<String>, code: FieldCode) -> Self {
        self.fault_at(Place::Parameter(name.into()), code)
    }

    pub(super) fn fault_at(mut self, place: Place, code: FieldCode) -> Self {
        self.0.faults.push(Fault { place, code, did_you_mean: None });
        self
    }

    /// What the last fault's value was probably meant to be.
    pub fn did_you_mean(mut self, value: impl Into<String>) -> Self {
        if let Some(fault) = self.0.faults.last_mut() {
            fault.did_you_mean = Some(value.into());
        }
        self
    }

    /// Adds a hint by its code, one of [`HINTS`]. It must depend on the request alone.
    pub fn hint(mut self, code: &'static str) -> Self {
        debug_assert!(HINTS.contains(&code), "{code}");
        self.0.hints.push(code);
        self
    }

    /// When trying again can succeed, in seconds; also the `Retry-After` header.
    pub fn retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after = Some(secs.max(1));
        self
    }

    /// How many wrong codes are still allowed.
    pub fn attempts_left(mut self, left: u32) -> Self {
        self.0.attempts_left = Some(left);
        self
    }

    /// The finer reason, such as `idle` or `absolute`. A text `problem-<code>.detail-<reason>` stands in the place of the
    /// code's own `.detail`.
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Names the limit that was reached (`RateLimit-Policy`, `RateLimit`, `Retry-After`).
    pub fn limited(mut self, limited: Limited) -> Self {
        self.0.limited = Some(limited);
        self.retry_after(limited.retry_after_secs)
    }

    /// The methods that the path does know (`Allow`).
    pub(super) fn allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// What to log; the caller is not told.
    pub fn cause(mut self, cause: Internal) -> Self {
        self.0.cause = Some(cause);
        self
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }
}

impl From<Internal> for Problem {
    fn from(internal: Internal) -> Self {
        match internal.kind() {
            InternalKind::Dependency => Self::new(ErrorCode::DependencyUnavailable).retry_after(DEPENDENCY_RETRY_SECS),
            InternalKind::Bug => Self::new(ErrorCode::InternalError),
        }
        .cause(internal)
    }
}

impl From<HashingError> for Problem {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Overloaded { retry_after_secs } => {
                Self::new(ErrorCode::Overloaded).retry_after(retry_after_secs)
            }
            HashingError::Internal(internal) => internal.into(),
        }
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        let code = match limited.policy {
            Policy::Message | Policy::MessageShare | Policy::PhoneMessage => ErrorCode::MessageLimitReached,
            _ => ErrorCode::RateLimited,
        };
        Self::new(code).limited(limited)
    }
}

impl From<MessageRefused> for Problem {
    fn from(refused: MessageRefused) -> Self {
        match refused {
            MessageRefused::Limited(limited) => limited.into(),
            MessageRefused::Spent { retry_after_secs } => {
                Self::new(ErrorCode::MessageLimitReached).retry_after(retry_after_secs)
            }
            MessageRefused::Internal(error) => error.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.code())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    /// An empty answer of the right status: `edge` fills it in.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
