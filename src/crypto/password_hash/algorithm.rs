//! argon2 itself: which parameters may run, the string form of a hash, and the computation on given memory.

use std::fmt;

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Block;
use argon2::Params;
use argon2::Version;
use argon2::password_hash::phc::Output;
use argon2::password_hash::phc::ParamsString;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::phc::Salt;
use zeroize::Zeroizing;

use crate::crypto;
use crate::internal::Internal;

use super::HashingError;

/// The most memory that one hash may ask for (argon2 `m`, in KiB): 128 MiB, what OWASP asks of scrypt. Django's argon2
/// takes 100 MiB.
pub const MAX_MEMORY_KIB: u32 = 131_072;
/// The most passes over it (argon2 `t`).
pub const MAX_PASSES: u32 = 16;
/// The most lanes (argon2 `p`).
pub const MAX_LANES: u32 = 16;
/// The most work, memory in KiB × passes: what decides how long a hash takes, 6.7 times the default.
///
/// It admits the defaults of PHP and Laravel (m=65536 t=4 p=1), argon2-cffi (m=65536 t=3 p=4), libsodium's
/// "interactive" (m=65536 t=2), Django (m=102400 t=2 p=8) and everything that OWASP lists, and keeps one job under 400 ms on a slow core.
pub const MAX_WORK_KIB: u64 = 262_144;

/// Digests shorter than this are refused: they would be too easily matched by chance.
const MIN_DIGEST_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const DIGEST_BYTES: usize = 32;

/// The parameters of `derive`. They are fixed, because the derived bytes are stored without them: a change of
/// configuration must not void anybody's recovery codes. They are light, because those codes are random; the
/// salted password hash is what NIST SP 800-63B asks for below 112 bits.
const DERIVE_MEMORY_KIB: u32 = 8_192;

/// The answer to a password try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whether the password is the one that was stored.
    pub matches: bool,
    /// Whether it is, and its hash was made with other parameters than today's, so that it should be replaced.
    pub needs_rehash: bool,
}

/// Checks parameters against the bounds; the error names the one they break.
pub(super) fn bounded(memory_kib: u32, passes: u32, lanes: u32) -> Result<Params, &'static str> {
    if memory_kib > MAX_MEMORY_KIB {
        return Err("too much memory");
    }
    if passes > MAX_PASSES {
        return Err("too many passes");
    }
    if lanes > MAX_LANES {
        return Err("too many lanes");
    }
    if u64::from(memory_kib) * u64::from(passes) > MAX_WORK_KIB {
        return Err("too much memory for that many passes");
    }
    Params::new(memory_kib, passes, lanes, None).map_err(|_| "not valid for argon2")
}

/// An argon2 hash whose parameters may run.
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    digest: Output,
}

impl Argon2Hash {
    /// Reads a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$digest`) of argon2id, or of argon2i or argon2d, which only
    /// imported ones are. `keyid` and `data` are refused: they belong to secrets that this service does not have.
    pub(super) fn read(phc: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(phc).map_err(|_| "not a PHC string")?;
        let algorithm = match hash.algorithm.as_str() {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return Err("unknown algorithm"),
        };
        // A PHC string without `v` is of the version that had none (the reference implementation's rule).
        let version = Version::try_from(hash.version.unwrap_or(0x10)).map_err(|_| "unknown version")?;
        if hash.params.iter().count() != 3 {
            return Err("other parameters than m, t and p");
        }
        let number = |name: &str| hash.params.get_decimal(name).ok_or("m, t or p is missing");
        let params = bounded(number("m")?, number("t")?, number("p")?)?;
        let salt = hash.salt.ok_or("no salt")?;
        let digest = hash.hash.ok_or("no digest")?;
        if digest.len() < MIN_DIGEST_BYTES {
            return Err("the digest is too short");
        }
        Ok(Self { algorithm, version, params, salt, digest })
    }

    /// Whether all of it is within the bounds.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_bounded(&self) -> bool {
        let (memory, passes) = (self.params.m_cost(), self.params.t_cost());
        memory <= MAX_MEMORY_KIB
            && passes <= MAX_PASSES
            && self.params.p_cost() <= MAX_LANES
            && u64::from(memory) * u64::from(passes) <= MAX_WORK_KIB
            && self.digest.len() >= MIN_DIGEST_BYTES
    }

    /// Whether it was made the way new hashes are made. Stronger ones count as different too: every account
    /// then costs the same, in time that a stranger could measure as in time that the operator pays for.
    fn is_current(&self, current: &Params) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.params == *current
            && self.digest.len() == DIGEST_BYTES
    }
}

/// The argon2 memory of one thread.
pub(super) struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// Memory for hashes of these parameters, touched once so that the system has really given it.
    pub(super) fn new(params: &Params) -> Self {
        Self { blocks: vec![Block::new(); params.block_count()] }
    }

    pub(super) fn hash(&mut self, password: &[u8], params: &Params) -> Result<String, HashingError> {
        let salt: [u8; SALT_BYTES] = crypto::random_bytes();
        let mut digest = [0; DIGEST_BYTES];
        self.compute(&argon2id(params), password, &salt, &mut digest)?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params).map_err(broken)?,
            salt: Some(Salt::new(&salt).map_err(broken)?),
            hash: Some(Output::new(&digest).map_err(broken)?),
        };
        Ok(phc.to_string())
    }

    pub(super) fn verify(
        &mut self,
        password: &[u8],
        stored: &Argon2Hash,
        current: &Params,
    ) -> Result<Verified, HashingError> {
        let argon2 = Argon2::new(stored.algorithm, stored.version, stored.params.clone());
        let mut computed = Zeroizing::new(vec![0; stored.digest.len()]);
        self.compute(&argon2, password, stored.salt.as_ref(), &mut computed)?;
        let matches = crypto::equal_in_constant_time(&computed, stored.digest.as_bytes());
        Ok(Verified { matches, needs_rehash: matches && !stored.is_current(current) })
    }

    /// The work of `verify` where there is nothing to verify against.
    pub(super) fn verify_dummy(&mut self, password: &[u8], params: &Params) -> Result<(), HashingError> {
        let mut computed = Zeroizing::new([0; DIGEST_BYTES]);
        self.compute(&argon2id(params), password, &[0; SALT_BYTES], computed.as_mut())?;
        // Compared like a real one, with a digest that nothing can be expected to have.
        std::hint::black_box(crypto::equal_in_constant_time(computed.as_ref(), &[0; DIGEST_BYTES]));
        Ok(())
    }

    pub(super) fn derive(&mut self, secret: &[u8], salt: [u8; 16]) -> Result<[u8; 32], HashingError> {
        let params = bounded(DERIVE_MEMORY_KIB, 1, 1).map_err(broken)?;
        let mut derived = [0; DIGEST_BYTES];
        self.compute(&argon2id(&params), secret, &salt, &mut derived)?;
        Ok(derived)
    }

    /// Where the thread's memory lies and how much it is.
    #[cfg(test)]
    pub(super) fn location(&self) -> (usize, usize) {
        (self.blocks.as_ptr().addr(), self.blocks.capacity())
    }

    fn compute(&mut self, argon2: &Argon2<'_>, secret: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), HashingError> {
        let needed = argon2.params().block_count();
        let mut borrowed = Vec::new();
        let blocks = if needed > self.blocks.len() {
            borrowed.resize(needed, Block::new());
            &mut borrowed
        } else {
            &mut self.blocks
        };
        argon2.hash_password_into_with_memory(secret, salt, out, blocks).map_err(broken)
    }
}

fn argon2id(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn broken(cause: impl fmt::Display) -> HashingError {
    HashingError::Internal(Internal::bug(format!("argon2 refused its input: {cause}")))
}
