//! The operator's master keys and what is derived from them.
//!
//! A sealed value is `key id (4) ‖ salt (16) ‖ AES-256-GCM ciphertext and tag`. Each value has a key of its own,
//! HKDF(master, salt, purpose), so the nonce can be constant and never repeats under one key. The associated data
//! binds a value to its place: moved to another row it does not open.
//! Several master keys may be configured during a rotation: the first one seals, each one opens what it sealed.

use aws_lc_rs::aead;
use aws_lc_rs::hkdf;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::random_bytes;
use crate::internal::Internal;

const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 4 + SALT_BYTES;

/// What a sealed value holds. Each purpose has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    /// A PHC string.
    PasswordHash,
    /// The shared secret of an authenticator app.
    TotpSecret,
    /// The public key of a passkey: not a secret, but nobody else's to choose.
    Passkey,
    /// A private signing key.
    SigningKey,
    /// Address and text of a message.
    Outbox,
    /// The state of a flow in Redis.
    Flow,
    /// What was typed for a recovery.
    Recovery,
}

impl SealPurpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::PasswordHash => b"seal/password-hash",
            Self::TotpSecret => b"seal/totp-secret",
            Self::Passkey => b"seal/passkey",
            Self::SigningKey => b"seal/signing-key",
            Self::Outbox => b"seal/outbox",
            Self::Flow => b"seal/flow",
            Self::Recovery => b"seal/recovery",
        }
    }
}

/// What a keyed digest stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPurpose {
    /// A short code, with the id of its flow.
    Code,
    /// A refresh token.
    RefreshToken,
    /// A cursor of a list.
    Cursor,
    /// A key of a limit, so that Redis holds no addresses.
    LimitKey,
    /// A key of a count of failures, so that it names nobody.
    FailureKey,
    /// What a recovery is found by and counted by: its contact, and its identifier.
    RecoveryContact,
    /// What another system called an account that is gone.
    ExternalId,
}

impl MacPurpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Code => b"mac/code",
            Self::RefreshToken => b"mac/refresh-token",
            Self::Cursor => b"mac/cursor",
            Self::LimitKey => b"mac/limit-key",
            Self::FailureKey => b"mac/failure-key",
            Self::RecoveryContact => b"mac/recovery-contact",
            Self::ExternalId => b"mac/external-id",
        }
    }
}

/// A keyed digest (HMAC-SHA-256).
pub type Mac = [u8; 32];

/// Why a configured master key is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MasterKeyError {
    /// No key at all.
    #[error("at least one master key is needed; make one with `openssl rand -base64 32` and write it as `1:<key>`")]
    Missing,
    /// Not `<number>:<base64>`.
    #[error("a master key is written `<id>:<base64 of 32 bytes>`, the id a number from 1 to 4294967295")]
    Malformed,
    /// Two keys under one id.
    #[error("two master keys have the same id")]
    DuplicateId,
}

struct MasterKey {
    id: u32,
    key: Zeroizing<[u8; 32]>,
}

/// The master keys, the sealing one first.
pub struct MasterKeys {
    keys: Vec<MasterKey>,
}

struct KeyBytes(usize);

impl hkdf::KeyType for KeyBytes {
    fn len(&self) -> usize {
        self.0
    }
}

impl MasterKeys {
    /// Reads `<id>:<base64 of 32 bytes>`, several separated by commas; the first one seals.
    ///
    /// # Errors
    /// Says what is wrong with the value, without repeating it.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (id, key) = entry.split_once(':').ok_or(MasterKeyError::Malformed)?;
            let id = id.parse::<u32>().ok().filter(|id| *id > 0).ok_or(MasterKeyError::Malformed)?;
            let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| MasterKeyError::Malformed)?);
            let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyError::Malformed)?;
            if keys.iter().any(|known| known.id == id) {
                return Err(MasterKeyError::DuplicateId);
            }
            keys.push(MasterKey { id, key: Zeroizing::new(key) });
        }
        if keys.is_empty() { Err(MasterKeyError::Missing) } else { Ok(Self { keys }) }
    }

    /// A new key in the form that [`MasterKeys::parse`] reads.
    pub fn generate() -> Zeroizing<String> {
        Zeroizing::new(format!("1:{}", STANDARD.encode(random_bytes::<32>())))
    }

    /// A key that nobody knows and nothing outlives.
    pub fn throw_away() -> Self {
        Self { keys: vec![MasterKey { id: 1, key: Zeroizing::new(random_bytes()) }] }
    }

    /// Encrypts and authenticates; `place` (row id, key name) must be given again to open.
    pub fn seal(&self, purpose: SealPurpose, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let key = &self.keys[0];
        let salt = random_bytes::<SALT_BYTES>();
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + 16);
        sealed.extend_from_slice(&key.id.to_be_bytes());
        sealed.extend_from_slice(&salt);
        let mut body = plain.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        // Sealing fails only for plaintexts beyond 64 GiB or a broken library; neither may go on.
        if cipher(key, &salt, purpose)
            .is_none_or(|c| c.seal_in_place_append_tag(nonce, aead::Aad::from(place), &mut body).is_err())
        {
            std::process::abort();
        }
        sealed.extend_from_slice(&body);
        sealed
    }

    /// Opens what [`MasterKeys::seal`] made for the same purpose and place.
    ///
    /// # Errors
    /// An unknown key id, another purpose or place, or a changed byte.
    pub fn open(&self, purpose: SealPurpose, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Internal> {
        let refused = || Internal::bug(format!("a sealed value ({purpose:?}) does not open"));
        let (header, body) = sealed.split_at_checked(HEADER_BYTES).ok_or_else(refused)?;
        let (id, salt) = header.split_at(4);
        let key = self.keys.iter().find(|key| key.id.to_be_bytes() == id).ok_or_else(refused)?;
        let mut body = Zeroizing::new(body.to_vec());
        let cipher = cipher(key, salt, purpose).ok_or_else(refused)?;
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        let plain = cipher.open_in_place(nonce, aead::Aad::from(place), &mut body).map_err(|_| refused())?.len();
        body.truncate(plain);
        Ok(body)
    }

    /// The id of the key that seals and signs now.
    pub fn current_id(&self) -> u32 {
        self.keys[0].id
    }

    /// HMAC-SHA-256 under the current key of this purpose. Parts are framed by their length, so that no two
    /// different lists of parts give one message.
    pub fn mac(&self, purpose: MacPurpose, parts: &[&[u8]]) -> Mac {
        mac_with(&self.keys[0], purpose, parts)
    }

    /// The same under the key `key_id`; `None` when there is no such key.
    pub fn mac_by(&self, key_id: u32, purpose: MacPurpose, parts: &[&[u8]]) -> Option<Mac> {
        self.keys.iter().find(|key| key.id == key_id).map(|key| mac_with(key, purpose, parts))
    }

    /// The same under every configured key, for a look-up of what may have been kept under an older one.
    pub fn macs(&self, purpose: MacPurpose, parts: &[&[u8]]) -> impl Iterator<Item = Mac> {
        self.keys.iter().map(move |key| mac_with(key, purpose, parts))
    }

    /// Whether `mac` was made of these parts by any configured key.
    pub fn verify_mac(&self, purpose: MacPurpose, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.keys.iter().any(|key| crate::crypto::equal_in_constant_time(&mac_with(key, purpose, parts), mac))
    }
}

fn derive<const N: usize>(key: &MasterKey, salt: &[u8], label: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut out = Zeroizing::new([0; N]);
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key.key.as_slice());
    prk.expand(&[label], KeyBytes(N)).ok()?.fill(out.as_mut_slice()).ok()?;
    Some(out)
}

fn cipher(key: &MasterKey, salt: &[u8], purpose: SealPurpose) -> Option<aead::LessSafeKey> {
    let bytes = derive::<32>(key, salt, purpose.label())?;
    Some(aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, bytes.as_slice()).ok()?))
}

fn mac_with(key: &MasterKey, purpose: MacPurpose, parts: &[&[u8]]) -> Mac {
    let mut context = derive::<32>(key, b"", purpose.label()).map_or_else(
        || std::process::abort(),
        |bytes| hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, bytes.as_slice())),
    );
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> MasterKeys {
        MasterKeys::parse(&MasterKeys::generate()).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let keys = keys();
        let sealed = keys.seal(SealPurpose::Flow, b"here", b"secret");
        assert_eq!(keys.open(SealPurpose::Flow, b"here", &sealed).unwrap().as_slice(), b"secret");
        assert!(keys.open(SealPurpose::Flow, b"there", &sealed).is_err());
        assert!(keys.open(SealPurpose::Outbox, b"here", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(keys.open(SealPurpose::Flow, b"here", &damaged).is_err());
        }
    }

    #[test]
    fn a_rotated_key_still_opens_and_the_new_one_seals() {
        let (old, new) = (MasterKeys::generate(), MasterKeys::generate().replacen('1', "2", 1));
        let before = MasterKeys::parse(&old).unwrap();
        let during = MasterKeys::parse(&format!("{new},{}", *old)).unwrap();
        let sealed = before.seal(SealPurpose::Flow, b"", b"x");
        assert!(during.open(SealPurpose::Flow, b"", &sealed).is_ok());
        assert_eq!(during.current_id(), 2);
        let old = before.mac(MacPurpose::Code, &[b"1"]);
        assert!(during.verify_mac(MacPurpose::Code, &[b"1"], &old));
        assert!(during.macs(MacPurpose::Code, &[b"1"]).any(|mac| mac == old));
    }

    #[test]
    fn the_parts_of_a_mac_are_framed() {
        let keys = keys();
        assert_ne!(keys.mac(MacPurpose::Code, &[b"ab", b"c"]), keys.mac(MacPurpose::Code, &[b"a", b"bc"]));
    }

    #[test]
    fn a_malformed_master_key_is_refused() {
        for (text, error) in [
            ("", MasterKeyError::Missing),
            ("1", MasterKeyError::Malformed),
            ("0:AAAA", MasterKeyError::Malformed),
            ("1:AAAA", MasterKeyError::Malformed),
        ] {
            assert_eq!(MasterKeys::parse(text).err(), Some(error));
        }
        let key = MasterKeys::generate();
        assert_eq!(MasterKeys::parse(&format!("{},{}", *key, *key)).err(), Some(MasterKeyError::DuplicateId));
    }
}
