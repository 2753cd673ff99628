//! Second factors: authenticator apps, phones, passkeys and recovery codes.
//!
//! An enrolment begins as a row that is not confirmed and lives ten minutes; the first right code, or the new passkey,
//! confirms it. A check has two halves: [`check`] finds outside any transaction what the answer would use up (the time
//! step of an app, the code that was sent, the challenge to a passkey, the digest of a recovery code), and
//! [`Match::burn`] uses it up inside the transaction of its effect, by one conditional statement. Whoever comes second
//! finds it burnt.
//!
//! Rules
//! * A time step is accepted once, by whatever endpoint, the confirming one included; a step before the newest
//!   used one never (RFC 6238 §5.2). One step of drift either way is allowed.
//! * A phone is a factor once a code came back from it. Its codes are bound to their flow, good once and for ten
//!   minutes; another voids the one before. It goes to that number and no other, by SMS or, when asked for, by call.
//! * A passkey (WebAuthn Level 3) is kept by its authenticator, which can find it by itself, and answers only after it has
//!   verified the person. It knows the account by a random handle. No credential is registered twice.
//! * A challenge is bound to its flow, or to its session in the account, to one passkey where one is asked, and lives ten
//!   minutes; another voids the one before. It is sealed in Redis and burnt in PostgreSQL by the one answer that counts.
//! * An answer is refused whole, and nothing is written but the failure, when type, challenge, origin, rp id, flags, signature
//!   or owner are not the right ones, or when the signature count did not rise: a copy of the passkey is in use.
//! * A passkey alone is a whole proof. One that was added in the last 72 hours when the account is proved anew to be its
//!   owner's (a reset, a recovery, a change that its owner cancels) is a second factor from then on and nothing more: alone it
//!   is refused like an unknown one. The passkey that an account was made with stays what it is, and nothing is removed: with
//!   fewer factors the account would be opened by less ([`demote_new_passkeys`]).
//! * The owner hears of what changes how the account is opened at every phone that is a factor, too, and at the one that has
//!   just left ([`notify`]); not at one that has just given its first code back.
//! * A phone that carried the reset of the password does not answer until something else has ([`answering`]).
//! * An account has ten recovery codes of 80 bits, shown once, kept as argon2id digests under one salt, each good
//!   for one use. A new set voids the old one.
//! * Enrolment inside a sign-in needs an account without any confirmed factor, judged under the account's lock, so
//!   a thief's open enrolment dies when the owner enrols.
//! * Recovery codes are no factor of their own: an account with nothing else has not enrolled yet.
//! * A factor is removed at once, by one statement under the account's lock, and never the last one. One number is one
//!   factor of an account.

mod http;
mod imported;
mod model;
mod passkeys;
mod recovery_codes;
mod service;
mod store;
mod totp;

pub use http::Asked;
pub use http::ConfirmMethod;
pub use http::Enrolment;
pub use http::EnrolmentKind;
pub use http::passkeys_are_here;
pub use http::read_confirmation;
pub use http::read_credential;
pub use imported::ImportedFactor;
pub use imported::ImportedProof;
pub use imported::MIN_SECRET_BYTES;
pub use imported::export;
pub use imported::insert_imported;
pub use model::Begun;
pub use model::CheckError;
pub use model::Confirmation;
pub use model::ConfirmedFactor;
pub use model::EnrolmentCode;
pub use model::FactorKind;
pub use model::MOST;
pub use model::Match;
pub use model::NotConfirmed;
pub use model::NotRemoved;
pub use model::PendingFactor;
pub use model::Presented;
pub use model::Sent;
pub use model::Wanted;
#[cfg(any(test, fuzzing))]
pub use passkeys::credential_property;
pub use recovery_codes::RecoveryCodes;
#[cfg(any(test, fuzzing))]
pub use recovery_codes::code_property;
pub use service::Answering;
pub use service::DevelopmentCode;
pub use service::Place;
pub use service::answering;
pub use service::begin;
pub use service::challenge;
pub use service::check;
pub use service::check_apps;
pub use service::check_enrolment;
pub use service::check_recovery_code;
pub use service::claimed_owner;
pub use service::confirm_enrolment;
pub use service::demote_new_passkeys;
pub use service::development_code;
pub use service::make_recovery_codes;
pub use service::notify;
pub use service::pending;
pub use service::remove;
pub use service::replace_recovery_codes;
pub use service::resend_enrolment;
pub use service::sent_to;
pub use service::tell_phone;
pub use service::tell_phones;
pub use store::confirmed;
pub use store::holders;
pub use store::move_confirmed;
pub use store::recovery_codes_left;
pub use store::remove_all;
pub use store::rename;
