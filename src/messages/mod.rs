//! What the service sends to people, and how it leaves.
//!
//! A feature writes a message with [`enqueue`], in the transaction of the change that it tells of, and rings
//! [`Wake`] after the commit. The worker of its channel (`deliveries`) claims due rows, lets the feature decide where a
//! decision is due, renders the text and hands it to a provider of the channel ([`Transport`]): SMTP, a service that
//! speaks as Twilio does, or any HTTP service that takes signed JSON.
//!
//! States: `queued` → `sent`, `dropped` (expired, used or replaced code, or nothing to say) or `dead` (refused for
//! good by all providers, or too many attempts).
//!
//! Rules:
//! * Address, values and code are sealed and bound to their row; nothing here logs them, nor a text, nor what a
//!   provider wrote beside its status and error code.
//! * Whatever is no longer queued is wiped: neither address nor code outlives it. A dead notice alone keeps them until
//!   it expires, so that an operator can have it tried again.
//! * A claim is a lease: a row whose worker died is due again when the lease runs out. Every ending of a claim is one
//!   `UPDATE` that requires the row to be queued still and the claim to be this one.
//! * A message leaves at least once, under one key (`Idempotency-Key`, Message-ID): the row's id, whatever the attempt,
//!   so that a provider or receiver can tell a repetition.
//! * A code is dropped when it was used or replaced ([`drop_for_flow`]); the worker asks once more ([`is_current`])
//!   right before it sends.
//! * Codes go to destinations that nobody has proved yet, so their texts hold service, code and minutes and nothing
//!   that a request brought along, not even a name.
//! * What goes to a proved destination goes to the form in which its owner proved it ([`Decision::SendTo`]): upper and lower
//!   case before the `@` are one mailbox to us, and on some hosts two.
//! * A code takes the way that was asked for ([`Channels`]) and goes to the one destination that it proves. An SMS has
//!   at most 70 UTF-16 units, so that it is one; its last line binds the code to the site. A call reads the digits one by
//!   one, three times.
//! * A link leads to a page of the configuration and to no other; its token travels in the fragment, which no server and
//!   no mail scanner sees, so that opening it changes nothing. Only mails have room for links.
//! * A receipt of a provider ([`record_receipt`]) is written once; one of arrival ends a message that is queued still.
//! * A call says its code after a key was pressed, where the provider can; by a webhook it is one text.
//! * A provider that fails three times in a row is left alone for a while. A channel without a working provider is not
//!   open: it is not offered, and who asks for it is refused with `channel_unavailable`; a message for which nobody chose
//!   waits.
//! * No provider's failure is ever a success, and no failure of one is told to the person as if a code were wrong.
//! * In development a channel without a provider leads to an inbox that is a table.

mod attempt;
mod breaker;
mod channels;
mod code;
mod kind;
mod model;
mod payload;
mod post;
mod receipts;
mod render;
mod signatures;
mod smtp;
mod store;
mod transport;
mod twilio;
mod twiml;
mod wake;
mod webhook;

pub use attempt::Claimed;
pub use attempt::Decision;
pub use attempt::Failure;
pub use attempt::Outgoing;
pub use attempt::Rendered;
pub use channels::Capacity;
pub use channels::ChannelRefused;
pub use channels::Channels;
pub use channels::Way;
pub use code::code_mac;
pub use code::is_code;
pub use code::new_code;
pub use code::new_long_code;
pub use kind::MessageKind;
pub use model::Channel;
pub use model::Message;
pub use model::NewContent;
pub use model::NewMessage;
pub use receipts::Receipt;
pub use receipts::twilio_receipt;
pub use render::Letterhead;
pub use render::render;
pub use signatures::TWILIO_SIGNATURE;
pub use signatures::WEBHOOK_SIGNATURE;
pub use signatures::is_signed;
pub use signatures::is_signed_by_twilio;
pub use store::endings::Ending;
pub use store::endings::finish;
pub use store::endings::give_up_expired;
pub use store::inbox::InboxFilter;
pub use store::inbox::InboxItem;
pub use store::inbox::clear as inbox_clear;
pub use store::inbox::list as inbox_list;
pub use store::operator::Listed as ListedMessage;
pub use store::operator::list as list_messages;
pub use store::operator::record_receipt;
pub use store::operator::retry_now as retry_message;
pub use store::operator::show as show_message;
pub use store::outbox::claim;
pub use store::outbox::drop_for_flow;
pub use store::outbox::drop_for_flows;
pub use store::outbox::enqueue;
pub use store::outbox::is_current;
pub use transport::Transport;
pub use transport::TransportFault;
pub use twiml::open_script;
pub use wake::Wake;
