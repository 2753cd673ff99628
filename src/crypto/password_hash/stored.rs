//! What stands in the database for a password, and what an import may put there.
//!
//! ```text
//!   $argon2id$v=19$…                      ours, or another system's argon2
//!   $2b$12$…, pbkdf2_sha256$…, …          as another system wrote it (`legacy`)
//!   $wrapped$<recipe>$argon2id$v=19$…     argon2id over the digest that the recipe gives
//! ```

use argon2::Params;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::HashingError;
use super::algorithm::Argon2Hash;
use super::algorithm::Memory;
use super::algorithm::Verified;
use super::legacy;
use super::legacy::MAX_PASSWORD_BYTES;
use super::legacy::Recipe;
use super::secret::NormalisedPassword;
use crate::crypto;
use crate::internal::Internal;

const WRAPPED: &str = "$wrapped$";

/// A stored hash that may run.
pub(super) enum StoredHash {
    Argon2(Argon2Hash),
    Legacy { recipe: Recipe, digest: Zeroizing<Vec<u8>> },
    Wrapped { recipe: Recipe, around: Argon2Hash },
}

/// A hash of another system that may be stored, or that may be once it is wrapped
/// ([`HashingSlot::wrap`](super::HashingSlot::wrap)).
pub enum ImportedHash {
    /// May be stored as it is.
    Kept(Zeroizing<String>),
    /// Could be tried too fast by whoever stole it.
    Weak(WeakHash),
}

/// A hash that is never stored.
pub struct WeakHash {
    recipe: Recipe,
    digest: Zeroizing<Vec<u8>>,
}

impl ImportedHash {
    /// Reads a hash in the form that its system gave it.
    ///
    /// # Errors
    /// Says why it is refused, without repeating it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        // Django puts the name of its hasher before the PHC string.
        let text = text.strip_prefix("argon2").filter(|phc| phc.starts_with("$argon2")).unwrap_or(text);
        match StoredHash::read(text)? {
            StoredHash::Legacy { recipe, digest } if recipe.is_weak() => Ok(Self::Weak(WeakHash { recipe, digest })),
            _ => Ok(Self::Kept(Zeroizing::new(text.to_owned()))),
        }
    }
}

impl WeakHash {
    /// The text that is stored, of argon2id over the digest.
    pub(super) fn wrap(&self, memory: &mut Memory, params: &Params) -> Result<String, HashingError> {
        let recipe = serde_json::to_vec(&self.recipe).map_err(Internal::from)?;
        let around = memory.hash(&self.digest, params)?;
        Ok(format!("{WRAPPED}{}{around}", URL_SAFE_NO_PAD.encode(recipe)))
    }
}

impl StoredHash {
    /// Reads what the database has.
    pub(super) fn parse(text: &str) -> Result<Self, HashingError> {
        Self::read(text).map_err(|reason| {
            HashingError::Internal(Internal::bug(format!("a stored password hash cannot run: {reason}")))
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("$argon2") {
            return Argon2Hash::read(text).map(Self::Argon2);
        }
        if let Some(rest) = text.strip_prefix(WRAPPED) {
            let (recipe, phc) = rest.split_once('$').ok_or("the wrapped hash is malformed")?;
            let recipe = URL_SAFE_NO_PAD.decode(recipe).map_err(|_| "the recipe is not base64")?;
            let recipe: Recipe = serde_json::from_slice(&recipe).map_err(|_| "the recipe is malformed")?;
            recipe.bounded()?;
            return Ok(Self::Wrapped { recipe, around: Argon2Hash::read(&format!("${phc}"))? });
        }
        let (recipe, digest) = legacy::read(text)?;
        Ok(Self::Legacy { recipe, digest: Zeroizing::new(digest) })
    }

    pub(super) fn verify(
        &self,
        memory: &mut Memory,
        password: &NormalisedPassword,
        current: &Params,
    ) -> Result<Verified, HashingError> {
        let typed = password.typed();
        if let Self::Argon2(hash) = self {
            return memory.verify(password.expose().as_bytes(), hash, current);
        }
        if typed.len() > MAX_PASSWORD_BYTES {
            memory.verify_dummy(typed, current)?;
            return Ok(Verified { matches: false, needs_rehash: false });
        }
        let matches = match self {
            Self::Argon2(_) => false,
            Self::Legacy { recipe, digest } => crypto::equal_in_constant_time(&computed(recipe, typed)?, digest),
            Self::Wrapped { recipe, around } => memory.verify(&computed(recipe, typed)?, around, current)?.matches,
        };
        Ok(Verified { matches, needs_rehash: matches })
    }
}

fn computed(recipe: &Recipe, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, HashingError> {
    recipe.digest(password).map_err(|reason| HashingError::Internal(Internal::bug(format!("a legacy hash: {reason}"))))
}

/// Whatever stands in the database or in a file, nothing runs that asks for more than the bounds.
#[cfg(any(test, fuzzing))]
pub fn stored_hash_property(text: &str) {
    let bounded = |stored: &StoredHash| match stored {
        StoredHash::Argon2(hash) => hash.is_bounded(),
        StoredHash::Legacy { recipe, digest } => recipe.bounded().is_ok() && recipe.length() == digest.len(),
        StoredHash::Wrapped { recipe, around } => recipe.bounded().is_ok() && around.is_bounded(),
    };
    assert!(StoredHash::read(text).is_ok_and(|stored| bounded(&stored)) || StoredHash::read(text).is_err(), "{text}");
    if let Ok(ImportedHash::Kept(kept)) = ImportedHash::read(text) {
        assert!(StoredHash::parse(&kept).is_ok(), "{text}");
    }
}
