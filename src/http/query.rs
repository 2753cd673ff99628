//! Strict query parameters.
//!
//! Unknown parameters are `unsupported_field`; a parameter given twice, a broken escape or bytes that are not
//! UTF-8 are `malformed_request`; a value that does not fit is `invalid_fields`. Faults name the `parameter`.

use std::collections::HashSet;
use std::future::Ready;
use std::future::ready;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::DeserializeOwned;

use crate::http::error_code::ErrorCode;
use crate::http::error_code::FieldCode;
use crate::http::json::JsonFault;
use crate::http::json::Node;
use crate::http::json::Segment;
use crate::http::json::read;
use crate::http::problem::Problem;

/// The query parameters of a request.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

/// Reads a query as the extractor does.
///
/// # Errors
/// 400 or 422, see the head of this module.
pub(super) fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let members = pairs(query).map_err(|fault| into_problem(&fault))?;
    let members = members.into_iter().map(|(name, value)| (name, Node::Parameter(value))).collect();
    read(Node::Members(members)).map_err(|fault| into_problem(&fault))
}

/// The fields of a form (`application/x-www-form-urlencoded`).
///
/// # Errors
/// 400 `malformed_request`.
pub(super) fn form(body: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let malformed = || Problem::new(ErrorCode::MalformedRequest);
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    pairs(text).map_err(|_| malformed())
}

/// Refuses parameters that are not among `known`.
pub(super) fn check_names(query: &str, known: &[String]) -> Result<(), Problem> {
    let pairs = pairs(query).map_err(|fault| into_problem(&fault))?;
    match pairs.into_iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(into_problem(&JsonFault::new(FieldCode::Unsupported).at(Segment::Member(name)))),
        None => Ok(()),
    }
}

fn into_problem(fault: &JsonFault) -> Problem {
    Problem::new(fault.error_code()).parameter_fault(fault.parameter(), fault.code)
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, JsonFault> {
    let mut pairs = Vec::new();
    let mut names = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| JsonFault::new(FieldCode::Malformed))?;
        let at_name = |code| JsonFault::new(code).at(Segment::Member(name.clone()));
        let value = decode(value).ok_or_else(|| at_name(FieldCode::Malformed))?;
        if !names.insert(name.clone()) {
            return Err(at_name(FieldCode::Duplicate));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// `application/x-www-form-urlencoded`, without its leniency.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.contains('\0'))
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// A query that is read names every parameter once, and holds no NUL.
#[cfg(any(test, fuzzing))]
pub fn query_property(query: &str) {
    let Ok(pairs) = pairs(query) else {
        assert!(check_names(query, &[]).is_err());
        return;
    };
    let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    assert!(pairs.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')));
    assert!(check_names(query, &names).is_ok());
    assert_eq!(check_names(query, &[]).is_err(), !names.is_empty());
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::http::problem::Place;

    #[derive(Debug, Deserialize)]
    struct Parameters {
        to: Option<String>,
        limit: Option<u8>,
        all: Option<bool>,
    }

    #[test]
    fn a_query_that_fits_is_read() {
        let query: Parameters = parse("to=t%2Bx%40example.jp&limit=5&&all=true").unwrap();
        assert_eq!((query.to.as_deref(), query.limit, query.all), (Some("t+x@example.jp"), Some(5), Some(true)));
        assert_eq!(parse::<Parameters>("to=a+b").unwrap().to.as_deref(), Some("a b"));
    }

    #[test]
    fn a_query_that_does_not_fit_names_the_parameter() {
        for (query, code, field, name) in [
            ("x=1", ErrorCode::UnsupportedField, FieldCode::Unsupported, "x"),
            ("to=1&to=2", ErrorCode::MalformedRequest, FieldCode::Duplicate, "to"),
            ("to=%zz", ErrorCode::MalformedRequest, FieldCode::Malformed, "to"),
            ("to=%", ErrorCode::MalformedRequest, FieldCode::Malformed, "to"),
            ("to=%ff", ErrorCode::MalformedRequest, FieldCode::Malformed, "to"),
            ("to=%00", ErrorCode::MalformedRequest, FieldCode::Malformed, "to"),
            ("to=%1b", ErrorCode::InvalidFields, FieldCode::InvalidCharacters, "to"),
            ("limit=", ErrorCode::InvalidFields, FieldCode::InvalidFormat, "limit"),
            ("limit=a", ErrorCode::InvalidFields, FieldCode::InvalidFormat, "limit"),
            ("limit=256", ErrorCode::InvalidFields, FieldCode::OutOfRange, "limit"),
            ("limit=-1", ErrorCode::InvalidFields, FieldCode::OutOfRange, "limit"),
            ("limit=99999999999999999999999", ErrorCode::InvalidFields, FieldCode::OutOfRange, "limit"),
            ("all=1", ErrorCode::InvalidFields, FieldCode::InvalidFormat, "all"),
        ] {
            let problem = parse::<Parameters>(query).expect_err(query);
            let fault = &problem.parts().faults[0];
            assert_eq!(problem.code(), code, "{query}");
            assert_eq!((fault.code, &fault.place), (field, &Place::Parameter(name.to_owned())), "{query}");
        }
        assert!(check_names("to=1", &["to".to_owned()]).is_ok());
        assert!(check_names("to=1", &[]).is_err());
    }
}
