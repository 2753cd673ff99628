//! Everything of a hash but the password: function, parameters, salt.

use std::num::NonZero;
use std::time::Duration;

use aws_lc_rs::cipher;
use aws_lc_rs::digest;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use md5::Digest;
use md5::Md5;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::MAX_MEMORY_KIB;
use super::MAX_COST;
use super::MIN_COST;

/// Digests are at least as long as md5's, and none that was seen is longer than these.
const DIGEST_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
/// bcrypt sees no more of a password, the zero at its end included.
const BCRYPT_BYTES: usize = 72;

/// A hash function of several recipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// How a digest is made of a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Recipe {
    /// Of the password, or of the hexadecimal SHA-256 of it (Django).
    Bcrypt {
        cost: u32,
        salt: [u8; 16],
        of_sha256: bool,
    },
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
        salt: Vec<u8>,
        length: usize,
    },
    /// The salt is followed by the separator of the project already.
    Firebase {
        log_n: u8,
        r: u32,
        salt: Vec<u8>,
        signer_key: Vec<u8>,
    },
    Pbkdf2 {
        hash: Hash,
        rounds: NonZero<u32>,
        salt: Vec<u8>,
        length: usize,
    },
    /// `$5$` and `$6$`.
    ShaCrypt {
        hash: Hash,
        rounds: u32,
        salt: Vec<u8>,
    },
    Phpass {
        log_rounds: u8,
        salt: [u8; 8],
    },
    /// One pass over salt, password and salt.
    Plain {
        hash: Hash,
        before: Vec<u8>,
        after: Vec<u8>,
    },
}

impl Recipe {
    /// Whether it may run.
    pub(crate) fn bounded(&self) -> Result<(), &'static str> {
        self.valid()?;
        if self.cost() > MAX_COST { Err("one try would take too long") } else { Ok(()) }
    }

    /// Whether a thief could try it so fast that it must not be stored as it is.
    pub(crate) fn is_weak(&self) -> bool {
        self.cost() < MIN_COST
    }

    /// How many bytes its digest has.
    pub(crate) fn length(&self) -> usize {
        match self {
            // The text form leaves the last byte out.
            Self::Bcrypt { .. } => 23,
            Self::Scrypt { length, .. } | Self::Pbkdf2 { length, .. } => *length,
            Self::Firebase { signer_key, .. } => signer_key.len(),
            Self::ShaCrypt { hash, .. } | Self::Plain { hash, .. } => hash.bytes(),
            Self::Phpass { .. } => Hash::Md5.bytes(),
        }
    }

    fn valid(&self) -> Result<(), &'static str> {
        let valid = match self {
            Self::Bcrypt { cost, .. } => (4..=31).contains(cost),
            Self::Scrypt { log_n, r, p, length, .. } => {
                scrypt_fits(*log_n, *r)?;
                *p > 0 && DIGEST_BYTES.contains(length)
            }
            Self::Firebase { log_n, r, .. } => {
                scrypt_fits(*log_n, *r)?;
                DIGEST_BYTES.contains(&self.length())
            }
            Self::Pbkdf2 { hash, length, .. } => *hash != Hash::Md5 && DIGEST_BYTES.contains(length),
            Self::ShaCrypt { hash, rounds, .. } => {
                matches!(hash, Hash::Sha256 | Hash::Sha512) && sha_crypt::Params::new(*rounds).is_ok()
            }
            Self::Phpass { log_rounds, .. } => (7..=30).contains(log_rounds),
            Self::Plain { .. } => true,
        };
        if valid { Ok(()) } else { Err("not valid for its function") }
    }

    /// What one try takes, for a password of ordinary length.
    fn cost(&self) -> Duration {
        let nanos = match self {
            // 248 ms at cost 12.
            Self::Bcrypt { cost, .. } => 61_000 << cost,
            Self::Scrypt { log_n, r, p, .. } => scrypt_nanos(*log_n, *r).saturating_mul(u64::from(*p)),
            Self::Firebase { log_n, r, .. } => scrypt_nanos(*log_n, *r),
            Self::Pbkdf2 { hash, rounds, length, .. } => {
                let nanos: u64 = match hash {
                    Hash::Md5 | Hash::Sha1 => 550,
                    Hash::Sha256 => 330,
                    Hash::Sha512 => 600,
                };
                nanos.saturating_mul(u64::from(rounds.get())).saturating_mul(length.div_ceil(hash.bytes()) as u64)
            }
            Self::ShaCrypt { hash: Hash::Sha512, rounds, .. } => 600 * u64::from(*rounds),
            Self::ShaCrypt { rounds, .. } => 350 * u64::from(*rounds),
            Self::Phpass { log_rounds, .. } => 200 << log_rounds,
            Self::Plain { .. } => 1_000,
        };
        Duration::from_nanos(nanos)
    }

    /// The digest of a password. Whoever calls has asked whether it is [`bounded`](Self::bounded).
    pub(crate) fn digest(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        Ok(match self {
            Self::Bcrypt { cost, salt, of_sha256: false } => bcrypt(*cost, *salt, password),
            Self::Bcrypt { cost, salt, of_sha256: true } => {
                let inner = Zeroizing::new(data_encoding::HEXLOWER.encode(&Hash::Sha256.digest(&[password])));
                bcrypt(*cost, *salt, inner.as_bytes())
            }
            Self::Scrypt { log_n, r, p, salt, length } => scrypt((*log_n, *r, *p), password, salt, *length)?,
            Self::Firebase { log_n, r, salt, signer_key } => firebase((*log_n, *r), password, salt, signer_key)?,
            Self::Pbkdf2 { hash, rounds, salt, length } => {
                let mut digest = Zeroizing::new(vec![0; *length]);
                pbkdf2::derive(hash.pbkdf2(), *rounds, salt, password, &mut digest);
                digest
            }
            Self::ShaCrypt { hash, rounds, salt } => {
                let params = sha_crypt::Params::new(*rounds).map_err(|_| "not valid for sha-crypt")?;
                Zeroizing::new(match hash {
                    Hash::Sha512 => sha_crypt::sha512_crypt(password, salt, params).to_vec(),
                    _ => sha_crypt::sha256_crypt(password, salt, params).to_vec(),
                })
            }
            Self::Phpass { log_rounds, salt } => {
                let mut digest = Hash::Md5.digest(&[salt, password]);
                for _ in 0..1_u32 << log_rounds {
                    digest = Hash::Md5.digest(&[&digest, password]);
                }
                digest
            }
            Self::Plain { hash, before, after } => hash.digest(&[before, password, after]),
        })
    }
}

impl Hash {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self {
            Self::Md5 => {
                let context = parts.iter().fold(Md5::new(), Md5::chain_update);
                return Zeroizing::new(context.finalize().to_vec());
            }
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        let mut context = digest::Context::new(algorithm);
        for part in parts {
            context.update(part);
        }
        Zeroizing::new(context.finish().as_ref().to_vec())
    }

    /// There is none with md5; `bounded` has refused it.
    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Md5 | Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

fn bcrypt(cost: u32, salt: [u8; 16], password: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut ended = Zeroizing::new([password, &[0]].concat());
    ended.truncate(BCRYPT_BYTES);
    Zeroizing::new(::bcrypt::bcrypt(cost, salt, &ended)[..23].to_vec())
}

fn scrypt_fits(log_n: u8, r: u32) -> Result<(), &'static str> {
    if !(1..=30).contains(&log_n) || r == 0 {
        return Err("not valid for scrypt");
    }
    if (u128::from(r) * 128) << log_n > u128::from(MAX_MEMORY_KIB) * 1024 { Err("too much memory") } else { Ok(()) }
}

/// 344 ms at N=2^17 r=8. Whoever calls has asked whether it fits.
fn scrypt_nanos(log_n: u8, r: u32) -> u64 {
    (330 * u64::from(r)) << log_n
}

fn scrypt(
    (log_n, r, p): (u8, u32, u32),
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let params = ::scrypt::Params::new(log_n, r, p).map_err(|_| "not valid for scrypt")?;
    let mut digest = Zeroizing::new(vec![0; length]);
    ::scrypt::scrypt(password, salt, &params, &mut digest).map_err(|_| "not valid for scrypt")?;
    Ok(digest)
}

/// Firebase encrypts the key of the project under what scrypt gives; the result is the digest.
fn firebase(
    (log_n, r): (u8, u32),
    password: &[u8],
    salt: &[u8],
    signer_key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const REFUSED: &str = "not valid for AES-256-CTR";
    let key = scrypt((log_n, r, 1), password, salt, 32)?;
    let key = cipher::UnboundCipherKey::new(&cipher::AES_256, &key).map_err(|_| REFUSED)?;
    let key = cipher::EncryptingKey::ctr(key).map_err(|_| REFUSED)?;
    let mut digest = Zeroizing::new(signer_key.to_vec());
    // Each password has a key of its own, and the format has no other counter.
    let counter = cipher::EncryptionContext::Iv128(FixedLength::from([0; 16]));
    key.less_safe_encrypt(&mut digest, counter).map_err(|_| REFUSED)?;
    Ok(digest)
}
