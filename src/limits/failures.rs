//! Failures in a row, for each account and each lane, in PostgreSQL.
//!
//! A try is counted in a statement of its own *before* it is judged ([`Failures::raise`]), so neither the rollback of
//! what failed nor a parallel try escapes the count. The right answer ends the count ([`Failures::forgive`]); a try
//! at which nothing was judged gives its own back ([`Failures::give_back`]).
//!
//! * The 100th failure in a row closes the lane for a day (NIST SP 800-63B-4 §3.2.2 allows no more than 100).
//! * A device has ten (see `devices`).
//! * All identifiers of an account are one count. An identifier that nobody has is counted alike, by its lookup
//!   key, so a closed lane says nothing about who exists. Keys are keyed digests.
//! * A wrong password inside a session is that session's: strangers who guess at the door do not close it, and who stole it
//!   closes no door.
//! * Wrong codes for an identifier that anybody may ask for are counted by who asks, or strangers would close it to the
//!   person who has it: by account where an account asks, else by network.
//! * A count that was not raised for a month is forgotten.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgPool;
use strum::IntoStaticStr;
use strum::VariantArray;

use super::network;
use super::store;
use super::store::Times;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::Mac;
use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// How long a lane stays closed.
const CLOSED: TimeDelta = TimeDelta::hours(24);
/// How long a count is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// The failure in a row that the owner is told of, whatever the lane.
const NOTICED: i32 = 10;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Lane {
    /// A password, from anywhere, or inside a session.
    Password,
    /// A password, from a device that its owner has used before, or from one that a message made known to the account.
    Device,
    /// A code of any kind but that of a reset, which is bounded by what was sent (see `passwords`).
    Code,
    /// A code of an authenticator app in a recovery: strangers may try those, so they must not close the codes of sign-ins.
    Recovery,
}

impl Lane {
    /// The lane's name in the database.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The failure that closes it.
    pub fn most(self) -> i32 {
        match self {
            Self::Password | Self::Code | Self::Recovery => 100,
            Self::Device => 10,
        }
    }
}

/// Whose failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing<'a> {
    /// An account, by whichever of its identifiers.
    Account(AccountId),
    /// The lookup key of an identifier that no account has.
    Nobody(&'a str),
    /// A device of an account.
    Device(DeviceId),
    /// A session of an account.
    Session(SessionId),
    /// An account that wants the identifier with this lookup key.
    Wanting(AccountId, &'a str),
    /// Whoever tries, from one network, to prove the identifier with this lookup key.
    Visitor(IpAddr, &'a str),
}

/// A failure that was counted and may turn out to be none.
#[must_use]
pub struct Raised {
    key: Mac,
    lane: Lane,
    /// How many there are in a row, this one included.
    pub count: i32,
}

impl Raised {
    /// Whether the owner should hear of it: once while tries remain, and when none do.
    pub fn is_worth_a_notice(&self) -> bool {
        self.count == NOTICED || self.count == self.lane.most()
    }

    /// Whether this failure closes the lane.
    pub fn closes(&self) -> bool {
        self.count >= self.lane.most()
    }
}

/// Why a try is not even judged.
#[derive(Debug, thiserror::Error)]
pub enum FailuresError {
    /// Too many failures in a row.
    #[error("too many failures in a row")]
    Closed {
        /// When tries are judged again.
        retry_after_secs: u64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// The counters of one server.
pub struct Failures {
    db: PgPool,
    clock: Clock,
    master_keys: Arc<MasterKeys>,
    enabled: bool,
}

impl Failures {
    /// Prepares the counters.
    pub fn new(db: PgPool, clock: Clock, config: &Config) -> Self {
        Self { db, clock, master_keys: Arc::clone(&config.master_keys), enabled: config.limits }
    }

    /// Counts a failure ahead of the judgement.
    ///
    /// # Errors
    /// The lane is closed, or the database did not answer.
    pub async fn raise(&self, lane: Lane, whose: Failing<'_>) -> Result<Raised, FailuresError> {
        let key = self.key(whose);
        if !self.enabled {
            return Ok(Raised { key, lane, count: 0 });
        }
        let now = self.clock.now();
        let times = Times { now, remembered_since: now - REMEMBERED, closed_until: now + CLOSED };
        if let Some(count) = store::raise(&self.db, (&key, lane.name()), lane.most(), &times).await? {
            return Ok(Raised { key, lane, count });
        }
        let until = store::find(&self.db, &key, lane.name()).await?.and_then(|(_, until)| until);
        let left = until.map_or(0, |until| (until - now).num_seconds());
        Err(FailuresError::Closed { retry_after_secs: u64::try_from(left).unwrap_or(0).max(1) })
    }

    /// The answer was right: the count ends.
    pub async fn forgive(&self, raised: &Raised) -> Result<(), Internal> {
        store::delete(&self.db, &raised.key, raised.lane.name()).await
    }

    /// Nothing was judged: the try does not count.
    pub async fn give_back(&self, raised: &Raised) -> Result<(), Internal> {
        store::lower(&self.db, &raised.key, raised.lane.name()).await
    }

    /// Opens a lane, for something that proves more than its right answer would.
    pub async fn open(&self, lane: Lane, whose: Failing<'_>) -> Result<(), Internal> {
        store::delete(&self.db, &self.key(whose), lane.name()).await
    }

    /// Opens every lane, for an operator.
    pub async fn reset(&self, whose: Failing<'_>) -> Result<(), Internal> {
        for lane in Lane::VARIANTS {
            self.open(*lane, whose).await?;
        }
        Ok(())
    }

    /// The failures in a row and until when the lane is closed, for an operator.
    pub async fn standing(&self, lane: Lane, whose: Failing<'_>) -> Result<(i32, Option<DateTime<Utc>>), Internal> {
        Ok(store::find(&self.db, &self.key(whose), lane.name()).await?.unwrap_or((0, None)))
    }

    /// Deletes what is forgotten anyway.
    pub async fn purge(&self, db: &PgPool, limit: i64) -> Result<u64, Internal> {
        store::purge(db, self.clock.now() - REMEMBERED, limit).await
    }

    fn key(&self, whose: Failing<'_>) -> Mac {
        let (kind, bytes) = match &whose {
            Failing::Account(id) => (b"account".as_slice(), id.uuid().into_bytes().to_vec()),
            Failing::Nobody(lookup_key) => (b"nobody".as_slice(), lookup_key.as_bytes().to_vec()),
            Failing::Device(id) => (b"device".as_slice(), id.uuid().into_bytes().to_vec()),
            Failing::Session(id) => (b"session".as_slice(), id.uuid().into_bytes().to_vec()),
            Failing::Wanting(id, lookup_key) => {
                (b"wanting".as_slice(), [id.uuid().as_bytes().as_slice(), lookup_key.as_bytes()].concat())
            }
            Failing::Visitor(ip, lookup_key) => {
                (b"visitor".as_slice(), [lookup_key.as_bytes(), b"\0", &network::widest(*ip)].concat())
            }
        };
        self.master_keys.mac(MacPurpose::FailureKey, &[kind, &bytes])
    }
}
