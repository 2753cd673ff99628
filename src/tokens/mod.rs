//! Access tokens: JWTs that every service checks by itself (RFC 9068), and the keys that they are checked with.
//!
//! [`issue`] signs a token for a session; it lives minutes and is never stored. [`verify`] judges one that came
//! back; it says whether the token is good, not whether its session still lives.
//!
//! **A token** is ES256 with the header `typ`, `alg`, `kid`. `aud` is an array: the issuer and the client's
//! audiences, or the one service that it was asked for. There is no `nbf`.
//!
//! **Refused** are, before any cryptography: more than 8 KiB; other than three parts of canonical base64url; a
//! header with any member missing, repeated or added (`crit`, `b64`, `jwk`, `jku`, `x5u`, `x5c` …); another `alg`
//! or `typ`; a `kid` that is not in the ring. Then: a wrong signature; claims that are missing, repeated or of
//! another JSON type; another issuer; an audience without the issuer, so that a token for one service does not
//! open Sekisho; `iat` or `nbf` in the future and `exp` in the past, each by our clock with five seconds of leeway.
//!
//! **The key ring** lives in PostgreSQL, private keys sealed and bound to their row; what is published is derived
//! from the opened private key, so that nobody who can only write to the table can publish a key. A key is published
//! `tokens.publish_ahead_secs` before it signs, signs for `tokens.rotation_secs`, and is dropped when its last
//! token has died. Every replica reads the ring every five seconds and whoever finds a key due makes it, one at a time.

mod http;
mod model;
mod operator;
mod service;
mod store;

#[cfg(test)]
mod tests;

pub use http::routes;
pub use model::AccessGrant;
pub use model::AccessTokenError;
pub use model::IssuedAccess;
pub use model::VerifiedAccess;
#[cfg(any(test, fuzzing))]
pub use model::access_token_property;
pub use operator::Dropped;
pub use operator::KeyState;
pub use operator::ListedKey;
pub use operator::Rotated;
pub use operator::drop_compromised;
pub use operator::list_keys;
pub use operator::rotate;
pub use service::issue;
pub use service::keep_key_ring;
pub use service::refresh_key_ring;
pub use service::verify;
