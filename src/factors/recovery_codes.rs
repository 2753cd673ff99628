//! Recovery codes: 80 bits as `XXXX-XXXX-XXXX-XXXX` in Crockford's base32.

use std::sync::LazyLock;

use data_encoding::Encoding;
use data_encoding::Specification;
use zeroize::Zeroizing;

use crate::crypto;
use crate::text::fold_width;

/// How many a set has.
pub(super) const CODES: usize = 10;
const BYTES: usize = 10;
const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Crockford's reading rules: case does not matter, O is 0, I and L are 1, hyphens and spaces are decoration.
static CROCKFORD: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut rules = Specification::new();
    rules.symbols.push_str(SYMBOLS);
    rules.translate.from.push_str("abcdefghjkmnpqrstvwxyzoOiIlL");
    rules.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    rules.ignore.push_str(" -");
    rules.encoding().ok()
});

/// A code that someone gave, or that is about to be shown.
pub(super) struct RecoveryCode(Zeroizing<[u8; BYTES]>);

impl RecoveryCode {
    pub(super) fn generate() -> Self {
        Self(Zeroizing::new(crypto::random_bytes()))
    }

    /// Reads what a person typed. Anything that is not sixteen symbols cannot be right.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let folded = Zeroizing::new(fold_width(typed.get(..typed.len().min(256))?));
        let bytes = Zeroizing::new(CROCKFORD.as_ref()?.decode(folded.as_bytes()).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    pub(super) fn reveal(&self) -> String {
        let plain = Zeroizing::new(CROCKFORD.as_ref().map(|e| e.encode(self.bytes())).unwrap_or_default());
        plain
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect::<Vec<_>>()
            .join("-")
    }
}

/// A new set, hashed and ready to be stored; the texts are for its owner alone, once.
pub struct RecoveryCodes {
    pub(super) salt: [u8; 16],
    pub(super) digests: Vec<[u8; 32]>,
    /// What the owner writes down.
    pub texts: Vec<String>,
}

/// However a code is typed, what was read of it is read again from its proper form.
#[cfg(any(test, fuzzing))]
pub fn code_property(typed: &str) {
    if let Some(code) = RecoveryCode::parse(typed) {
        let again = RecoveryCode::parse(&code.reveal());
        assert_eq!(again.as_ref().map(RecoveryCode::bytes), Some(code.bytes()), "{typed}");
    }
    if let Some(code) = super::totp::TotpCode::parse(typed) {
        assert!(super::totp::TotpCode::parse(code.text()).is_some_and(|again| again.text() == code.text()), "{typed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = RecoveryCode::generate();
        let text = code.reveal();
        assert_eq!(text.len(), 19);
        let full_width: String = text.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "O").replace('1', "l"),
            full_width,
        ] {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().bytes(), code.bytes(), "{typed}");
        }
        for typed in ["", &text[..18], &format!("{text}0"), &text.replace(|c: char| c != '-', "U"), "-"] {
            assert!(RecoveryCode::parse(typed).is_none(), "{typed}");
        }
    }
}
