//! The audit log: one row per act, written in the transaction of the act itself.
//!
//! A row names what happened, to whom, from where and in which request; ids and kinds only, never an address,
//! a code or a token.
//!
//! Rules
//! * Whatever happened to an account is its owner's business ([`of_account`]). Where an operator sat is not, nor what of
//!   the service acted by itself: [`Caller::on_this_machine`].
//! * Addresses are cut to their network and rows are deleted when they are old enough ([`cut_addresses`], [`purge`]).
//! * Of an account that is gone the ids remain ([`erase`]).

mod kind;
mod store;

pub use kind::EventKind;
pub use store::PastEvent;
pub use store::cut_addresses;
pub use store::erase;
pub use store::of_account;
pub use store::purge;
pub use store::record;
pub use store::record_each;

use std::net::IpAddr;
use std::net::Ipv4Addr;

use crate::clock::Clock;
use crate::crypto;
use crate::ids::AccountId;
use crate::ids::RequestId;
use crate::ids::SessionId;
use crate::text::Language;

/// Where operators and workers act.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Who is calling: what sessions, messages and audit rows need to know of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's address; see `http::client` for which proxies are believed.
    pub ip: IpAddr,
    /// The `User-Agent`, printable and at most 512 characters.
    pub user_agent: String,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: RequestId,
    /// The language of the answer.
    pub language: Language,
}

impl Caller {
    /// The service itself, or somebody at the command line of its machine.
    pub fn on_this_machine(clock: &Clock, what: &str) -> Self {
        Self {
            ip: HERE,
            user_agent: what.to_owned(),
            request_id: crypto::new_id(clock.now()),
            language: Language::DEFAULT,
        }
    }
}

/// One act, ready to be recorded.
pub struct Event<'a> {
    kind: EventKind,
    caller: &'a Caller,
    account: Option<AccountId>,
    session: Option<SessionId>,
    client_id: Option<&'a str>,
    detail: serde_json::Value,
}

impl<'a> Event<'a> {
    /// An act of `caller`.
    pub fn new(kind: EventKind, caller: &'a Caller) -> Self {
        Self { kind, caller, account: None, session: None, client_id: None, detail: serde_json::json!({}) }
    }

    /// The account that it happened to, if it is known.
    pub fn account(mut self, account: impl Into<Option<AccountId>>) -> Self {
        self.account = account.into();
        self
    }

    /// Whose business it is.
    pub fn owner(&self) -> Option<AccountId> {
        self.account
    }

    /// The session that it happened in.
    pub fn session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// The client that the flow belongs to.
    pub fn client(mut self, client_id: &'a str) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// Ids and kinds that explain it.
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}
