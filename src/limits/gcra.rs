//! GCRA, the generic cell rate algorithm (ITU-T I.371, annex A), in milliseconds.
//!
//! Each key has one number: the theoretical arrival time, at which its whole quota is free again. A request moves
//! it on by one interval and is admitted when that leaves it at most one window ahead. A number from a clock that
//! ran ahead counts as one window, so it delays by one interval and no more.

use super::Limited;
use super::policy::Policy;

/// The same decision as [`decide`], where the number lives in Redis. Answers the milliseconds to wait.
/// The time to live is twice the window: it only collects what has been forgotten.
pub(super) const SCRIPT: &str = r"
local now, interval, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = tonumber(redis.call('GET', KEYS[1]) or '0')
local next = math.min(math.max(arrival, now), now + window) + interval
local wait = next - now - window
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', 2 * window)
return 0
";

/// The numbers of one policy.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    pub(super) interval_ms: i64,
    pub(super) window_ms: i64,
}

impl Rate {
    pub(super) fn of(policy: Policy) -> Self {
        let quota = policy.quota();
        let window_ms = i64::from(quota.window_secs) * 1000;
        Self { interval_ms: window_ms / i64::from(quota.requests), window_ms }
    }
}

/// The new arrival time, or how many milliseconds to wait.
pub(super) fn decide(arrival_ms: i64, now_ms: i64, rate: Rate) -> Result<i64, i64> {
    let next = arrival_ms.max(now_ms).min(now_ms + rate.window_ms) + rate.interval_ms;
    let wait = next - now_ms - rate.window_ms;
    if wait > 0 { Err(wait) } else { Ok(next) }
}

/// Says what a wait means to the caller: whole seconds, rounded up.
pub(super) fn admitted(policy: Policy, wait_ms: i64) -> Result<(), Limited> {
    let retry_after_secs = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
    if retry_after_secs == 0 { Ok(()) } else { Err(Limited { policy, retry_after_secs }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { interval_ms: 10_000, window_ms: 60_000 };
    const NOW: i64 = 1_800_000_000_000;

    fn spend(mut arrival: i64, now: i64, requests: usize) -> Result<i64, i64> {
        for _ in 0..requests {
            arrival = decide(arrival, now, RATE)?;
        }
        Ok(arrival)
    }

    #[test]
    fn the_whole_quota_may_come_at_once_and_returns_one_by_one() {
        let full = spend(0, NOW, 6).unwrap();
        assert_eq!(decide(full, NOW, RATE), Err(10_000));
        assert_eq!(decide(full, NOW + 9_999, RATE), Err(1));
        let next = decide(full, NOW + 10_000, RATE).unwrap();
        assert_eq!(decide(next, NOW + 10_000, RATE), Err(10_000));
        assert!(spend(full, NOW + 60_000, 6).is_ok(), "all of it after a window");
    }

    #[test]
    fn a_clock_that_ran_ahead_delays_by_one_interval() {
        assert_eq!(decide(NOW + 86_400_000, NOW, RATE), Err(10_000));
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        assert_eq!(admitted(Policy::Code, 0), Ok(()));
        for (wait, secs) in [(1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(admitted(Policy::Code, wait).unwrap_err().retry_after_secs, secs);
        }
    }
}
