//! The account in its owner's hands: the profile, the factors and the recovery codes.
//!
//! Rules
//! * Everything here needs an access token of a session that is alive and whose `aud` contains the issuer.
//! * A change is an act: it is written with its audit row in one transaction.
//! * A factor is added in two steps, the second of which gives its first code, or the new passkey, back; it is removed at once. Both need an
//!   `auth_time` within ten minutes, and the owner is told. The last factor stays.
//! * New recovery codes void the old ones, need an `auth_time` within ten minutes, and the owner is told.

mod http;
mod model;
mod service;

pub use http::routes;
