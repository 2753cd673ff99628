//! The only reader of the clock.
//!
//! Every rule about time is judged by [`Clock::now`], bound into SQL and scripts as a value; tests move the
//! clock instead of waiting. Times are whole microseconds, as PostgreSQL keeps them.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use chrono::DateTime;
use chrono::SubsecRound;
use chrono::TimeDelta;
use chrono::Utc;

/// The time of one server: the system's, plus what a test has added.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows the system's time.
    pub fn system() -> Self {
        Self::default()
    }

    /// The time now, in whole microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one home of the system clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let offset = TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed));
        (DateTime::<Utc>::from(SystemTime::now()) + offset).trunc_subsecs(6)
    }

    /// Moves this clock, and every clone of it, forward.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.fetch_add(millis, Ordering::Relaxed);
    }
}

/// Measures how long something took; not affected by a moved clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "the one home of the monotonic clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Waits until a whole number of `step`s has passed since the start, so that a refusal does not tell by its time what
    /// was done for it.
    pub async fn whole_step(&self, step: Duration) {
        tokio::time::sleep(rest_of_step(self.elapsed(), step)).await;
    }
}

/// What is missing to the next multiple of `step`.
fn rest_of_step(elapsed: Duration, step: Duration) -> Duration {
    let (elapsed, step) = (elapsed.as_micros(), step.as_micros());
    if step == 0 {
        return Duration::ZERO;
    }
    Duration::from_micros(u64::try_from(step - elapsed % step).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_waits_for_the_next_whole_step() {
        let ms = Duration::from_millis;
        for (elapsed, rest) in [(0, 500), (1, 499), (499, 1), (500, 500), (1234, 266)] {
            assert_eq!(rest_of_step(ms(elapsed), ms(500)), ms(rest));
        }
        assert_eq!(rest_of_step(ms(3), Duration::ZERO), Duration::ZERO);
    }
}
