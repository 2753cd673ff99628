//! All SQL of messages: the outbox, and the inbox of `sekisho dev`.

pub(super) mod endings;
pub(super) mod inbox;
pub(super) mod operator;
pub(super) mod outbox;
