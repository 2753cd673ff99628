//! Hashes that other systems made: read at import, bounded, verified until their owner signs in.
//!
//! ```text
//!   text of another system ──▶ recipe and digest ──▶ what does one try cost?
//!                                                       │ over MAX_COST     refused, never run
//!                                                       │ between           kept as it is
//!                                                       │ under MIN_COST    wrapped: argon2id over the digest
//! ```
//!
//! A *recipe* is everything but the password: function, parameters, salt. Its cost is estimated from the parameters
//! alone, by what this code was measured to take on one core of a server of today, so that a file is judged alike on
//! every machine. It is estimated at import and again before every run, whatever stands in the database.
//!
//! Rules
//! * Nothing runs that would take longer than [`MAX_COST`] or more memory than argon2 may
//!   ([`MAX_MEMORY_KIB`](super::MAX_MEMORY_KIB)). The longest
//!   password that is tried makes sha-crypt and phpass two to four times as slow as the estimate, nothing else.
//! * What a thief of the database could try faster than [`MIN_COST`] (md5, salted or not, and phpass or PBKDF2 of few
//!   rounds) is kept only as argon2id over its digest.
//! * The password is taken as it was typed, not in its normal form: that is what the other system hashed. One longer
//!   than [`MAX_PASSWORD_BYTES`] matches nothing. bcrypt looks at its first 72 bytes, as it always has.
//! * Whatever is read here asks to be replaced once its password is known.
//!
//! argon2 is not legacy: see `algorithm`.

mod encoding;
mod read;
mod recipe;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use read::read;
pub(super) use recipe::Recipe;

/// The longest that one try may take; over it a failed sign-in would miss its step of half a second.
pub(super) const MAX_COST: Duration = Duration::from_millis(400);
/// What is quicker is wrapped: half of what argon2id takes at the least parameters that are allowed.
pub(super) const MIN_COST: Duration = Duration::from_millis(10);
/// The longest password that is tried against a hash of another system.
pub(super) const MAX_PASSWORD_BYTES: usize = 256;
/// The longest text that is read.
pub(super) const MAX_TEXT_BYTES: usize = 1_024;
