//! Phone numbers: how they are read, and which of them a message can reach.
//!
//! The canonical form is E.164. The country code is needed, unless the country is named beside the number. Forms that
//! people write are understood (full-width and Arabic digits, Japanese dashes, `+81 (0)90…`); extensions are not.

use rlibphonenumber::PhoneNumber;
use rlibphonenumber::PhoneNumberFormat;
use rlibphonenumber::PhoneNumberType;
use rlibphonenumber::Region;

use super::identifier::IdentifierError;

/// What may stand between the digits, after full-width forms were folded.
const BETWEEN: &str = "+-()[]./~ \u{a0}‐‑‒–—―−ー〜";

/// Whether a text is meant as a phone number: digits and what stands between them.
pub(super) fn looks_like_phone(text: &str) -> bool {
    text.chars().any(char::is_numeric) && text.chars().all(|c| c.is_numeric() || BETWEEN.contains(c))
}

/// The number in E.164; `text` is folded, trimmed, and looks like a phone number.
pub(super) fn parse_phone(text: &str, country: Option<Region>) -> Result<String, IdentifierError> {
    if country.is_none() && !text.starts_with('+') {
        return Err(IdentifierError::CountryCodeRequired);
    }
    let number = PhoneNumber::parse(text, country).map_err(|_| IdentifierError::InvalidPhone)?;
    if !number.extension().is_empty() || !number.is_valid() {
        return Err(IdentifierError::InvalidPhone);
    }
    match number.get_type() {
        PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile => {
            Ok(number.format_as(PhoneNumberFormat::E164).into_owned())
        }
        _ => Err(IdentifierError::PhoneNotSupported),
    }
}

/// The country of a number in E.164.
pub fn phone_country(number: &str) -> Option<Region> {
    PhoneNumber::parse(number, None).ok()?.get_region_code()
}

#[cfg(test)]
mod tests {
    use super::super::Identifier;
    use super::*;

    fn read(typed: &str, country: Option<&str>) -> Result<String, IdentifierError> {
        let country = country.map(|code| Region::from_code(code).unwrap());
        Identifier::parse(typed, country).map(|identifier| identifier.lookup_key().to_owned())
    }

    /// security.md 23: all forms of one number are one key.
    #[test]
    fn one_number_has_one_key() {
        for typed in [
            "+819012345678",
            "+81 90 1234 5678",
            "＋８１９０１２３４５６７８",
            "＋８１ ９０ー１２３４ー５６７８",
            "+81 (0)90-1234-5678",
            "+81‐90‐1234‐5678",
            "+81−90−1234−5678",
            " +81\u{3000}90\u{3000}1234\u{3000}5678 ",
            "+٨١٩٠١٢٣٤٥٦٧٨",
            "+۸۱۹۰۱۲۳۴۵۶۷۸",
        ] {
            assert_eq!(read(typed, None).as_deref(), Ok("+819012345678"), "{typed}");
        }
        for typed in ["090-1234-5678", "０９０ー１２３４ー５６７８", "(090) 1234 5678", "+819012345678", "9012345678"]
        {
            assert_eq!(read(typed, Some("JP")).as_deref(), Ok("+819012345678"), "{typed}");
        }
        assert_eq!(read("(415) 555-2671", Some("US")).as_deref(), Ok("+14155552671"));
        assert_eq!(read("+81 90 1234 5678", Some("US")).as_deref(), Ok("+819012345678"));
    }

    #[test]
    fn a_number_without_a_country_is_asked_for_it() {
        for typed in ["090-1234-5678", "819012345678", "٠٩٠١٢٣٤٥٦٧٨"] {
            assert_eq!(read(typed, None), Err(IdentifierError::CountryCodeRequired), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_number_is_refused() {
        let long = format!("+81{}", "9".repeat(400));
        for typed in ["+81", "+8190123", "+999123456789", "+81901234567890123", "+", "+-12", "+²³¹²³¹²³¹²", &long]
        {
            let refused = read(typed, None);
            assert!(
                matches!(refused, Err(IdentifierError::InvalidPhone | IdentifierError::InvalidEmail)),
                "{typed}: {refused:?}"
            );
        }
    }

    /// Neither extensions nor letters: a code would reach somebody else, or nobody.
    #[test]
    fn extensions_and_letters_are_refused() {
        for typed in [
            "+81 90 1234 5678 ext. 12",
            "+81 90 1234 5678;ext=12",
            "+81 90 1234 5678 x12",
            "+1 800 FLOWERS",
            "tel:+819012345678",
            "+81 90 1234 5678#12",
            "+81 90 1234 5678,12",
        ] {
            assert_eq!(read(typed, None), Err(IdentifierError::InvalidEmail), "{typed}");
        }
    }

    /// Only numbers that a message can reach.
    #[test]
    fn numbers_that_no_message_reaches_are_refused() {
        for typed in ["+81312345678", "+81120123456", "+815012345678", "+18005550123", "+81990123456"] {
            assert_eq!(read(typed, None), Err(IdentifierError::PhoneNotSupported), "{typed}");
        }
    }

    #[test]
    fn a_number_tells_its_country() {
        assert_eq!(phone_country("+819012345678"), Region::from_code("JP").ok());
        assert_eq!(phone_country("+14155552671"), Region::from_code("US").ok());
        assert_eq!(phone_country("taro@example.jp"), None);
    }
}
