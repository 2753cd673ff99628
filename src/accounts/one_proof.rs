//! One destination, one proof: what a mailbox or a phone may do for an account, judged in this one place.
//!
//! Rules
//! * A mailbox or number is good for one of the two proofs that open an account. The one that carried the reset of the
//!   password cannot answer the second factor as well, nor become the factor that does, until another factor or a
//!   recovery code has opened a session ([`may_answer`]). Otherwise who takes over a number (a new SIM is enough) has
//!   both proofs in one hand. A mailbox is no second factor at all.
//! * What is new to an account carries neither a reset nor a recovery for [`HOLD`]: who holds a session for a moment could
//!   otherwise add a mailbox of their own and come back through it. The identifier that an account began with is not new
//!   to it ([`identifier_may_carry`], [`factor_may_carry`]).
//! * Nor does it end a recovery that was begun before it had been there for [`HOLD`]: otherwise whoever was in the account
//!   for a moment could keep its owner from coming back. What an account was made with may: its first identifier, and the
//!   factors of its first ten minutes ([`identifier_settles_at`], [`factor_settles_at`]).

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// How long a new identifier or phone factor carries neither a reset nor a recovery.
pub const HOLD: TimeDelta = TimeDelta::hours(72);
/// How long an account is being made: as long as the flow in which a sign-up enrols its first factor.
const MAKING: TimeDelta = TimeDelta::minutes(10);

/// Whether an identifier may carry a reset or a recovery now.
pub fn identifier_may_carry(
    now: DateTime<Utc>,
    account_created_at: DateTime<Utc>,
    identifier_verified_at: DateTime<Utc>,
) -> bool {
    identifier_verified_at <= account_created_at || now - identifier_verified_at >= HOLD
}

/// Whether a phone that is a factor may carry a recovery now.
pub fn factor_may_carry(now: DateTime<Utc>, factor_confirmed_at: DateTime<Utc>) -> bool {
    now - factor_confirmed_at >= HOLD
}

/// From when on an identifier may end what is begun in its account.
pub fn identifier_settles_at(
    account_created_at: DateTime<Utc>,
    identifier_verified_at: DateTime<Utc>,
) -> DateTime<Utc> {
    settles_at(account_created_at, identifier_verified_at)
}

/// From when on a factor may end what is begun in its account.
pub fn factor_settles_at(account_created_at: DateTime<Utc>, factor_created_at: DateTime<Utc>) -> DateTime<Utc> {
    settles_at(account_created_at + MAKING, factor_created_at)
}

fn settles_at(made_until: DateTime<Utc>, came_at: DateTime<Utc>) -> DateTime<Utc> {
    if came_at <= made_until { came_at } else { came_at + HOLD }
}

/// Whether a factor at this destination may answer, when `carrier` is what the last reset went to and nothing else has
/// been used since. Both are look-up keys; an authenticator app, a passkey or a recovery code is at no destination.
pub fn may_answer(carrier: Option<&str>, destination: Option<&str>) -> bool {
    destination.is_none() || destination != carrier
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "+819012345678";
    const OTHER: &str = "+819087654321";

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_new_to_an_account_carries_nothing_for_three_days() {
        let (created, added) = (at("2026-01-01T00:00:00Z"), at("2026-11-22T12:00:00Z"));
        for (now, may) in [
            ("2026-11-22T12:00:00Z", false),
            ("2026-11-25T11:59:59Z", false),
            ("2026-11-25T12:00:00Z", true),
            ("2027-11-25T12:00:00Z", true),
            // A clock that went back opens nothing.
            ("2026-11-22T11:59:00Z", false),
        ] {
            assert_eq!(identifier_may_carry(at(now), created, added), may, "{now}");
            assert_eq!(factor_may_carry(at(now), added), may, "{now}");
        }
    }

    #[test]
    fn the_identifier_that_an_account_began_with_is_not_new_to_it() {
        let created = at("2026-11-22T12:00:00Z");
        assert!(identifier_may_carry(created, created, created));
        assert!(identifier_may_carry(created, created, created - TimeDelta::days(400)), "one that was imported");
        assert!(!identifier_may_carry(created, created, created + TimeDelta::seconds(1)));
    }

    #[test]
    fn what_comes_to_an_account_later_settles_for_three_days() {
        let created = at("2026-11-22T12:00:00Z");
        for (came, identifier, factor) in [
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
            ("2026-11-22T12:10:00Z", "2026-11-25T12:10:00Z", "2026-11-22T12:10:00Z"),
            ("2026-11-22T12:10:01Z", "2026-11-25T12:10:01Z", "2026-11-25T12:10:01Z"),
            // It was imported with its account.
            ("2019-11-22T12:00:00Z", "2019-11-22T12:00:00Z", "2019-11-22T12:00:00Z"),
        ] {
            assert_eq!(identifier_settles_at(created, at(came)), at(identifier), "{came}");
            assert_eq!(factor_settles_at(created, at(came)), at(factor), "{came}");
        }
    }

    #[test]
    fn what_carried_the_reset_does_not_answer_as_well() {
        assert!(!may_answer(Some(PHONE), Some(PHONE)));
        for (carrier, destination) in [
            (None, Some(PHONE)),
            (Some(OTHER), Some(PHONE)),
            (Some("taro@example.jp"), Some(PHONE)),
            (Some(PHONE), None),
        ] {
            assert!(may_answer(carrier, destination), "{carrier:?} {destination:?}");
        }
        assert!(may_answer(None, None));
    }
}
