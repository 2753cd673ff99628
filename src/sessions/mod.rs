//! Sessions: opened by a completed sign-in, kept alive by rotating refresh tokens.
//!
//! A refresh token is `key id ‖ session id ‖ generation ‖ secret ‖ HMAC over all of it`; no token is stored. The
//! session's row keeps the SHA-256 of the secret, so neither the key alone nor the database alone forges one, and
//! a damaged token is refused before the database is asked.
//!
//! Generation *n* of a session whose row shows generation *g*:
//!
//! | shown | what happens |
//! |---|---|
//! | n = g | the row goes to n+1, whose token is the answer |
//! | n = g−1, within 30 s of the hand-out of g | the same token g again, silently: parallel tabs, a retry |
//! | n = g−1, later | the same token g once more, once per generation, audited: a phone that lost the answer in a tunnel; its 30 s begin anew |
//! | n < g otherwise | theft or a copy: the session ends in a statement of its own before the 401 `refresh_token_reused`, with an audit row and a notice to the owner |
//! | n > g | a database that lost its last second in a failover: goes to n+1 |
//!
//! The successor is computed, not drawn, and the rotation is one statement, so N racers get one successor.
//!
//! Rules
//! * A session opens only under the account's lock ([`crate::accounts::LockedAccount`]), for an account that admits it,
//!   and with the version of the password that its flow saw: nothing outlives a password change.
//! * It ends when it was idle too long, when it is too old whatever happens, when its owner or a reuse ends it, and
//!   with the others when the password is reset or changed ([`end_every`]).
//!   Expiry is judged by our clock, not by the database's.
//! * An account has at most a hundred that nobody has ended. One more ends, in its transaction, one that has run out, or
//!   else the one that was used longest ago (`too_many`). So however often a thief signs in, all can be ended at once.
//! * [`CurrentSession`] is the only way into an endpoint with an access token: it needs a token whose `aud`
//!   contains the issuer *and* a session that is alive now, so a sign-out works at once here.
//! * A closing account opens sessions, whose access tokens are for this service alone and open three things: to keep the
//!   account after all, to export it, to sign out ([`EvenClosing`]). All else, and a refresh, is 403 `account_closed`; the
//!   refresh token is not used up by that and goes on when the account is kept.
//! * A request may be long under way. Whatever it changes asks under the account's lock whether the session is alive still
//!   ([`lock`]), so nothing of a session is done after a reset or a change of the password has ended it. What only ends
//!   sessions, or leads nowhere without another act, does not ask.
//! * What is asked with an access token counts for its session alone (`limits`), also after that has ended: whoever stole one
//!   uses up nothing of what the owner needs in another.
//! * Sensitive acts ask [`CurrentSession::admit_recent`]: an `auth_time` within ten minutes, which only a
//!   sign-in or a re-authentication gives.

mod acting;
mod http;
mod model;
mod refresh_token;
mod service;
mod store;

pub use acting::lock;
pub use acting::require_alive;
pub use http::Answer;
pub use http::TokenDelivery;
pub use http::TokenSet;
pub use http::routes;
pub use http::token_set;
pub use model::CurrentSession;
pub use model::EndReason;
pub use model::EvenClosing;
pub use model::HeldSession;
pub use model::NewSession;
pub use model::OpenError;
pub use model::OpenedSession;
#[cfg(any(test, fuzzing))]
pub use refresh_token::refresh_token_property;
pub use service::end_every;
pub use service::open;
pub use store::held;
pub use store::used_since;
