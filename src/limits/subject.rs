//! Whose requests are counted together.

use std::net::IpAddr;

use super::network;
use crate::ids::AccountId;
use crate::ids::SessionId;

/// Whose requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The caller's address; its networks count.
    Network(IpAddr),
    /// An account.
    Account(AccountId),
    /// A session, so that whoever stole one uses up nothing of the others.
    Session(SessionId),
    /// The limit key of an identifier.
    Recipient(&'a str),
    /// The limit key of an identifier, as long as it is asked for from one network: of an IPv6 caller the /48.
    Visitor(IpAddr, &'a str),
}

impl Subject<'_> {
    /// What the keys are made of, the first byte keeping the kinds apart, and their share of the quota.
    pub(super) fn keys(self) -> Vec<(Vec<u8>, u32)> {
        match self {
            Self::Network(ip) => network::of(ip),
            Self::Account(id) => vec![([b"a".as_slice(), id.uuid().as_bytes()].concat(), 1)],
            Self::Session(id) => vec![([b"s".as_slice(), id.uuid().as_bytes()].concat(), 1)],
            Self::Recipient(key) => vec![([b"r".as_slice(), key.as_bytes()].concat(), 1)],
            Self::Visitor(ip, key) => vec![([b"v", key.as_bytes(), b"\0", &network::widest(ip)].concat(), 1)],
        }
    }
}
