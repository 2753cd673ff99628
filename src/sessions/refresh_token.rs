//! The refresh token: computed from a session, checked without one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::crypto;
use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::ids::SessionId;

const PREFIX: &str = "srt_";
const SECRET_BYTES: usize = 16;
const SIGNED_BYTES: usize = 4 + 16 + 8 + SECRET_BYTES;
const TOKEN_BYTES: usize = SIGNED_BYTES + 32;

/// A refresh token whose HMAC was right.
pub(super) struct RefreshToken {
    pub session: SessionId,
    pub generation: i64,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl RefreshToken {
    /// The first token of a new session.
    pub(super) fn first(session: SessionId) -> Self {
        Self { session, generation: 0, secret: Zeroizing::new(crypto::random_bytes()) }
    }

    /// The token of another generation of the same session.
    pub(super) fn of_generation(self, generation: i64) -> Self {
        Self { generation, ..self }
    }

    /// What the session's row keeps.
    pub(super) fn secret_hash(&self) -> [u8; 32] {
        crypto::sha256(self.secret.as_slice())
    }

    /// The token's text, for its holder alone.
    pub(super) fn reveal(&self, keys: &MasterKeys) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TOKEN_BYTES));
        bytes.extend_from_slice(&keys.current_id().to_be_bytes());
        bytes.extend_from_slice(self.session.uuid().as_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(self.secret.as_slice());
        let mac = keys.mac(MacPurpose::RefreshToken, &[&bytes]);
        bytes.extend_from_slice(&mac);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// Reads a token in exactly the form in which it was shown, and checks its HMAC.
    pub(super) fn parse(text: &str, keys: &MasterKeys) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() <= 2 * TOKEN_BYTES)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        let (signed, mac) = bytes.split_at_checked(SIGNED_BYTES)?;
        let (key_id, rest) = signed.split_first_chunk::<4>()?;
        let expected = keys.mac_by(u32::from_be_bytes(*key_id), MacPurpose::RefreshToken, &[signed])?;
        if !crypto::equal_in_constant_time(&expected, mac) {
            return None;
        }
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (generation, secret) = rest.split_first_chunk::<8>()?;
        Some(Self {
            session: Uuid::from_bytes(*session).into(),
            generation: i64::from_be_bytes(*generation),
            secret: Zeroizing::new(secret.try_into().ok()?),
        })
    }
}

/// A token in which anything was changed is none.
#[cfg(any(test, fuzzing))]
pub fn refresh_token_property(text: &str) {
    let keys = MasterKeys::throw_away();
    let good = RefreshToken::first(crypto::new_id(chrono::DateTime::UNIX_EPOCH)).reveal(&keys);
    assert!(RefreshToken::parse(&good, &keys).is_some_and(|token| token.reveal(&keys) == good));
    for read in crypto::damaged(&good, text) {
        assert!(RefreshToken::parse(&read, &keys).is_none(), "{read}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md 61: truncated, extended or changed tokens are refused.
    #[test]
    fn every_damaged_token_is_refused() {
        let keys = MasterKeys::throw_away();
        let token = RefreshToken::first(Uuid::from_u128(7).into());
        let text = token.reveal(&keys);
        let read = RefreshToken::parse(&text, &keys).unwrap();
        assert_eq!((read.session, read.generation), (token.session, 0));
        assert_eq!(read.secret_hash(), token.secret_hash());
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            assert!(RefreshToken::parse(&String::from_utf8(damaged).unwrap(), &keys).is_none(), "at {at}");
            assert!(RefreshToken::parse(&text[..at], &keys).is_none());
        }
        assert!(RefreshToken::parse(&format!("{text}A"), &keys).is_none());
        assert!(RefreshToken::parse(&text, &MasterKeys::throw_away()).is_none());
    }

    #[test]
    fn the_successor_is_computed() {
        let keys = MasterKeys::throw_away();
        let text = RefreshToken::first(Uuid::from_u128(7).into()).reveal(&keys);
        let next = || RefreshToken::parse(&text, &keys).unwrap().of_generation(1).reveal(&keys);
        assert_eq!(next(), next());
        assert_ne!(next(), text);
    }
}
