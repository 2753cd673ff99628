//! Claims of recycled numbers: a carrier has given a number to somebody else, and the account of its former holder stands
//! in the way.
//!
//! ```text
//!   asked ──right code──▶ free: no account has the number, its holder may sign up
//!     │          │
//!     │          └─an account has it──▶ waiting ──30 d──▶ released: the holder may sign up
//!     │                                   │  │
//!     └──10 min──▶ gone                   │  └─30 d, the only identifier of an account in use──▶ stopped
//!                                         └─cancel token──▶ stopped
//! ```
//!
//! What was asked is a sealed record in Redis under the digest of its `icl_` token, and its code a flow's. What waits is a
//! change of the old account (`changes`); the janitor ends it.
//!
//! Rules
//! * Asking does not look the number up: everyone gets a code, which proves the number and nothing else. Only who gave it
//!   back learns whether an account has it.
//! * Only numbers are given to somebody else by their carriers; a mail address is refused (422 `invalid_phone`).
//! * The old account is told at once at its other identifiers, each with a token that stops the claim for the thirty days.
//!   An objection ends nothing else, and no claim of the same number begins for ninety days after it (409 `conflict`).
//! * Claiming again while a claim waits changes nothing and answers when it will be over.
//! * A released number leaves the old account, and so does the phone of this number as a factor; but never the last
//!   factor, for an account without one would be opened by less than before.
//! * The only identifier is released, too, unless somebody used the account since the claim began: an owner who could not
//!   be told anywhere else and is still there keeps it. An account that lost its only identifier keeps existing; an operator
//!   helps its owner.
//! * Who holds the number is told there once it is free, unless its owner let it go meanwhile.
//! * A code is good for ten minutes, five tries and one use. Wrong ones are counted by number and by the network that
//!   asked: after a hundred in a row no more is judged for a day, of what this network asked for this number. However many
//!   networks there are, no more is guessed than the messages to the number allow (`accounts::admit_message`, `limits`):
//!   a block from which no code comes back is closed for the day after twenty, which is a hundred guesses at it.

mod http;
mod model;
mod service;

pub use http::routes;
pub use service::end_due;
