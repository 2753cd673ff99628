//! The account in its owner's hands: the profile, the factors and the recovery codes, what happened, its export and its
//! end.
//!
//! Rules
//! * Everything here needs an access token of a session that is alive and whose `aud` contains the issuer.
//! * A change is an act: it is written with its audit row in one transaction.
//! * A factor is added in two steps, the second of which gives its first code, or the new passkey, back; it is removed at once. Both need an
//!   `auth_time` within ten minutes, and the owner is told, at phones that are factors, too: those removed included, the new
//!   one not. The last factor stays.
//! * Events are what the audit log has of the account: ids and kinds, never a secret, nor from where an operator acted.
//! * The export is everything that is held about a person, without secrets. It needs an `auth_time` within ten minutes.
//! * A closure needs one too. It ends the other sessions and gives thirty days, in which the account can be kept after
//!   all, exported, and signed out of; everything else is 403 `account_closed`. Then the account is purged within a day:
//!   its id remains, a keyed digest of its name in another system, and events that name nobody. Of keeping and purging
//!   that race exactly one has an effect. The owner is told at once, three days before the end, and when the account is
//!   kept. What is not closing is not kept: 404.
//! * A merge takes another account of the same person in: who signed in to both within ten minutes is the owner of both. It
//!   waits 72 hours, in which the token sent to every identifier of either stops it, but for new ones (`changes`). Two
//!   accounts that do not go together are 409 `merge_conflict`, which is judged again when its time has come; then identifiers
//!   and factors move, but for a phone that both have, and the other account is gone with its password, recovery codes and
//!   sessions. An account takes part in one merge at a time, also of two that cross: both rows are locked, in the order of
//!   their ids. A dry run changes nothing.
//! * `mergeable` names accounts where a phone was proved that was proved here too. Nobody merges by that alone.
//! * New recovery codes void the old ones, need an `auth_time` within ten minutes, and the owner is told.

mod http;
mod model;
mod service;

pub use http::routes;
pub use service::merge_due;
pub use service::remind_of_closures;
