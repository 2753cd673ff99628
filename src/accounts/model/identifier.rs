//! What a person signs in with: how it is read, and who is who.

use rlibphonenumber::Region;
use serde::Deserialize;
use serde::Serialize;
use strum::EnumString;
use strum::IntoStaticStr;

use super::phone::looks_like_phone;
use super::phone::parse_phone;
use crate::text::fold_width;

/// The longest address that mail can carry (RFC 5321 §4.5.3.1.3, without the angle brackets).
const ADDRESS_MAX: usize = 254;
const LOCAL_PART_MAX: usize = 64;

/// What kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A mobile number.
    Phone,
}

impl IdentifierKind {
    /// Its name in the database and the API.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// An e-mail address or phone number that a person typed and that was understood.
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: IdentifierKind,
    value: String,
    lookup_key: String,
}

/// Why an identifier was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not an e-mail address that mail can be sent to.
    #[error("not an e-mail address")]
    InvalidEmail,
    /// No phone number has these digits.
    #[error("not a phone number")]
    InvalidPhone,
    /// A phone number of which nobody said the country.
    #[error("the country code of the phone number is missing")]
    CountryCodeRequired,
    /// A phone number that no message can reach.
    #[error("no message reaches this kind of phone number")]
    PhoneNotSupported,
}

impl Identifier {
    /// Reads what a person typed: full-width forms are folded, spaces around are dropped. A phone number may leave its
    /// country code out when the country is given.
    ///
    /// # Errors
    /// Says which kind it was taken for.
    pub fn parse(typed: &str, country: Option<Region>) -> Result<Self, IdentifierError> {
        // Folding never lengthens a text; what is far too long is not even folded.
        if typed.len() > 4 * ADDRESS_MAX {
            return Err(IdentifierError::InvalidEmail);
        }
        let folded = fold_width(typed);
        let text = folded.trim();
        if looks_like_phone(text) {
            let number = parse_phone(text, country)?;
            return Ok(Self { kind: IdentifierKind::Phone, lookup_key: number.clone(), value: number });
        }
        parse_email(text).ok_or(IdentifierError::InvalidEmail)
    }

    /// What kind it is.
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The form that messages are sent to.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The canonical form that decides who is who.
    pub fn lookup_key(&self) -> &str {
        &self.lookup_key
    }

    /// Enough for its owner to recognise it.
    pub fn hint(&self) -> String {
        identifier_hint(&self.value)
    }
}

/// Hides most of an address or number: `taro@example.jp` → `t•••@example.jp`, `+819012345678` → `•••5678`.
pub fn identifier_hint(value: &str) -> String {
    match value.rsplit_once('@') {
        Some((local, domain)) => format!("{}•••@{domain}", local.chars().take(1).collect::<String>()),
        None => format!("•••{}", value.get(value.len().saturating_sub(4)..).unwrap_or_default()),
    }
}

/// What limits count by: variants that reach one mailbox (+tags; dots where the provider ignores them) share a key.
/// Never used to tell who is who.
pub fn limit_key(lookup_key: &str) -> String {
    let Some((local, domain)) = lookup_key.rsplit_once('@') else { return lookup_key.to_owned() };
    let local = local.split('+').next().unwrap_or(local);
    match domain {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
        _ => format!("{local}@{domain}"),
    }
}

/// Addresses that real mailboxes have: dots anywhere but in front (Japanese carriers gave out `a..b@` and `ab.@`),
/// no quoted local parts, no address literals. A domain in another script becomes its ASCII form (IDNA).
fn parse_email(text: &str) -> Option<Identifier> {
    let (local, domain) = text.split_once('@')?;
    let atom = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    if local.is_empty() || local.len() > LOCAL_PART_MAX || local.starts_with('.') || !local.chars().all(atom) {
        return None;
    }
    let domain = parse_domain(domain)?;
    let value = format!("{local}@{domain}");
    if value.len() > ADDRESS_MAX {
        return None;
    }
    Some(Identifier { kind: IdentifierKind::Email, lookup_key: value.to_ascii_lowercase(), value })
}

fn parse_domain(text: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(text).ok()?;
    let labels: Vec<&str> = domain.split('.').collect();
    let label_fits = |label: &&str| !label.is_empty() && label.len() <= 63;
    let top = labels.last()?;
    let fits = labels.len() >= 2 && labels.iter().all(label_fits) && !top.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(domain)
}

/// What is understood has one canonical form that mail can carry, and reads as itself.
#[cfg(any(test, fuzzing))]
pub fn identifier_property(typed: &str) {
    let Ok(identifier) = Identifier::parse(typed, Some(Region::JP)) else { return };
    let (value, key) = (identifier.value(), identifier.lookup_key());
    assert!(value.len() <= ADDRESS_MAX && value.is_ascii() && !value.contains(|c: char| c <= ' ' || c == '\x7f'));
    match identifier.kind() {
        IdentifierKind::Email => assert_eq!(value.matches('@').count(), 1, "{value}"),
        IdentifierKind::Phone => assert!(value.starts_with('+') && value[1..].bytes().all(|b| b.is_ascii_digit())),
    }
    for again in [value, key, &format!(" {key}\u{3000}"), &value.to_ascii_uppercase()] {
        assert_eq!(Identifier::parse(again, None).ok().as_ref().map(Identifier::lookup_key), Some(key), "{again}");
    }
    assert_eq!(limit_key(&limit_key(key)), limit_key(key));
    assert!(identifier.hint().contains("•••"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(typed: &str) -> Option<String> {
        Identifier::parse(typed, None).ok().map(|identifier| identifier.lookup_key().to_owned())
    }

    #[test]
    fn one_mailbox_has_one_key() {
        for typed in ["Taro@Example.JP", " taro@example.jp ", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@EXAMPLE.jp"]
        {
            assert_eq!(key(typed).as_deref(), Some("taro@example.jp"), "{typed}");
        }
        assert_eq!(key("taro@例え.jp").as_deref(), Some("taro@xn--r8jz45g.jp"));
        assert_ne!(key("taro+news@example.jp"), key("taro@example.jp"));
    }

    #[test]
    fn carrier_addresses_are_accepted() {
        assert!(key("a..b@docomo.ne.jp").is_some());
        assert!(key("ab.@ezweb.ne.jp").is_some());
    }

    /// security.md 2.
    #[test]
    fn what_mail_cannot_reach_is_refused() {
        let long = format!("{}@example.jp", "a".repeat(65));
        let longer = format!("a@{}.jp", "b.".repeat(130));
        for typed in [
            "",
            "@",
            "a@",
            "@b.jp",
            "a@b",
            "a@@b.jp",
            "a@b@c.jp",
            "a b@c.jp",
            "a@b .jp",
            "a@b.jp.",
            "a@.jp",
            "a@b..jp",
            ".a@b.jp",
            "a@1.2.3.4",
            "a@[127.0.0.1]",
            "\"a\"@b.jp",
            "a\r\nBcc: x@b.jp",
            "mıke@b.jp",
            "\u{212A}en@b.jp",
            "ſam@b.jp",
            "太郎@b.jp",
            "a@-b.jp",
            "a@b_c.jp",
            "a\0@b.jp",
            &long,
            &longer,
        ] {
            assert_eq!(Identifier::parse(typed, None).err(), Some(IdentifierError::InvalidEmail), "{typed}");
        }
    }

    #[test]
    fn variants_of_one_mailbox_share_a_limit() {
        assert_eq!(limit_key("taro+a@example.jp"), limit_key("taro+b@example.jp"));
        assert_eq!(limit_key("t.a.r.o+x@gmail.com"), limit_key("taro@googlemail.com"));
        assert_ne!(limit_key("t.aro@example.jp"), limit_key("taro@example.jp"));
    }

    #[test]
    fn a_hint_shows_little() {
        for (typed, hint) in [("taro@example.jp", "t•••@example.jp"), ("+81 90 1234 5678", "•••5678")] {
            assert_eq!(Identifier::parse(typed, None).ok().unwrap().hint(), hint);
        }
    }
}
