//! Changing, asking for a reset, using it; and what the outbox asks.

mod change;
mod proof;
mod request;
mod reset;

pub(super) use change::change;
pub use request::decide;
pub(super) use request::request;
pub(super) use reset::confirm;
pub(super) use reset::inspect;

/// Requests stand under the digests of their tokens.
const ASKED: &str = "reset";
/// What a link leads to stands under the digest of its token.
const LINKED: &str = "reset-link";
/// What a request was bound to stands under its flow.
const BOUND: &str = "reset-bound";
