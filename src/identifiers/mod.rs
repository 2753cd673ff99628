//! The identifiers of an account in its owner's hands: add, prove, choose the primary one, remove.
//!
//! ```text
//!   add ──code──▶ pending ──right code──▶ proved ──remove──▶ leaving ──72 h──▶ gone
//!                    │                      ▲                   │
//!                    └──24 h──▶ gone        └───cancel token────┘
//! ```
//!
//! A pending identifier is a row of its own that counts for nothing and keeps nobody else from the identifier; its code is
//! a flow's (`flows`). A removal is a change that waits (`changes`); the janitor carries it out within a minute of its time.
//!
//! Rules
//! * Adding does not look up whose an identifier is. A taken one gets the same rows and the same answer; later the outbox
//!   decides ([`decide`]): a code for a free identifier, a notice to the owner of a taken one.
//! * Of two accounts that prove one identifier the first right code gets it; the other is told so (409 `conflict`).
//! * A code is good for ten minutes, five tries and one use, and for the one pending identifier that it was sent for. Wrong
//!   ones are counted by account and identifier: after a hundred in a row no more is judged for a day, of this account's at
//!   this identifier. Neither is the identifier closed to others, nor the account's second factor; and proving one
//!   identifier takes back nothing that was guessed at another.
//! * Adding, choosing and removing need an `auth_time` within ten minutes. The owner is told at every identifier.
//! * One identifier is the primary one, always: what is chosen takes the place of the other in one transaction, and when
//!   the primary one leaves, the oldest that stays takes its place. One that is leaving cannot be chosen nor added again; the
//!   refusal says so (`leaving`).
//! * A removal takes effect after 72 hours. Until then the identifier signs in as before, and who receives its messages can
//!   stop it with the token that was sent there; one that was added in the last 72 hours gets no token while an older one is
//!   there (`changes`). Asking again changes nothing. One that was never proved goes at once.
//! * Of a removal the owner is told at phones that are factors, too (`factors::notify`).
//! * An account keeps one identifier that is not leaving (409 `last_identifier`), and has ten at most (409
//!   `limit_reached`), however requests race. A number that a stranger claims (`claims`) is not leaving yet.
//! * A recovery brings an identifier that it proved itself ([`adopt`]) and lets go what is lost ([`lose`]), with the same wait.
//! * Other people's identifiers, pending ones included, are not there (404).

mod http;
mod model;
mod service;
mod store;

pub use http::AccountIdentifier;
pub use http::routes;
pub use http::shown;
pub use model::MOST;
pub use model::WantedIdentifier;
pub use service::adopt;
pub use service::apply_due;
pub use service::decide;
pub use service::detach;
pub use service::lose;
pub use store::drop_unproved;
pub use store::wanted;
