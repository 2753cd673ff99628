//! The account: its row and its lock, its identifiers, its password, and how its owner is reached.
//!
//! Rules
//! * One mailbox or number, one account: the *lookup key* of an identifier (folded, lower case, IDNA; E.164) is unique
//!   in the database.
//! * An imported identifier that nobody has proved signs in and is sent the code that proves it, nothing else; whoever
//!   proves it in a sign-up has it. An old user name is good until the first sign-in has completed.
//! * The row of an account is the first lock of whatever opens a session or changes password, factors, identifiers
//!   or status ([`lock`]); a [`LockedAccount`] is what `sessions::open` takes, so the order of locks is a type.
//! * A password's hash is sealed to its account. Judging one costs the same for an unknown identifier, for an account
//!   without a password and for a wrong one ([`authenticate`]); closed and suspended are told after the right one.
//! * A change of the password raises its version, and whatever saw another version opens nothing. A reset is bound to
//!   version, identifier and a number of its own, and used up by one statement: see `passwords`.
//! * One destination is one proof, and what is new carries nothing for 72 hours: see `one_proof`.
//! * An account that its owner closes can be signed in to, to take that back, until its time has come; then it is as good
//!   as gone, and within a day it is (the states stand at the head of `closing.rs`). Nothing of it is inherited by whoever
//!   signs up with its identifier.

mod admission;
mod closing;
mod contact;
mod imports;
mod model;
mod one_proof;
mod passwords;
mod service;
mod store;
mod tries;
mod typed;

pub use admission::Asker;
pub use admission::WayBack;
pub use admission::admit_message;
pub use admission::admit_reset;
pub use admission::recipient_keys;
pub use closing::end_merged;
pub use closing::erase_closed;
pub use closing::exists;
pub use closing::purge_closed;
pub use contact::CODE_SECS;
pub use contact::Contact;
pub use contact::Delivery;
pub use contact::RESEND_SECS;
pub use contact::contact;
pub use contact::contact_by_phone;
pub use contact::notify;
pub use contact::send_code;
pub use contact::send_notice;
pub use contact::send_notice_to_stranger;
pub use imports::Login;
pub use imports::Taken;
pub use imports::export_page;
pub use imports::insert_imported;
pub use imports::prove;
pub use imports::taken;
pub use model::AccountRemainder;
pub use model::AccountStatus;
pub use model::AuthenticateError;
pub use model::Authenticated;
pub use model::BoundReset;
pub use model::Holder;
pub use model::Identifier;
pub use model::IdentifierError;
pub use model::IdentifierKind;
pub use model::ImportedAccount;
pub use model::ImportedIdentifier;
pub use model::LegacyLogin;
pub use model::LockedAccount;
pub use model::NewAccount;
pub use model::OwnIdentifier;
pub use model::PasswordStanding;
pub use model::Profile;
pub use model::VerifiedIdentifier;
pub use model::identifier_hint;
#[cfg(any(test, fuzzing))]
pub use model::identifier_property;
pub use model::limit_key;
pub use model::phone_country;
pub use one_proof::HOLD;
pub use one_proof::factor_may_carry;
pub use one_proof::factor_settles_at;
pub use one_proof::identifier_may_carry;
pub use one_proof::identifier_settles_at;
pub use one_proof::may_answer;
pub use passwords::ResetBinding;
pub use passwords::accept_password;
pub use passwords::bind_reset;
pub use passwords::set_password;
pub use passwords::use_reset;
pub use passwords::void_password;
pub use passwords::void_resets;
pub use service::Candidate;
pub use service::authenticate;
pub use service::candidate;
pub use service::candidate_of;
pub use service::create;
pub use service::is_password;
pub use service::lock_two;
pub use service::profile;
pub use service::remainder;
pub use store::begin_closing;
pub use store::cancel_closing;
pub use store::count_inactive;
pub use store::displace_unproved;
pub use store::end_legacy_login;
pub use store::forget_reset_carrier;
pub use store::holder_of;
pub use store::lock;
pub use store::owner_of;
pub use store::password_standing;
pub use store::proved_address;
pub use store::remind_closing;
pub use store::require_password_change;
pub use store::reset_is_open;
pub use store::update_profile;
pub use tries::record_alone;
pub use tries::record_failure;
pub use tries::try_password;
pub use typed::Faults;
pub use typed::destination;
pub use typed::field_code;
pub use typed::read_client;
pub use typed::read_country;
pub use typed::read_destination;
pub use typed::read_display_name;
pub use typed::read_identifier;
pub use typed::read_label;
pub use typed::read_locale;
pub use typed::read_phone;
pub use typed::served;
