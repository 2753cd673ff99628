//! Members of bodies that several features read alike.

use rlibphonenumber::Region;

use super::model::Identifier;
use super::model::IdentifierError;
use super::model::IdentifierKind;
use super::model::phone_country;
use super::model::probably_meant;
use crate::app::App;
use crate::config;
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
pub struct Faults(Vec<(&'static str, FieldCode, Option<String>)>);

impl Faults {
    /// Notes what is wrong with a member and goes on.
    pub fn note<T>(&mut self, pointer: &'static str, read: Result<T, FieldCode>) -> Option<T> {
        read.map_err(|code| self.0.push((pointer, code, None))).ok()
    }

    /// Notes several things that are wrong with one member.
    pub fn note_all<T>(&mut self, pointer: &'static str, read: Result<T, Vec<FieldCode>>) -> Option<T> {
        read.map_err(|codes| self.0.extend(codes.into_iter().map(|code| (pointer, code, None)))).ok()
    }

    /// Notes what is wrong with an identifier, and of an address what was probably meant.
    fn note_identifier(
        &mut self,
        (pointer, typed): (&'static str, &str),
        read: Result<Identifier, FieldCode>,
    ) -> Option<Identifier> {
        let noted = self.note(pointer, read);
        if let Some((_, FieldCode::InvalidEmail, meant)) = self.0.last_mut().filter(|_| noted.is_none()) {
            *meant = probably_meant(typed);
        }
        noted
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problem that tells all faults: 422 `invalid_fields`.
    pub fn into_problem(self) -> Problem {
        let blank = Problem::new(ErrorCode::InvalidFields);
        self.0.into_iter().fold(blank, |problem, (pointer, code, meant)| {
            let problem = problem.fault(pointer, code);
            if let Some(meant) = meant { problem.did_you_mean(meant) } else { problem }
        })
    }
}

/// An identifier as typed, with the country of a phone number in its national form.
pub fn read_identifier(faults: &mut Faults, typed: &str, country: Option<&str>) -> Option<Identifier> {
    let country = faults.note("/country", country.map(read_country).transpose())?;
    let read = Identifier::parse(typed, country).map_err(field_code);
    faults.note_identifier(("/identifier", typed), read)
}

/// Where a message shall go: an identifier, anybody's, that this service sends to; the pointer says which member it is.
pub fn read_destination(
    app: &App,
    faults: &mut Faults,
    (pointer, typed): (&'static str, &str),
    country: Option<&str>,
) -> Option<Identifier> {
    let country = faults.note("/country", country.map(read_country).transpose())?;
    let read = Identifier::parse(typed, country).map_err(field_code);
    faults.note_identifier((pointer, typed), read.and_then(|identifier| served(app, identifier)))
}

/// The same, where it is all that is read.
///
/// # Errors
/// The problem that tells its faults.
pub fn destination(app: &App, typed: (&'static str, &str), country: Option<&str>) -> Result<Identifier, Problem> {
    let mut faults = Faults::default();
    read_destination(app, &mut faults, typed, country).ok_or_else(|| faults.into_problem())
}

/// The number of a phone that is to be a factor, with its country when it is in its national form; in E.164.
pub fn read_phone(app: &App, faults: &mut Faults, (typed, country): (Option<&str>, Option<&str>)) -> Option<String> {
    let country = faults.note("/country", country.map(read_country).transpose())?;
    let number = typed.ok_or(FieldCode::Required).and_then(|typed| {
        let identifier = Identifier::parse(typed, country).map_err(field_code)?;
        match identifier.kind() {
            IdentifierKind::Phone => served(app, identifier),
            IdentifierKind::Email => Err(FieldCode::InvalidPhone),
        }
    });
    let number = number.map_err(|code| if code == FieldCode::InvalidEmail { FieldCode::InvalidPhone } else { code });
    faults.note("/phone", number).map(|number| number.value().to_owned())
}

/// How a member is told that it is no identifier.
pub fn field_code(error: IdentifierError) -> FieldCode {
    match error {
        IdentifierError::InvalidEmail => FieldCode::InvalidEmail,
        IdentifierError::InvalidPhone => FieldCode::InvalidPhone,
        IdentifierError::CountryCodeRequired => FieldCode::CountryCodeRequired,
        IdentifierError::PhoneNotSupported => FieldCode::PhoneNotSupported,
    }
}

/// Refuses a phone number that this service sends nothing to.
///
/// # Errors
/// `phone_not_supported`.
pub fn served(app: &App, identifier: Identifier) -> Result<Identifier, FieldCode> {
    let served = match identifier.kind() {
        IdentifierKind::Email => true,
        IdentifierKind::Phone => {
            app.channels.serve_phones()
                && phone_country(identifier.value()).is_some_and(|country| app.config.phone.serves(country))
        }
    };
    if served { Ok(identifier) } else { Err(FieldCode::PhoneNotSupported) }
}

/// A country by its two letters (ISO 3166-1).
///
/// # Errors
/// `unknown_value`.
pub fn read_country(typed: &str) -> Result<Region, FieldCode> {
    config::country(typed).ok_or(FieldCode::UnknownValue)
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
