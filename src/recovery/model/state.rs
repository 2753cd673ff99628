//! Where a recovery stands, and how it goes on.

use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use strum::IntoStaticStr;
use utoipa::ToSchema;

use super::NOTICE;
use super::WAIT;
use super::proof::Proved;
use crate::ids::FlowId;
use crate::internal::Internal;

/// How many kinds of proofs open a recovery.
const PROOFS: usize = 2;

/// Whether these proofs open a recovery, once its wait is over.
pub(crate) fn suffice(proofs: &[Proved]) -> bool {
    proofs.len() >= PROOFS
}

/// How a recovery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Cancelled,
    Denied,
    Completed,
}

/// Where a recovery stands, as its row has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    AwaitingContact,
    Waiting { opens_at: DateTime<Utc> },
    Approved { opens_at: DateTime<Utc> },
    Ended(Ending),
}

/// Where a recovery stands, as the person in it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// The code of the contact is to come.
    AwaitingContact,
    /// Proofs can be given; the owner can stop it.
    Waiting,
    /// The wait is over, but the proofs do not suffice: an operator decides, or a late proof.
    AwaitingOperator,
    /// It can be completed.
    Open,
    /// Its owner stopped it, another one completed, or it gave way to newer ones.
    Cancelled,
    /// An operator refused it.
    Denied,
    /// It is done.
    Completed,
}

impl Told {
    /// Its name, as the API and operators know it.
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}

impl State {
    /// Its name in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwaitingContact => "awaiting_contact",
            Self::Waiting { .. } => "waiting",
            Self::Approved { .. } => "approved",
            Self::Ended(Ending::Cancelled) => "cancelled",
            Self::Ended(Ending::Denied) => "denied",
            Self::Ended(Ending::Completed) => "completed",
        }
    }

    pub(crate) fn from_row(name: &str, opens_at: Option<DateTime<Utc>>, recovery: FlowId) -> Result<Self, Internal> {
        let state = match (name, opens_at) {
            ("awaiting_contact", _) => Some(Self::AwaitingContact),
            ("waiting", Some(opens_at)) => Some(Self::Waiting { opens_at }),
            ("approved", Some(opens_at)) => Some(Self::Approved { opens_at }),
            ("cancelled", _) => Some(Self::Ended(Ending::Cancelled)),
            ("denied", _) => Some(Self::Ended(Ending::Denied)),
            ("completed", _) => Some(Self::Ended(Ending::Completed)),
            _ => None,
        };
        state.ok_or_else(|| Internal::bug(format!("recoveries {recovery}: unknown state")))
    }

    /// When the wait is, or was, over.
    pub(crate) fn opens_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Waiting { opens_at } | Self::Approved { opens_at } => Some(opens_at),
            Self::AwaitingContact | Self::Ended(_) => None,
        }
    }

    /// What the person in it is told.
    pub(crate) fn told(self, now: DateTime<Utc>, proofs: &[Proved]) -> Told {
        match self {
            Self::AwaitingContact => Told::AwaitingContact,
            Self::Waiting { opens_at } | Self::Approved { opens_at } if now < opens_at => Told::Waiting,
            Self::Waiting { .. } if !suffice(proofs) => Told::AwaitingOperator,
            Self::Waiting { .. } | Self::Approved { .. } => Told::Open,
            Self::Ended(Ending::Cancelled) => Told::Cancelled,
            Self::Ended(Ending::Denied) => Told::Denied,
            Self::Ended(Ending::Completed) => Told::Completed,
        }
    }

    /// The contact gave its code back.
    pub(crate) fn contact_proved(self, now: DateTime<Utc>) -> Option<Self> {
        (self == Self::AwaitingContact).then_some(Self::Waiting { opens_at: now + WAIT })
    }

    /// Enough was proved, late in the wait or after it: its owner has time to hear of that.
    pub(crate) fn enough_proved(self, now: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::Waiting { opens_at } if opens_at < now + NOTICE => Some(Self::Waiting { opens_at: now + NOTICE }),
            _ => None,
        }
    }

    /// An operator stands in for the proofs, never for the wait.
    pub(crate) fn approved(self, now: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::Waiting { opens_at } if now >= opens_at => Some(Self::Approved { opens_at }),
            _ => None,
        }
    }

    /// An operator refuses it.
    pub(crate) fn denied(self) -> Option<Self> {
        self.opens_at().map(|_| Self::Ended(Ending::Denied))
    }

    /// It has its effect.
    pub(crate) fn completed(self, now: DateTime<Utc>, proofs: &[Proved]) -> Option<Self> {
        (self.told(now, proofs) == Told::Open).then_some(Self::Ended(Ending::Completed))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const OPEN: [Proved; 2] = [Proved::Password, Proved::Factor];

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn waiting(hours: i64) -> State {
        State::Waiting { opens_at: now() + TimeDelta::hours(hours) }
    }

    #[test]
    fn it_opens_by_the_wait_and_two_proofs() {
        for (state, proofs, told) in [
            (State::AwaitingContact, OPEN.as_slice(), Told::AwaitingContact),
            (waiting(1), &OPEN, Told::Waiting),
            (waiting(0), &OPEN, Told::Open),
            (waiting(0), &OPEN[..1], Told::AwaitingOperator),
            (waiting(0), &[], Told::AwaitingOperator),
            (State::Approved { opens_at: now() }, &[], Told::Open),
            (State::Approved { opens_at: now() + TimeDelta::seconds(1) }, &OPEN, Told::Waiting),
            (State::Ended(Ending::Cancelled), &OPEN, Told::Cancelled),
        ] {
            assert_eq!(state.told(now(), proofs), told, "{state:?} {proofs:?}");
            assert_eq!(state.completed(now(), proofs).is_some(), told == Told::Open, "{state:?} {proofs:?}");
        }
    }

    #[test]
    fn every_other_transition_has_its_beginning() {
        let opens_at = now() + WAIT;
        assert_eq!(State::AwaitingContact.contact_proved(now()), Some(State::Waiting { opens_at }));
        assert_eq!(waiting(0).approved(now()), Some(State::Approved { opens_at: now() }));
        assert_eq!(waiting(1).approved(now()), None, "an operator does not shorten the wait");
        assert_eq!(waiting(1).denied(), Some(State::Ended(Ending::Denied)));
        assert_eq!(State::AwaitingContact.denied(), None);
        for living in [State::AwaitingContact, waiting(1), State::Approved { opens_at: now() }] {
            assert_eq!(living.contact_proved(now()).is_some(), living == State::AwaitingContact);
        }
        for hours in [-400, 0, 23] {
            assert_eq!(waiting(hours).enough_proved(now()), Some(waiting(24)), "{hours}");
        }
        for early in [waiting(24), waiting(72), State::AwaitingContact, State::Approved { opens_at: now() }] {
            assert_eq!(early.enough_proved(now()), None, "{early:?}");
        }
        for ending in [Ending::Cancelled, Ending::Denied, Ending::Completed] {
            let ended = State::Ended(ending);
            assert_eq!(ended.denied().or(ended.approved(now())), None);
            assert_eq!(ended.contact_proved(now()).or(ended.completed(now(), &OPEN)), None);
        }
    }
}
