//! A password in the one form in which it is hashed.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest password there can be, in code points of its NFKC form.
///
/// ASVS 6.2.9 asks for at least 64; a bound keeps the cost of everything that reads a password bounded too.
pub const MAX_PASSWORD_CODE_POINTS: usize = 128;

/// No text longer than this is normalised at all: 128 code points, each written as up to eight others of
/// four bytes.
const MAX_RAW_BYTES: usize = 4_096;

/// A password in Unicode form NFKC, as NIST SP 800-63B-4 §3.1.1.2 asks, so that é typed as one code point or
/// as two is the same password. Wiped when dropped, and without `Debug` so that it cannot be printed.
#[derive(Clone, Default)]
pub struct NormalisedPassword {
    normal: Zeroizing<String>,
    typed: Zeroizing<String>,
}

impl NormalisedPassword {
    /// Normalises a password that somebody presents, to compare it with a stored one.
    ///
    /// `None` if it is longer than any password can be: it matches nothing and is not worth a hash. That says
    /// nothing about an account, since it depends on the request alone.
    pub fn for_verification(presented: &str) -> Option<Self> {
        if presented.len() > MAX_RAW_BYTES {
            return None;
        }
        // One allocation that is large enough: a string that grows leaves its old copies unwiped.
        let mut normal = Zeroizing::new(String::with_capacity(MAX_PASSWORD_CODE_POINTS * 4));
        for (count, point) in presented.nfkc().enumerate() {
            if count == MAX_PASSWORD_CODE_POINTS {
                return None;
            }
            normal.push(point);
        }
        Some(Self { normal, typed: Zeroizing::new(presented.to_owned()) })
    }

    /// The normalised text, for whoever judges whether it is a good password.
    pub fn expose(&self) -> &str {
        &self.normal
    }

    /// What was typed, for hashes that another system made: it knew no normal form.
    pub(super) fn typed(&self) -> &[u8] {
        self.typed.as_bytes()
    }

    /// Its length as people count it (NIST: "each Unicode code point SHALL be counted as a single character").
    pub fn code_points(&self) -> usize {
        self.normal.chars().count()
    }
}
