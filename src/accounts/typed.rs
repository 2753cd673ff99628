//! Members of bodies that several features read alike.

use super::model::Identifier;
use super::model::IdentifierError;
use crate::app::App;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::text::Language;

/// Longest display name, in characters.
const DISPLAY_NAME_MAX: usize = 100;
/// Longest label of a session or a factor, in characters.
const LABEL_MAX: usize = 100;

/// The faults of a body, told together.
#[derive(Default)]
pub struct Faults(Vec<(&'static str, FieldCode)>);

impl Faults {
    /// Notes what is wrong with a member and goes on.
    pub fn note<T>(&mut self, pointer: &'static str, read: Result<T, FieldCode>) -> Option<T> {
        read.map_err(|code| self.0.push((pointer, code))).ok()
    }

    /// Notes several things that are wrong with one member.
    pub fn note_all<T>(&mut self, pointer: &'static str, read: Result<T, Vec<FieldCode>>) -> Option<T> {
        read.map_err(|codes| self.0.extend(codes.into_iter().map(|code| (pointer, code)))).ok()
    }

    /// The problem that tells all faults: 422 `invalid_fields`.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        let blank = Problem::new(ErrorCode::InvalidFields);
        self.0.into_iter().fold(blank, |problem, (pointer, code)| problem.fault(pointer, code))
    }
}

/// An identifier as typed.
///
/// # Errors
/// `invalid_email` or `phone_not_supported`.
pub fn read_identifier(typed: &str) -> Result<Identifier, FieldCode> {
    Identifier::parse(typed).map_err(|error| match error {
        IdentifierError::InvalidEmail => FieldCode::InvalidEmail,
        IdentifierError::PhoneNotSupported => FieldCode::PhoneNotSupported,
    })
}

/// The client of a flow: the configured one, named or not.
///
/// # Errors
/// `unknown_client`.
pub fn read_client<'a>(app: &'a App, named: Option<&str>) -> Result<&'a str, FieldCode> {
    let known = app.config.client.id.as_str();
    if named.is_none_or(|named| named == known) { Ok(known) } else { Err(FieldCode::UnknownClient) }
}

/// A language that the service speaks.
///
/// # Errors
/// `unsupported_locale`.
pub fn read_locale(tag: &str) -> Result<&'static str, FieldCode> {
    Language::parse(tag).filter(|language| language.tag() == tag).map(Language::tag).ok_or(FieldCode::UnsupportedLocale)
}

/// A display name.
///
/// # Errors
/// `too_long`, `required` when nothing but spaces is left.
pub fn read_display_name(typed: &str) -> Result<String, FieldCode> {
    read_line(typed, DISPLAY_NAME_MAX)
}

/// A label of a session or a factor.
///
/// # Errors
/// `too_long`, `required` when nothing but spaces is left.
pub fn read_label(typed: &str) -> Result<String, FieldCode> {
    read_line(typed, LABEL_MAX)
}

fn read_line(typed: &str, max: usize) -> Result<String, FieldCode> {
    let line = typed.trim();
    match line.chars().count() {
        0 => Err(FieldCode::Required),
        count if count > max => Err(FieldCode::TooLong),
        _ => Ok(line.to_owned()),
    }
}
