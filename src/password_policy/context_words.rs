//! Words that an attacker knows as well as the person who chooses: their address, number and name, and the
//! names of the service.
//!
//! A password is compared by its letters and digits alone, in lower case, so that punctuation hides nothing.
//! It is refused when it *rests* on such words: when, with all of them taken out, fewer than eight letters and
//! digits are left, or a common password is. `hanako1990` is refused for hanako@example.jp; a long phrase in
//! which the name occurs is not, since NIST SP 800-63B-4 has the whole password judged, not its parts.

use zeroize::Zeroizing;

use super::MIN_PASSWORD_CODE_POINTS;
use super::PasswordContext;
use super::common;

use unicode_normalization::UnicodeNormalization;

/// What the product is called wherever it runs.
const PRODUCT: [&str; 2] = ["sekisho", "関所"];
/// In UTF-8, so that two kanji count and "jp" or "bob" do not: shorter words occur everywhere by chance.
const MIN_WORD_BYTES: usize = 4;
/// The end of a phone number that is the same in every way of writing it.
const PHONE_DIGITS: usize = 8;
/// More context than any person has.
const MAX_WORDS: usize = 64;
/// No name or address that matters is longer.
const MAX_SOURCE_CHARS: usize = 512;

pub(super) struct ContextWords(Vec<String>);

impl ContextWords {
    pub(super) fn collect(service_name: &str, context: PasswordContext<'_>) -> Self {
        let mut words = Vec::new();
        for product in PRODUCT {
            words.push(product.to_owned());
        }
        add_name(&mut words, service_name);
        for identifier in context.identifiers {
            add_identifier(&mut words, identifier);
        }
        if let Some(name) = context.display_name {
            add_name(&mut words, name);
        }
        words.retain(|word| word.len() >= MIN_WORD_BYTES);
        words.truncate(MAX_WORDS);
        // Longest first: once "hanako" is taken out of "tanakahanako", the whole is no longer found.
        words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Self(words)
    }

    /// Whether the password rests on these words.
    pub(super) fn carry(&self, normalised: &str) -> bool {
        let mut left = Zeroizing::new(fold(normalised));
        let before = left.len();
        for word in &self.0 {
            if left.contains(word.as_str()) {
                left = Zeroizing::new(left.replace(word.as_str(), ""));
            }
        }
        left.len() < before && (left.chars().count() < MIN_PASSWORD_CODE_POINTS || common::is_common(&left))
    }

    pub(super) fn as_strs(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// The whole and its parts.
fn add_name(words: &mut Vec<String>, name: &str) {
    words.push(fold(name));
    words.extend(name.split(|c: char| !c.is_alphanumeric()).map(fold));
}

/// Of an address the whole, the local part, the labels of the domain but the last, and the parts of each; of a
/// number its last digits.
fn add_identifier(words: &mut Vec<String>, identifier: &str) {
    if let Some((local, domain)) = identifier.rsplit_once('@') {
        words.push(fold(identifier));
        add_name(words, local);
        let labels = domain.rsplit_once('.').map_or(domain, |(labels, _)| labels);
        for label in labels.split('.') {
            add_name(words, label);
        }
        return;
    }
    let digits = fold(identifier).chars().filter(char::is_ascii_digit).collect::<String>();
    if let Some(start) = digits.len().checked_sub(PHONE_DIGITS) {
        words.push(digits[start..].to_owned());
    }
}

/// NFKC, lower case, letters and digits only.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).take(MAX_SOURCE_CHARS).collect()
}
