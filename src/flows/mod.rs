//! What all flows are made of: sealed records that expire, tries, the one code that is on its way, ids that are burnt,
//! and what every step may refuse ([`StepError`]).
//!
//! A flow is whatever a person begins with one request and ends with another: a sign-in, an enrolment, a
//! re-authentication. Everything here but the burnt ids is in Redis and may be lost: then the flow begins again.
//!
//! Rules
//! * A record is sealed under its key's name; whether it has expired is judged by our clock, from the value itself.
//! * A try is counted before it is looked at, and given back when nobody could look at it ([`Try`]). The right code ends the
//!   row of failures once it had its effect.
//! * One code at a time is on its way for a flow: another voids it, comes after half a minute at the soonest, and has tries
//!   of its own. It is bound to its flow and to what it proves, and good for ten minutes.
//! * An effect burns an id in PostgreSQL in its own transaction, so that nothing is accepted twice, also not after Redis
//!   forgot or came back to an earlier state.

mod code;
mod step;
mod store;
mod tries;

pub use code::Sending;
pub use code::SentCode;
pub use code::send_code;
pub use step::StepError;
pub use store::FLOW_SECS;
pub use store::consume;
pub use store::find;
pub use store::forget;
pub use store::forget_tries;
pub use store::is_consumed;
pub use store::save;
pub use tries::REAUTHENTICATION;
pub use tries::Refusal;
pub use tries::Try;

/// Wrong codes that are answered; the next one is not even looked at.
pub const TRIES: i64 = 5;
