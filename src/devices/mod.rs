//! Known devices: a lane of their own, so that strangers who guess cannot keep an owner out.
//!
//! ```text
//!   completed sign-in or enrolment ──▶ device token ──shown with the next password──▶ failures counted by device
//!   POST /v1/device-tokens ──message──▶ …/confirm ──▶ device token
//! ```
//!
//! Rules
//! * A device token belongs to one account and is never a factor: with it, the same password and the same second factor
//!   are asked. It only decides by which count a wrong password is limited (`limits::Failures`).
//! * A token that is unknown, revoked or another account's is as good as none, and is answered like none.
//! * Ten failures in a row revoke a device. An account has at most twenty; a new one replaces the one that was not used
//!   for the longest time.
//! * Who never signed in on a device asks for a token by message. The request does not look the identifier up; the
//!   worker sends to those who have an account, and nothing to the others. The message's token works once, for ten
//!   minutes, and opens a lane, nothing else.
//! * Until somebody has completed a sign-in on it, a device that a message made known has no count of its own: all of an
//!   account share one, and the tenth failure in a row closes it for a day. There is one such device at a time. So whoever
//!   reads the messages has ten guesses a day, however many tokens they ask for, and drives out one device of the owner's at most.

mod http;
mod model;
mod service;
mod store;

pub use http::routes;
pub use model::DeviceToken;
pub use model::KnownDevice;
pub use model::Recognised;
pub use service::decide;
pub use service::issue;
pub use service::recognise;
pub use service::revoke;
pub use store::known;
