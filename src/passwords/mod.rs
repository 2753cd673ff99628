//! Passwords in their owner's hands: changed by who knows the old one, reset by who holds an identifier.
//!
//! ```text
//!   request ──▶ asked (Redis) + message ──worker──▶ bound to the password of an account ──link or code──▶ new password
//!      │                                     └──▶ nothing, or a notice: no account, or an identifier that is too new
//!      └─ 202, whoever has the identifier, or nobody
//! ```
//!
//! A request does not look the identifier up. It keeps the same records and writes the same message for every one; when
//! the message is due, the worker ([`decide`]) finds the account, binds the request to its password and lets the message
//! leave, or drops it. What was never bound counts its tries and expires like the rest, and no code of it is right.
//!
//! The records are in Redis, sealed, and may be lost or come back to an earlier state. What counts is the row of the
//! password: a binding names version, identifier and number of the reset, and using it is one statement that requires all
//! three (`accounts::use_reset`).
//!
//! Rules
//! * A reset counts once, for ten minutes, by link or by code; five wrong codes end it. A new request that was sent, a use, a
//!   change of the password and a change of the identifiers (`accounts::void_resets`) make the older ones void.
//! * The token of a link is in the fragment of a page of the configuration, and looking at it changes nothing: neither GET
//!   nor `inspect`. Only the POST that brings a new password uses it up.
//! * A message goes to the identifier as its owner has proved it, and not as it was typed; the answer tells what was typed.
//! * A reset signs nobody in and ends every session. The second factor is asked for at the next sign-in, and not at the
//!   destination that carried the reset (`accounts::may_answer`). Device tokens stay: they are no factor, and without them
//!   strangers could keep the owner out.
//! * An identifier that was added in the last 72 hours carries no reset; its owner is told (`accounts::identifier_may_carry`).
//! * Asking locks nobody out, and neither do wrong codes. Beyond the limits of a recipient nothing is sent and nothing
//!   is said; the message that was sent last, and the token of its request, stay good.
//! * Guessing is bounded by what was sent, and by no count that a stranger could use up: a code is tried with the token of
//!   its request alone, five times, and is right only if its message left. Ten leave at once for one identifier and ten an
//!   hour (half of them for one network), each to its owner's eyes: 1250 guesses in a day, of 10^8 codes, find one once in
//!   80,000 days. NIST SP 800-63B-4 §3.2.2 allows a hundred at codes of six digits: once in 10,000.
//! * A reset opens the lane of the password again, but not that of second factors, or who has the mailbox could guess at
//!   those for ever.
//! * A change needs the current password and an `auth_time` within ten minutes; a wrong one counts as a failure of the
//!   session, so that strangers who guess at the door do not keep the owner from it. It ends the other sessions, or all.
//! * The owner is told of every change and reset at every identifier and at every phone that is a factor, and what the next
//!   sign-in asks for.
//! * The policy judges a new password with what an attacker knows of its owner; before the token was proved, without.

mod http;
mod model;
mod service;

pub use http::routes;
pub use service::decide;
