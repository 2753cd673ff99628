//! Random tokens that are shown once.
//!
//! A token is a prefix that names its kind, then 32 random bytes in base64url without padding. Stores see only
//! its digest, and a token of one kind does not compile, nor parse, where another is wanted.

use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::crypto::random_bytes;
use crate::crypto::sha256;

/// What a token is for.
pub trait TokenKind {
    /// The prefix that a person or a secret scanner can tell it by, with its underscore.
    const PREFIX: &'static str;
}

/// A token as its holder knows it.
pub struct OpaqueToken<K> {
    bytes: Zeroizing<[u8; 32]>,
    kind: PhantomData<K>,
}

/// All that a store learns of a token: its SHA-256.
pub struct TokenDigest<K> {
    digest: [u8; 32],
    kind: PhantomData<K>,
}

impl<K: TokenKind> OpaqueToken<K> {
    /// Draws a new token.
    pub fn generate() -> Self {
        Self { bytes: Zeroizing::new(random_bytes()), kind: PhantomData }
    }

    /// Reads a token in exactly the form in which it was shown.
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(K::PREFIX)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        Some(Self { bytes: Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?), kind: PhantomData })
    }

    /// The token's text, for its holder alone.
    pub fn reveal(&self) -> String {
        format!("{}{}", K::PREFIX, URL_SAFE_NO_PAD.encode(self.bytes.as_slice()))
    }

    /// What a store may know.
    pub fn digest(&self) -> TokenDigest<K> {
        TokenDigest { digest: sha256(self.bytes.as_slice()), kind: PhantomData }
    }
}

impl<K> TokenDigest<K> {
    /// The digest for a column of SQL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digest
    }

    /// The digest as text, for the name of a key in Redis.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest)
    }
}

/// A text in which something else stands, in all the ways in which `text` can be put into `good`.
#[cfg(any(test, fuzzing))]
pub fn damaged(good: &str, text: &str) -> Vec<String> {
    let at = text.bytes().map(usize::from).sum::<usize>() % good.len();
    let (before, after) = good.split_at(at);
    let rest = after.get(text.len()..).unwrap_or_default();
    let all = [text.to_owned(), [before, text, after].concat(), [before, text, rest].concat(), [before, text].concat()];
    all.into_iter().filter(|damaged| damaged != good).collect()
}

/// A text that is read as a token is exactly the text in which that token is shown.
#[cfg(any(test, fuzzing))]
pub fn opaque_token_property(text: &str) {
    struct Apple;
    impl TokenKind for Apple {
        const PREFIX: &'static str = "apl_";
    }
    let good = OpaqueToken::<Apple>::generate();
    for read in damaged(&good.reveal(), text) {
        if let Some(token) = OpaqueToken::<Apple>::parse(&read) {
            assert_eq!(token.reveal(), read);
            assert_ne!(token.digest().as_bytes(), good.digest().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Apple;
    impl TokenKind for Apple {
        const PREFIX: &'static str = "apl_";
    }
    struct Pear;
    impl TokenKind for Pear {
        const PREFIX: &'static str = "pea_";
    }

    /// security.md 61: truncated, extended or case-changed tokens are refused.
    #[test]
    fn only_the_exact_text_is_accepted() {
        let token = OpaqueToken::<Apple>::generate();
        let text = token.reveal();
        assert_eq!(OpaqueToken::<Apple>::parse(&text).unwrap().digest().as_bytes(), token.digest().as_bytes());
        assert!(OpaqueToken::<Pear>::parse(&text).is_none());
        for bad in [&text[..text.len() - 1], &format!("{text}A"), &format!("{text}="), &format!(" {text}"), "apl_", ""]
        {
            assert!(OpaqueToken::<Apple>::parse(bad).is_none(), "{bad}");
        }
        if let Some(changed) = OpaqueToken::<Apple>::parse(&text.to_uppercase().replace("APL_", "apl_")) {
            assert_ne!(changed.digest().as_bytes(), token.digest().as_bytes());
        }
    }
}
