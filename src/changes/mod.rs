//! Changes that wait for their time, so that their owner can stop them: the removal of an identifier, the claim of a
//! recycled number, the merge of two accounts.
//!
//! ```text
//!   begin ──▶ waiting ──its time has come──▶ applied
//!                │
//!                └──cancel token, before that time; reset, recovery──▶ cancelled
//! ```
//!
//! A feature begins a change ([`begin`]) in the transaction that tells its owner, with what can cancel it ([`tell`]), and
//! carries it out when it is [`due`] ([`end`]).
//! `POST /v1/account/changes/cancel` is for all of them alike.
//!
//! Rules
//! * A change ends once: applying and cancelling are each one statement that requires it to wait still. It cannot be
//!   cancelled once its time has come, nor applied before.
//! * A cancel token is 256 random bits, kept as a digest. Whoever shows it received the message: nothing else is asked.
//!   Used, unknown, too late or of a change that has ended otherwise: one answer, 410 `cancel_token_invalid`.
//! * Who cancels what was begun from inside the account says that a stranger was in it: every session ends, and the
//!   password opens nothing until it is reset. A claim comes from outside: cancelling it ends nothing else.
//! * Whatever waits that was begun from inside ends with that, with a reset of the password and with a recovery
//!   ([`withdraw`]): otherwise a merge that a thief has begun would outlast them. So does a passkey lose the right to sign in
//!   alone that was added in the 72 hours before any of these (`factors::demote_new_passkeys`): the thief's would begin again
//!   at once.
//! * A mail leads to a page of the configuration, where there is one, with the token in the fragment: opening it changes
//!   nothing. An SMS has no room for more than the token.
//! * The owner is told everywhere that a change was cancelled. Tokens go to proved identifiers alone, and of what was begun
//!   from inside to those alone that may carry a reset (`accounts::identifier_may_carry`) or that none is older than; the others
//!   get words. What a thief added minutes ago would stop its own removal, and lock the owner out each time.
//! * A change that cannot be carried out keeps no other waiting.
//! * Of one kind one change of one thing waits at a time.

mod http;
mod model;
mod service;
mod store;

pub use http::AccountChange;
pub use http::routes;
pub use http::shown;
pub use model::ChangeKind;
pub use model::Ended;
pub use model::PendingChange;
pub use service::Telling;
pub use service::begin;
pub use service::carried_out;
pub use service::due;
pub use service::end;
pub use service::tell;
pub use service::withdraw;
pub use store::cancelled_since;
pub use store::waiting;
