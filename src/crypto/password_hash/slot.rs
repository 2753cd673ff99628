//! What a reserved place can be used for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use argon2::Params;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::clock::Stopwatch;
use crate::internal::Internal;

use super::HashingError;
use super::NormalisedPassword;
use super::algorithm::Memory;
use super::algorithm::Verified;
use super::stored::StoredHash;
use super::stored::WeakHash;
use super::threads::Shared;

/// The right to one hash. Dropped unused, it goes back.
#[must_use]
pub struct HashingSlot {
    shared: Arc<Shared>,
}

impl HashingSlot {
    /// One of those that `shared` has counted as given.
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// Hashes a password with today's parameters and a new salt, into a PHC string.
    ///
    /// # Errors
    /// [`HashingError::Internal`] if the job was lost.
    pub async fn hash(self, password: &NormalisedPassword) -> Result<String, HashingError> {
        let password = password.clone();
        self.run(move |memory, params| memory.hash(password.expose().as_bytes(), params)).await
    }

    /// Compares a password with a stored hash.
    ///
    /// # Errors
    /// [`HashingError::Internal`] if the stored hash is unknown or out of bounds (it is not run then), or the
    /// job was lost.
    pub async fn verify(self, password: &NormalisedPassword, stored: &str) -> Result<Verified, HashingError> {
        let stored = StoredHash::parse(stored)?;
        let password = password.clone();
        self.run(move |memory, params| stored.verify(memory, &password, params)).await
    }

    /// Hashes what is too weak to be stored, into a text that may be.
    ///
    /// # Errors
    /// [`HashingError::Internal`] if the job was lost.
    pub async fn wrap(self, weak: WeakHash) -> Result<String, HashingError> {
        self.run(move |memory, params| weak.wrap(memory, params)).await
    }

    /// Does the same work where no hash is stored, so that time does not tell; the answer is always no match.
    ///
    /// # Errors
    /// [`HashingError::Internal`] if the job was lost.
    pub async fn verify_dummy(self, password: &NormalisedPassword) -> Result<Verified, HashingError> {
        let password = password.clone();
        self.run(move |memory, params| memory.verify_dummy(password.expose().as_bytes(), params)).await?;
        Ok(Verified { matches: false, needs_rehash: false })
    }

    /// Derives 32 bytes from a random secret, with parameters that never change (for recovery codes).
    ///
    /// # Errors
    /// [`HashingError::Internal`] if the job was lost.
    pub async fn derive(self, secret: &[u8], salt: &[u8; 16]) -> Result<[u8; 32], HashingError> {
        let secret = Zeroizing::new(secret.to_vec());
        let salt = *salt;
        self.run(move |memory, _| memory.derive(&secret, salt)).await
    }

    pub(super) async fn run<T, F>(self, work: F) -> Result<T, HashingError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory, &Params) -> Result<T, HashingError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (shared, waiting) = (Arc::clone(&self.shared), Stopwatch::start());
        shared.push(Box::new(move |memory| {
            // The slot goes before the answer, on a panic too (locals drop in reverse order), so that whoever
            // has the answer finds the place free.
            let reply = reply;
            let slot = self;
            if reply.is_closed() {
                return;
            }
            slot.shared.metrics.hash_wait(waiting.elapsed());
            let watch = Stopwatch::start();
            let result = work(memory, &slot.shared.params);
            slot.shared.record_cost(watch.elapsed());
            drop(slot);
            let _ = reply.send(result);
        }));
        answer.await.map_err(|_| {
            HashingError::Internal(Internal::bug("a hashing job was lost: it panicked, or the threads stopped"))
        })?
    }
}

impl Drop for HashingSlot {
    fn drop(&mut self) {
        self.shared.slots_given.fetch_sub(1, Ordering::AcqRel);
    }
}
