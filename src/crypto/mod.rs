//! Every secret operation of the service, and the only user of the random generator.
//!
//! * [`MasterKeys`]: the operator's keys; every other key is derived from them by purpose (HKDF-SHA-256, RFC 5869).
//! * [`MasterKeys::seal`]: authenticated encryption of what is stored, bound to the row or key that it belongs to.
//! * [`MasterKeys::mac`]: keyed digests of short codes, refresh tokens and cursors.
//! * [`OpaqueToken`]: a random token that is shown once; only its [`TokenDigest`] reaches a store.
//! * [`hmac_sha256`]: signatures under a secret that is shared with another party.
//! * `password_hash`: argon2id on threads of its own.
//! * `signing_keys`: the key ring that signs access tokens.
//!
//! Secret types have no `Debug` and no `Display`, so that they cannot be printed by accident.

mod master_keys;
mod opaque_token;
mod password_hash;
mod shared_secret;
mod signing_keys;

use std::io;
use std::io::Read;

use aws_lc_rs::digest;
use uuid::Uuid;

pub use master_keys::Mac;
pub use master_keys::MacPurpose;
pub use master_keys::MasterKeyError;
pub use master_keys::MasterKeys;
pub use master_keys::SealPurpose;
pub use opaque_token::OpaqueToken;
pub use opaque_token::TokenDigest;
pub use opaque_token::TokenKind;
#[cfg(any(test, fuzzing))]
pub use opaque_token::damaged;
#[cfg(any(test, fuzzing))]
pub use opaque_token::opaque_token_property;
pub use password_hash::*;
pub use shared_secret::hmac_sha1;
pub use shared_secret::hmac_sha256;
pub use signing_keys::*;

use chrono::DateTime;
use chrono::Utc;

/// Unpredictable bytes.
///
/// A machine without a working generator cannot run this service: the process ends.
#[expect(clippy::disallowed_methods, reason = "the one home of the random generator")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// A new UUID version 7 (RFC 9562 §5.7): its time is `now`, the rest is random.
pub fn new_id<T: From<Uuid>>(now: DateTime<Utc>) -> T {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    T::from(uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes()).into_uuid())
}

/// The least id that [`new_id`] could make at a time: what was made before has a smaller one.
pub fn least_id<T: From<Uuid>>(at: DateTime<Utc>) -> T {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    T::from(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
}

/// A code of decimal digits, each value equally likely.
pub fn random_digits(count: usize) -> String {
    std::iter::repeat_with(|| random_bytes::<1>()[0])
        // 250 is the largest multiple of ten that a byte can hold, so no digit is favoured.
        .filter(|byte| *byte < 250)
        .map(|byte| char::from(b'0' + byte % 10))
        .take(count)
        .collect()
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// SHA-256 of everything that can be read.
///
/// # Errors
/// What reading gave.
pub fn sha256_of(reader: &mut impl Read) -> io::Result<[u8; 32]> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 65_536];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        context.update(&buffer[..count]);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    Ok(out)
}

/// Compares without telling by its time how much is alike.
pub fn equal_in_constant_time(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;

    /// The shortest of many times: what disturbs a measurement only ever makes it longer.
    fn quickest(left: &[u8], right: &[u8], expected: bool) -> u128 {
        let once = || {
            let watch = Stopwatch::start();
            assert_eq!(equal_in_constant_time(std::hint::black_box(left), std::hint::black_box(right)), expected);
            watch.elapsed().as_nanos()
        };
        (0..50).map(|_| once()).min().unwrap()
    }

    /// security.md 85: it takes as long to find a difference at the first byte as at the last, or none. A comparison
    /// that ends at the first difference would be thousands of times faster here. Every code, token and hash that is
    /// compared here is compared by this function, or looked up by its digest.
    #[test]
    fn a_comparison_does_not_tell_where_the_difference_is() {
        let secret = vec![7; 1 << 20];
        let with_other = |at: usize| {
            let mut other = secret.clone();
            other[at] = 8;
            other
        };
        let (first, last) = (with_other(0), with_other(secret.len() - 1));
        let same = quickest(&secret, &secret.clone(), true);
        for (guess, place) in [(first, "first"), (last, "last")] {
            let took = quickest(&secret, &guess, false);
            assert!(same / 2 < took && took < same * 2, "{place}: {took} ns, {same} ns for the same");
        }
        assert!(!equal_in_constant_time(&secret, &secret[1..]));
    }
}
