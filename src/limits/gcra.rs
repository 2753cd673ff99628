//! GCRA, the generic cell rate algorithm (ITU-T I.371, annex A), in milliseconds.
//!
//! Each key has one number: the theoretical arrival time, at which its whole quota is free again. A request moves
//! it on by one interval and is admitted when that leaves it at most one window ahead. A number from a clock that
//! ran ahead counts as one window, so it delays by one interval and no more.

use super::Limited;
use super::Standing;
use super::policy::Policy;

/// The same decision as [`decide`], where the number lives in Redis: answers the wait and the new arrival time.
/// The time to live is twice the window: it only collects what has been forgotten.
pub(super) const SCRIPT: &str = r"
local now, interval, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = tonumber(redis.call('GET', KEYS[1]) or '0')
local next = math.min(math.max(arrival, now), now + window) + interval
local wait = next - now - window
if wait > 0 then
  return {wait, next - interval}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', 2 * window)
return {0, next}
";

/// Takes one request back.
pub(super) const REFUND: &str = r"
local arrival = redis.call('GET', KEYS[1])
if arrival then
  redis.call('SET', KEYS[1], string.format('%.0f', tonumber(arrival) - tonumber(ARGV[1])), 'KEEPTTL')
end
";

/// The numbers of one policy, for one key.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    pub(super) interval_ms: i64,
    pub(super) window_ms: i64,
}

impl Rate {
    /// The policy's quota, so many times.
    pub(super) fn of(policy: Policy, times: u32) -> Self {
        let quota = policy.quota();
        let window_ms = i64::from(quota.window_secs) * 1000;
        Self { interval_ms: window_ms / i64::from(quota.requests) / i64::from(times), window_ms }
    }

    /// A share of the quota, at least one request.
    pub(super) fn shared(self, replicas: i64) -> Self {
        Self { interval_ms: (self.interval_ms * replicas.max(1)).min(self.window_ms), ..self }
    }

    /// Where a key with this arrival time stands.
    pub(super) fn standing(self, policy: Policy, arrival_ms: i64, now_ms: i64) -> Standing {
        let ahead = (arrival_ms - now_ms).clamp(0, self.window_ms);
        Standing {
            policy,
            remaining: u64::try_from((self.window_ms - ahead) / self.interval_ms).unwrap_or(0),
            reset_secs: u64::try_from(ahead).unwrap_or(0).div_ceil(1000),
        }
    }

    /// Says what a decision means to the caller: whole seconds, rounded up.
    pub(super) fn told(self, policy: Policy, decision: Decision, now_ms: i64) -> Result<Standing, Limited> {
        match decision {
            Decision { wait_ms: 1.., .. } => {
                let retry_after_secs = u64::try_from(decision.wait_ms).unwrap_or(0).div_ceil(1000);
                Err(Limited { policy, retry_after_secs })
            }
            _ => Ok(self.standing(policy, decision.arrival_ms, now_ms)),
        }
    }
}

/// What was decided about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// Zero when it was admitted.
    pub(super) wait_ms: i64,
    /// The arrival time from now on.
    pub(super) arrival_ms: i64,
}

/// Admits a request or says how long to wait.
pub(super) fn decide(arrival_ms: i64, now_ms: i64, rate: Rate) -> Decision {
    let next = arrival_ms.max(now_ms).min(now_ms + rate.window_ms) + rate.interval_ms;
    let wait_ms = next - now_ms - rate.window_ms;
    if wait_ms > 0 {
        return Decision { wait_ms, arrival_ms: next - rate.interval_ms };
    }
    Decision { wait_ms: 0, arrival_ms: next }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { interval_ms: 10_000, window_ms: 60_000 };
    const NOW: i64 = 1_800_000_000_000;

    fn spend(mut arrival: i64, now: i64, requests: usize) -> Decision {
        let mut decision = Decision { wait_ms: 0, arrival_ms: arrival };
        for _ in 0..requests {
            decision = decide(arrival, now, RATE);
            arrival = decision.arrival_ms;
        }
        decision
    }

    #[test]
    fn the_whole_quota_may_come_at_once_and_returns_one_by_one() {
        let full = spend(0, NOW, 6);
        assert_eq!(full.wait_ms, 0);
        let full = full.arrival_ms;
        assert_eq!(decide(full, NOW, RATE).wait_ms, 10_000);
        assert_eq!(decide(full, NOW + 9_999, RATE).wait_ms, 1);
        let next = decide(full, NOW + 10_000, RATE);
        assert_eq!(next.wait_ms, 0);
        assert_eq!(decide(next.arrival_ms, NOW + 10_000, RATE).wait_ms, 10_000);
        assert_eq!(spend(full, NOW + 60_000, 6).wait_ms, 0, "all of it after a window");
    }

    #[test]
    fn a_clock_that_ran_ahead_delays_by_one_interval() {
        assert_eq!(decide(NOW + 86_400_000, NOW, RATE).wait_ms, 10_000);
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        for (wait_ms, secs) in [(1, 1), (1000, 1), (1001, 2)] {
            let refused = RATE.told(Policy::Code, Decision { wait_ms, arrival_ms: NOW }, NOW).unwrap_err();
            assert_eq!(refused.retry_after_secs, secs);
        }
    }

    #[test]
    fn what_remains_and_when_all_of_it_is_back() {
        for (requests, remaining, reset_secs) in [(1, 5, 10), (2, 4, 20), (6, 0, 60)] {
            let told = RATE.told(Policy::Code, spend(0, NOW, requests), NOW).unwrap();
            assert_eq!((told.remaining, told.reset_secs), (remaining, reset_secs));
        }
    }

    #[test]
    fn a_share_is_at_least_one_request() {
        assert_eq!(RATE.shared(2).interval_ms, 20_000);
        assert_eq!(RATE.shared(50).interval_ms, 60_000);
        assert_eq!(RATE.shared(0).interval_ms, 10_000);
    }
}
