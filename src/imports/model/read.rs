//! How a line is read.

use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use data_encoding::BASE32_NOPAD;
use serde::Deserialize;
use serde_path_to_error::Segment;
use zeroize::Zeroizing;

use super::record::Record;
use super::record::RecordApp;
use super::record::RecordIdentifier;
use crate::accounts;
use crate::accounts::Identifier;
use crate::accounts::IdentifierKind;
use crate::accounts::ImportedAccount;
use crate::accounts::ImportedIdentifier;
use crate::accounts::LegacyLogin;
use crate::crypto::ImportedHash;
use crate::crypto::WeakHash;
use crate::factors::ImportedFactor;
use crate::factors::ImportedProof;
use crate::factors::MIN_SECRET_BYTES;
use crate::http::FieldCode;
use crate::ids::AccountId;
use crate::text::Language;
use crate::text::is_unseen;

/// The most of anything that an account has several of.
const MAX_ITEMS: usize = 10;
const EXTERNAL_ID_MAX: usize = 200;
const ROLE_MAX: usize = 64;

/// A line that may become an account.
pub(crate) struct Candidate {
    pub line: u64,
    pub account: ImportedAccount,
    /// A hash that must be wrapped before it is stored.
    pub weak: Option<WeakHash>,
    pub factors: Vec<ImportedFactor>,
}

/// Why a line is refused, and whom it is about if that could be read.
pub(crate) struct Refused {
    pub external_id: Option<String>,
    pub reason: String,
}

/// The one member that tells whom a line is about.
#[derive(Deserialize)]
struct Named {
    external_id: String,
}

/// Reads a line; the account's id is made for it.
pub(crate) fn read((line, text): (u64, &[u8]), id: AccountId, now: DateTime<Utc>) -> Result<Candidate, Refused> {
    let record: Record = serde_json::from_slice(text)
        .map_err(|error| Refused { external_id: named(text), reason: told(&error, text) })?;
    let external_id = single_line(&record.external_id, EXTERNAL_ID_MAX)
        .map_err(|reason| Refused { external_id: None, reason: format!("/external_id: {reason}") })?;
    let told = external_id.clone();
    understood(record, (line, external_id), id, now).map_err(|reason| Refused { external_id: Some(told), reason })
}

/// Whom a line is about whose form is wrong elsewhere.
fn named(text: &[u8]) -> Option<String> {
    let named: Named = serde_json::from_slice(text).ok()?;
    single_line(&named.external_id, EXTERNAL_ID_MAX).ok()
}

/// What is wrong with the form and where, without anything that stands in the line except the names of members.
fn told(error: &serde_json::Error, line: &[u8]) -> String {
    let text = error.to_string();
    let mut place = place(line);
    let unknown = text.starts_with("unknown field");
    if unknown {
        // The member itself: it is named.
        place.pop();
    }
    let place = place.concat();
    if unknown || ["missing field", "duplicate field"].iter().any(|told| text.starts_with(told)) {
        let first = text.split([',', ' ']).take(3).collect::<Vec<_>>().join(" ");
        if first.len() < 100 && !first.chars().any(is_unseen) {
            return if place.is_empty() { first } else { format!("{place}: {first}") };
        }
    } else if error.is_data() && !place.is_empty() {
        // What was expected comes last, behind what stands in the line.
        let expected = text.rsplit_once(", expected ").and_then(|(_, rest)| rest.rsplit_once(" at line "));
        return match expected {
            Some((expected, _)) => format!("{place}: {expected} is expected"),
            None => format!("{place}: a time is written like 2019-04-01T09:00:00+09:00"),
        };
    }
    format!("not the expected JSON (column {})", error.column())
}

/// The steps to the member at which reading a line ends.
fn place(line: &[u8]) -> Vec<String> {
    let read: Result<Record, _> = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(line));
    let Err(error) = read else { return Vec::new() };
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{key}")),
        // A variant would be a value of the line.
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    error.path().iter().filter_map(step).collect()
}

fn understood(
    record: Record,
    (line, external_id): (u64, String),
    id: AccountId,
    now: DateTime<Utc>,
) -> Result<Candidate, String> {
    let identifiers = read_identifiers(&record.identifiers, now)?;
    let factors = read_factors(&record, id, now)?;
    if !factors.is_empty() && identifiers.iter().any(|own| own.verified_at.is_none()) {
        return Err("/identifiers: a factor needs them all verified".to_owned());
    }
    if record.password_hash.is_none() && identifiers.iter().all(|own| own.verified_at.is_none()) {
        return Err("/password_hash: needed where no identifier is verified".to_owned());
    }
    let hash = record.password_hash.as_ref().map(|hash| ImportedHash::read(&hash.0)).transpose();
    let (hash, weak) = match hash.map_err(|reason| format!("/password_hash: {reason}"))? {
        None => (None, None),
        Some(ImportedHash::Kept(text)) => (Some(text), None),
        Some(ImportedHash::Weak(weak)) => (None, Some(weak)),
    };
    let legacy_login = record.legacy_login.as_deref().map(|login| LegacyLogin::parse(login).ok_or("invalid"));
    let display_name = record.display_name.as_deref().filter(|name| !name.trim().is_empty());
    let display_name = display_name.map(|name| seen(name, accounts::read_display_name)).transpose();
    let locale = record.locale.as_deref().map_or(Ok(Language::DEFAULT.tag()), accounts::read_locale);
    let time_zone = record.time_zone.unwrap_or_else(|| Tz::Asia__Tokyo.name().to_owned());
    let created_at = record.created_at.unwrap_or(now);
    if time_zone.parse::<Tz>().is_err() {
        return Err("/time_zone: unknown_value".to_owned());
    }
    if created_at > now {
        return Err("/created_at: in the future".to_owned());
    }
    let account = ImportedAccount {
        id,
        external_id,
        hash,
        must_change_password: record.must_change_password,
        identifiers,
        legacy_login: legacy_login.transpose().map_err(|reason| format!("/legacy_login: {reason}"))?,
        display_name: display_name.map_err(|reason| format!("/display_name: {reason}"))?,
        locale: locale.map_err(|code| format!("/locale: {}", code.code()))?,
        time_zone,
        roles: read_roles(record.roles)?,
        created_at,
    };
    Ok(Candidate { line, account, weak, factors })
}

fn read_identifiers(records: &[RecordIdentifier], now: DateTime<Utc>) -> Result<Vec<ImportedIdentifier>, String> {
    if !(1..=MAX_ITEMS).contains(&records.len()) {
        return Err(format!("/identifiers: 1 to {MAX_ITEMS} are needed"));
    }
    let primary = match records.iter().filter(|record| record.primary == Some(true)).count() {
        0 => 0,
        1 => records.iter().position(|record| record.primary == Some(true)).unwrap_or(0),
        _ => return Err("/identifiers: one can be primary".to_owned()),
    };
    let mut identifiers: Vec<ImportedIdentifier> = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        let refused = |reason: &str| format!("/identifiers/{at}: {reason}");
        let identifier =
            identifier(record.kind, &record.value, record.country.as_deref()).map_err(|why| refused(&why))?;
        if record.verified_at.is_some_and(|at| at > now) {
            return Err(refused("verified in the future"));
        }
        if identifiers.iter().any(|other| other.identifier.lookup_key() == identifier.lookup_key()) {
            return Err(refused("twice"));
        }
        identifiers.push(ImportedIdentifier { identifier, verified_at: record.verified_at, primary: at == primary });
    }
    Ok(identifiers)
}

fn identifier(kind: IdentifierKind, value: &str, country: Option<&str>) -> Result<Identifier, String> {
    let country = country.map(accounts::read_country).transpose().map_err(|code| code.code().to_owned())?;
    let identifier =
        Identifier::parse(value, country).map_err(|error| accounts::field_code(error).code().to_owned())?;
    if identifier.kind() == kind { Ok(identifier) } else { Err("not of its kind".to_owned()) }
}

fn read_factors(record: &Record, account: AccountId, now: DateTime<Utc>) -> Result<Vec<ImportedFactor>, String> {
    if record.totp.len() > MAX_ITEMS || record.phones.len() > MAX_ITEMS {
        return Err(format!("at most {MAX_ITEMS} of /totp and of /phones"));
    }
    let mut factors = Vec::with_capacity(record.totp.len() + record.phones.len());
    for (at, app) in record.totp.iter().enumerate() {
        let refused = |reason: &str| format!("/totp/{at}: {reason}");
        let secret = read_secret(app).map_err(refused)?;
        let label = label(app.label.as_deref(), "Authenticator app").map_err(|why| refused(&why))?;
        factors.push(ImportedFactor { account, label, confirmed_at: now, proof: ImportedProof::Totp(secret) });
    }
    let mut numbers = Vec::new();
    for (at, phone) in record.phones.iter().enumerate() {
        let refused = |reason: &str| format!("/phones/{at}: {reason}");
        let number = identifier(IdentifierKind::Phone, &phone.number, phone.country.as_deref());
        let number = number.map_err(|why| refused(&why))?.value().to_owned();
        if phone.verified_at > now {
            return Err(refused("verified in the future"));
        }
        if numbers.contains(&number) {
            return Err(refused("twice"));
        }
        numbers.push(number.clone());
        let label = label(phone.label.as_deref(), "Phone").map_err(|why| refused(&why))?;
        let (confirmed_at, proof) = (phone.verified_at, ImportedProof::Phone(number));
        factors.push(ImportedFactor { account, label, confirmed_at, proof });
    }
    Ok(factors)
}

fn read_secret(app: &RecordApp) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let algorithm = app.algorithm.as_deref().unwrap_or("SHA1").replace('-', "");
    if !algorithm.eq_ignore_ascii_case("SHA1") || app.digits.unwrap_or(6) != 6 || app.period.unwrap_or(30) != 30 {
        return Err("only SHA1, 6 digits and 30 seconds are supported");
    }
    let written = Zeroizing::new(app.secret.0.trim_end_matches('=').replace([' ', '-'], "").to_ascii_uppercase());
    let secret = BASE32_NOPAD.decode(written.as_bytes()).map(Zeroizing::new).map_err(|_| "the secret is not base32")?;
    if (MIN_SECRET_BYTES..=128).contains(&secret.len()) {
        Ok(secret)
    } else {
        Err("the secret is too short or too long")
    }
}

fn label(given: Option<&str>, otherwise: &str) -> Result<String, String> {
    seen(given.unwrap_or(otherwise), accounts::read_label).map_err(str::to_owned)
}

fn read_roles(roles: Vec<String>) -> Result<Vec<String>, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-:.".contains(c);
    let fits = |role: &String| (1..=ROLE_MAX).contains(&role.len()) && role.chars().all(allowed);
    if roles.len() <= MAX_ITEMS && roles.iter().all(fits) { Ok(roles) } else { Err("/roles: invalid".to_owned()) }
}

/// A text that people see, of characters that they see.
fn seen(text: &str, read: fn(&str) -> Result<String, FieldCode>) -> Result<String, &'static str> {
    let line = read(text).map_err(FieldCode::code)?;
    if line.chars().any(is_unseen) { Err("has characters that are not seen") } else { Ok(line) }
}

fn single_line(text: &str, max: usize) -> Result<String, &'static str> {
    let fits = (1..=max).contains(&text.chars().count()) && !text.chars().any(is_unseen);
    if fits { Ok(text.to_owned()) } else { Err("empty, too long, or with characters that are not seen") }
}

/// What a line makes is whole, and an export of it makes the same; what it refuses is told in a few words.
#[cfg(any(test, fuzzing))]
pub fn import_line_property(text: &str) {
    let read = |text: &[u8]| read((1, text), uuid::Uuid::nil().into(), DateTime::<Utc>::MAX_UTC);
    let keys = |account: &ImportedAccount| {
        let identifiers = account.identifiers.iter().map(|own| own.identifier.lookup_key().to_owned());
        (account.external_id.clone(), identifiers.collect::<Vec<_>>())
    };
    match read(text.as_bytes()) {
        // What is wrapped is known when the hash has been computed.
        Ok(Candidate { weak: Some(_), .. }) => {}
        Ok(Candidate { account, factors, .. }) => {
            assert_eq!(account.identifiers.iter().filter(|own| own.primary).count(), 1, "{text}");
            let before = (keys(&account), factors.len());
            let exported = serde_json::to_vec(&Record::of(account, &factors)).unwrap_or_default();
            let again = read(&exported).map(|again| (keys(&again.account), again.factors.len()));
            assert_eq!(again.map_err(|refused| refused.reason), Ok(before), "{text}");
        }
        Err(refused) => assert!(refused.reason.chars().count() < 200, "{text}"),
    }
}
