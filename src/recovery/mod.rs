//! Recovery: the slow way back for someone who has lost mailbox, phone or second factor.
//!
//! ```text
//!   awaiting_contact ──code──▶ waiting ──72 h──▶ two proofs? ──yes──▶ open ──complete──▶ completed
//!          │                      ▲                  │ no             ▲                     │
//!          │                      │                  ▼                │                     ▼
//!          │                      └──a late──awaiting_operator────────┘          sign-in flow that enrols
//!          │                         proof, 24 h     │     an operator           a second factor, or asks
//!          │                                         └──operator──▶ denied       for one that is left
//!          │
//!          │   waiting, awaiting_operator or open ─▶ cancelled: by a token in a notice, by a full sign-in, by another one that
//!          │                                                    completes, by newer ones of the same identifier
//!          └─▶ gone: after 24 h; after 30 days, whatever became of it, once the contact was proved
//! ```
//!
//! A recovery lives in PostgreSQL: it is acknowledged work of a month. Its row is in one of `awaiting_contact`, `waiting`,
//! `approved`, `cancelled`, `denied`, `completed`; what a person is told of a waiting one follows from the time and the
//! proofs ([`model::State::told`]). Every transition is one `UPDATE` that requires the state it starts from.
//!
//! Rules
//! * Nobody is told who has an account. Starting writes the same row and the same code for every identifier; the outbox
//!   looks the identifier up when the code leaves ([`decide`]). A recovery of an identifier that nobody has counts tries,
//!   waits and expires like any other; its proofs are wrong like wrong ones, with the same work.
//! * It opens when the contact was proved 72 hours ago *and* two proofs of different kinds were given: password, recovery
//!   code, factor, code at an identifier. What was declared lost counts for none, the code of the contact neither.
//!   A destination is one kind: a number that is identifier and factor is an identifier. Otherwise an operator decides, once
//!   the wait is over.
//! * Whatever makes the proofs enough leaves the owner 24 hours: given later than that before the end of the wait, or after it,
//!   it moves the end to a day from then, and owner and contact are told at once, on any day. So nobody serves the wait first
//!   and proves when the owner has long been told. It cannot be shortened by proofs that come together, and a proof more moves
//!   nothing. When thirty days would be over before, it lives 72 hours longer than it waits.
//! * A code goes to a destination only if it is an identifier or a phone of the account, was not declared lost, and is not too
//!   new to carry a recovery. The answer is the same for every destination.
//! * A try is counted before it is looked at: five a code, five codes of authenticator apps and twenty wrong proofs a recovery.
//!   What can be guessed counts among the failures of the account as well, whatever the recovery: passwords with the
//!   passwords of sign-ins, codes of apps in a lane of their own, a hundred in a row. Recovery codes (80 bits) and codes
//!   at a destination (bound to their recovery) do not: strangers could close them to the owner. One network begins five
//!   recoveries of an identifier a day, so it closes nothing that day.
//! * What a determined stranger can close for a day, from several networks or over several days: the codes of apps in
//!   recoveries, and, by sign-ins, the password. Recovery codes, codes at destinations and an operator remain, and the app
//!   in sign-ins; the recovery lives for a month.
//! * The failures of an identifier that nobody has proved are whose they are in a sign-in, so that both together do not tell
//!   that it was imported. A refused password takes a whole step of time, as there.
//! * Which proofs count is shown to whoever holds the token (`proofs`). Only a right one ever stands there, so it tells nothing
//!   but to those who gave it: a recovery of nobody has none, like one whose proofs were wrong. Password, recovery code or app
//!   that stands there is not looked at again: 200, nothing changes and nothing is used up. That says no more of the value
//!   than the list does. A code at a destination is always looked at: what it proves depends on where it went, and an answer
//!   without a look would tell whether that is the account's.
//! * A recovery has one code on its way. The pause of thirty seconds after a code ends when the contact is proved, so that the
//!   first code to another destination need not wait for the contact's.
//! * A proof counts as long as what it was made of is there: the password in that version, that set of recovery codes, that
//!   factor, that identifier. Whoever stole one loses it when the owner renews or removes it.
//! * When its account is gone, deleted or merged, a recovery goes on like one of nobody; it would tell otherwise that there was
//!   one. What was typed in it stays sealed, and is forgotten with it.
//! * While it waits, the owner is told at every identifier and phone, at the start, every day, and when it opens; once a day
//!   for all recoveries of the account together, so that strangers cannot flood anybody. Of enough proofs that came late and of
//!   an operator's approval they are told besides, on any day, and of a denial and a cancellation, after which nothing is left
//!   to stop. A message carries a token that ends the recoveries that stood when it was sent, once, and a mail the link of a
//!   page where it can be given (`pages.cancel_recovery`). What begins later is told of anew: whoever had the mailbox once
//!   stops nothing with it.
//! * Who can end a recovery had settled in the account when its wait began, reckoned 72 hours back from its end: an identifier
//!   or phone that had been there for 72 hours, or with which the account was made (`accounts::identifier_settles_at`,
//!   `accounts::factor_settles_at`). The tokens of others end nothing older than they are; who could end none gets words. So
//!   whoever was in an account for a moment does not keep its owner from coming back, not by a recovery of their own beside it
//!   either.
//! * The contact is told too, in the language of the one who began: when the wait is over, that it is open or that proofs are
//!   missing; when late proofs are enough; when an operator opens it; when it is denied or cancelled. Each once, so there are
//!   few, and of many that are cancelled at once it is told once. Recoveries of nobody get the same words at the same times, from
//!   the same work: whoever tells looks at the recovery, never at the account. The words hold nothing of any account. Only
//!   "open" and "enough" are never said of nobody, and then right proofs or an operator have gone before. A message to a phone
//!   is paid for as one to any number that nobody has proved, and left out when that is spent.
//! * A full sign-in with a factor that had settled in the same sense ends it, in the transaction that opens the session.
//!   Renewed recovery codes are new.
//! * What it opens with two kinds of proofs has always seen a password, a recovery code or a factor besides the code at a
//!   destination, so that whoever took over a number or a mailbox alone gets nowhere. A password that a message has set is
//!   none, until something else was proved in a sign-in; then it has to be given again.
//! * Recoveries of one account do not hinder each other. The one that completes ends the others, and every session.
//! * What ends them ends those whose contact is proved, with as many statements whatever their number. One that still awaits its
//!   contact is nothing yet: nobody hears of it or ends it, and after a day it is gone.
//! * Of one identifier at most fifty wait or are open. One more displaces another: the one with the fewest proofs, of these
//!   the one whose contact was proved first; never one that an operator has approved. So strangers who have many mailboxes and
//!   can prove nothing keep no owner from beginning one and end none in which anything was proved; for one in which nothing
//!   was they need fifty newer ones. It is the same for an identifier that nobody has, so that it tells nothing.
//! * Completing opens no session: it removes what was lost, sets the new password, and begins a sign-in flow. A new password
//!   is needed unless the old one was a proof. The contact becomes an identifier, if nobody has it, and is told if not; being
//!   new it carries neither a reset nor a recovery for 72 hours. Identifiers that were lost leave as if their owner had removed
//!   them: after 72 hours, and the old address can stop it; the last one stays. The owner is told whether any leaves.
//! * Tokens are kept as digests, codes as HMACs, what was typed is sealed.
//!
//! What it does not hide: that a recovery was cancelled is told to the one who began it, from which they learn, days later and
//! with its owner warned, that there is an account.

mod http;
mod model;
mod operator;
mod service;
mod store;

pub use http::problem;
pub use http::routes;
pub use model::RecoveryError;
pub use operator::Decided;
pub use operator::ListedRecovery;
pub use operator::ShownRecovery;
pub use operator::Verdict;
pub use operator::decide_by_operator;
pub use operator::list;
pub use operator::of_account;
pub use operator::show;
pub use service::Ready;
pub use service::cancel_by_sign_in;
pub use service::complete;
pub use service::decide;
pub use service::purge;
pub use service::ready;
pub use service::tell_owners;
