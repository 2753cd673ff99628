//! What providers of messages tell us: that a message arrived or never will, and that somebody who was called pressed a
//! key.
//!
//! Flow: a provider was given a URL with the message's id (`messages::twilio`) or knows where to post
//! (`POST /v1/provider-events/{provider}`) → its signature is checked with the secret of that provider → a receipt is
//! written to the message's row, or the rest of a call is said.
//!
//! Rules:
//! * Nothing is believed before its signature: of Twilio over the public URL and the fields (`X-Twilio-Signature`),
//!   of a webhook over time and body (`Sekisho-Signature`, at most five minutes old).
//! * The first receipt that is final counts, whoever repeats it; it must come from the provider that took the message.
//! * A receipt of arrival ends a message that is queued still: the provider's yes was lost on its way to us, and there
//!   is nothing to repeat.
//! * What the receipt says is kept as one word; numbers and texts in it are not.
//! * A call says its code after a key was pressed. The code stands sealed in the URL that the provider was given, bound
//!   to the message, since its row is wiped by then; it is said until it expires.
//!
//! Refused: an unknown provider, or one that tells nothing (404 `not_found`); a missing or wrong signature (403
//! `forbidden`); a body that cannot be read (400, 422). A receipt for a message that is gone is taken and forgotten, or the
//! provider would repeat it for days.

mod http;
mod model;
mod service;

pub use http::routes;
