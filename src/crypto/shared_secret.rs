//! Signatures under a secret that another party knows too: ours on what we send, theirs on what they send.

use aws_lc_rs::hmac;
use secrecy::ExposeSecret;
use secrecy::SecretString;

/// HMAC-SHA-256 (RFC 2104) of the parts, one after the other.
pub fn hmac_sha256(secret: &SecretString, parts: &[&[u8]]) -> Vec<u8> {
    signed(hmac::HMAC_SHA256, secret, parts)
}

/// HMAC-SHA-1, which is sound still, for parties that know nothing newer.
pub fn hmac_sha1(secret: &SecretString, parts: &[&[u8]]) -> Vec<u8> {
    signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, parts)
}

fn signed(algorithm: hmac::Algorithm, secret: &SecretString, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, secret.expose_secret().as_bytes()));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}
