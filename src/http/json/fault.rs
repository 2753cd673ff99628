//! Why a body (or a query) is refused, and where.

use std::fmt;

use serde::de::Error;
use serde::de::Expected;
use serde::de::Unexpected;

use crate::http::error_code::ErrorCode;
use crate::http::error_code::FieldCode;
use crate::http::problem::Problem;

/// Names longer than this are cut in an answer: the caller chose them.
const MAX_NAME_CHARS: usize = 100;

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Member(String),
    Item(usize),
}

/// A fault, with the way to it from the inside out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonFault {
    pub(crate) code: FieldCode,
    path: Vec<Segment>,
}

impl JsonFault {
    pub(crate) fn new(code: FieldCode) -> Self {
        Self { code, path: Vec::new() }
    }

    /// The same, seen from one level further out.
    pub(crate) fn at(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }

    /// The pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        self.path.iter().rev().fold(String::new(), |pointer, segment| match segment {
            Segment::Item(index) => format!("{pointer}/{index}"),
            Segment::Member(name) => {
                let name: String = name.chars().take(MAX_NAME_CHARS).collect();
                format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        })
    }

    /// The name of the outermost member: for a query, its parameter.
    pub(crate) fn parameter(&self) -> String {
        match self.path.last() {
            Some(Segment::Member(name)) => name.chars().take(MAX_NAME_CHARS).collect(),
            _ => String::new(),
        }
    }

    /// The code of the answer as a whole.
    pub(crate) fn error_code(&self) -> ErrorCode {
        match self.code {
            FieldCode::Malformed
            | FieldCode::WrongType
            | FieldCode::NullNotAllowed
            | FieldCode::Duplicate
            | FieldCode::TooDeep => ErrorCode::MalformedRequest,
            FieldCode::Unsupported => ErrorCode::UnsupportedField,
            _ => ErrorCode::InvalidFields,
        }
    }

    pub(super) fn into_problem(self) -> Problem {
        Problem::new(self.error_code()).fault(self.pointer(), self.code)
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.code())
    }
}

impl std::error::Error for JsonFault {}

/// The hooks by which a type tells what it does not like; the messages are never read.
impl Error for JsonFault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(FieldCode::InvalidFormat)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(FieldCode::WrongType)
    }

    fn invalid_value(unexpected: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(match unexpected {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => FieldCode::OutOfRange,
            _ => FieldCode::InvalidFormat,
        })
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(FieldCode::UnknownValue)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(FieldCode::Unsupported).at(Segment::Member(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FieldCode::Required).at(Segment::Member(field.to_owned()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(FieldCode::Duplicate).at(Segment::Member(field.to_owned()))
    }
}
