//! Whether a provider is worth another try.
//!
//! Works → broken (three failures in a row) → on trial (the pause is over, one message goes first) → works, or broken
//! for twice as long, a minute at most. It is told the time, and knows nothing of messages.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// So many failures in a row are no accident.
const FAILURES: u32 = 3;
/// The first pause, and the longest; in seconds.
const FIRST_PAUSE_SECS: i64 = 30;
const LONGEST_PAUSE_SECS: i64 = 60;
/// A trial that says nothing for this long has got lost; another may begin. Longer than any attempt takes.
const TRIAL: TimeDelta = TimeDelta::seconds(20);

/// The state of one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    /// It is used.
    Works {
        /// Failures in a row.
        failures: u32,
    },
    /// It is left alone until the pause is over.
    Broken {
        /// How often in a row it broke.
        times: u32,
        /// The end of the pause.
        until: DateTime<Utc>,
    },
    /// One message tries it.
    OnTrial {
        /// How often in a row it broke.
        times: u32,
        /// When the trial counts as lost.
        until: DateTime<Utc>,
    },
}

impl Breaker {
    /// Of a way that nobody has tried yet.
    pub(super) const NEW: Self = Self::Works { failures: 0 };

    /// How long nothing goes this way; nothing when it works, or when it is time for a trial.
    pub(super) fn wait(self, now: DateTime<Utc>) -> Option<TimeDelta> {
        match self {
            Self::Works { .. } => None,
            Self::Broken { until, .. } | Self::OnTrial { until, .. } => {
                Some(until - now).filter(|left| *left > TimeDelta::zero())
            }
        }
    }

    /// Whether a message may go this way now. After the pause the first one that asks begins the trial.
    pub(super) fn admit(&mut self, now: DateTime<Utc>) -> bool {
        if self.wait(now).is_some() {
            return false;
        }
        if let Self::Broken { times, .. } | Self::OnTrial { times, .. } = *self {
            *self = Self::OnTrial { times, until: now + TRIAL };
        }
        true
    }

    /// The provider did its part, even if it refused the message.
    pub(super) fn succeeded(&mut self) {
        *self = Self::NEW;
    }

    /// It did not. What was under way before the pause began changes nothing.
    pub(super) fn failed(&mut self, now: DateTime<Utc>) {
        *self = match *self {
            Self::Works { failures } if failures + 1 < FAILURES => Self::Works { failures: failures + 1 },
            Self::Works { .. } => broken(1, now),
            Self::OnTrial { times, .. } => broken(times + 1, now),
            still @ Self::Broken { .. } => still,
        };
    }
}

fn broken(times: u32, now: DateTime<Utc>) -> Breaker {
    let secs = FIRST_PAUSE_SECS.saturating_mul(2_i64.saturating_pow(times - 1)).min(LONGEST_PAUSE_SECS);
    Breaker::Broken { times, until: now + TimeDelta::seconds(secs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(secs)
    }

    fn broken_at(secs: i64) -> Breaker {
        let mut breaker = Breaker::NEW;
        for _ in 0..FAILURES {
            assert!(breaker.admit(at(secs)));
            breaker.failed(at(secs));
        }
        breaker
    }

    #[test]
    fn three_failures_in_a_row_break_it_and_a_success_between_does_not() {
        let mut breaker = Breaker::NEW;
        for _ in 0..10 {
            breaker.failed(at(0));
            breaker.failed(at(0));
            breaker.succeeded();
        }
        assert!(breaker.admit(at(0)));
        let mut broken = broken_at(0);
        assert!(!broken.admit(at(0)) && !broken.admit(at(29)));
        assert_eq!(broken.wait(at(29)), Some(TimeDelta::seconds(1)));
    }

    #[test]
    fn after_the_pause_one_message_tries_it() {
        let mut breaker = broken_at(0);
        assert!(breaker.admit(at(30)));
        assert!(!breaker.admit(at(30)), "a second one");
        breaker.succeeded();
        assert!(breaker.admit(at(30)) && breaker.admit(at(30)));
    }

    #[test]
    fn a_trial_that_fails_doubles_the_pause_to_a_minute_at_most() {
        let (mut breaker, mut now) = (broken_at(0), 0);
        for pause in [30, 60, 60, 60] {
            assert_eq!(breaker.wait(at(now)), Some(TimeDelta::seconds(pause)));
            now += pause;
            assert!(breaker.admit(at(now)));
            breaker.failed(at(now));
        }
    }

    #[test]
    fn a_lost_trial_is_followed_by_another() {
        let mut breaker = broken_at(0);
        assert!(breaker.admit(at(30)) && !breaker.admit(at(49)) && breaker.admit(at(50)));
    }

    #[test]
    fn what_was_under_way_prolongs_no_pause() {
        let mut breaker = broken_at(0);
        breaker.failed(at(5));
        assert_eq!(breaker.wait(at(5)), Some(TimeDelta::seconds(25)));
    }
}
