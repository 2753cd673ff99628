//! "Which address did I use?": the identifiers of an account, masked, sent to a contact that the account has proved.
//!
//! The request writes one row of the outbox for every contact, known or not; the worker decides ([`decide`]) what leaves:
//!
//! | the contact is | what leaves |
//! |---|---|
//! | an identifier of an account, or a phone that is a factor there | what that account has proved, masked |
//! | a mail address that came with an import and that nobody has proved | that the old password signs in with it |
//! | another mail address that nobody has proved | that there is no account with it |
//! | a number that nobody has proved | nothing: an SMS to a stranger costs money and tells them nothing |
//!
//! Rules
//! * The answer, the work and the rows are the same for every contact; nobody looks it up while the caller waits.
//! * What came with an import and was never proved may be somebody else's: it is not listed.
//! * Hints alone leave, and only to a destination that was proved. A message to anybody else says nothing that the
//!   request brought along.
//! * An owner is greeted by name and sees the time of their zone, as in every notice.
//! * A reminder opens nothing.

mod http;
mod service;

pub use http::routes;
pub use service::decide;
