//! Sign-up: an identifier, a password, and a code that proves the identifier.
//!
//! ```text
//!   pending ──right code──▶ account ──▶ sign-in flow that enrols the second factor
//!      │ ▲
//!      └─┘ wrong code (five a code), resend (a new code, the old one is void; ten codes in all)
//!   pending ──24 h──▶ gone
//! ```
//!
//! A pending sign-up is acknowledged work and lives in PostgreSQL; its `sup_` token is kept as a digest, its code
//! as an HMAC bound to the row.
//!
//! Rules
//! * Starting does not look the identifier up. A taken one gets the same row, the same answer and the same work;
//!   later the outbox decides ([`decide`]): a code for a free identifier, a notice to the owner of a taken one.
//!   Nobody is told the code of a taken identifier, so that sign-up can only run out.
//! * Of two sign-ups of one address the first right code makes the account; the second gets `sign_up_expired`.
//! * The password is judged and hashed at the start, so that the code is the only thing left to prove.
//! * A try is counted before its code is looked at. A code is good for ten minutes, five tries and one use. Wrong ones are
//!   counted by identifier and by the network that gives them, over all sign-ups: after a hundred in a row no more is judged
//!   for a day of what this network guesses at this identifier, whether or not that is taken. However many networks there
//!   are, no more is guessed than the messages to the identifier allow (`accounts::admit_message`).

mod http;
mod model;
mod service;
mod store;

pub use http::routes;
pub use service::decide;
