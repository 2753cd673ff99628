//! How claims of the outbox end.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgPool;

use crate::crypto;
use crate::ids::MessageId;
use crate::internal::Internal;
use crate::messages::attempt::Claimed;

/// The longest pause between two attempts.
const MAX_PAUSE_SECS: i64 = 900;

/// How a claim ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The message has left.
    Sent {
        /// Who took it.
        provider: String,
        /// What they call it.
        reference: Option<String>,
    },
    /// There is nothing to say.
    Dropped,
    /// It never will leave, for this reason.
    Dead(String),
    /// It is tried again after a pause, unless it has expired by then; the reason is kept.
    Retry(String),
    /// The worker stops before it has tried: somebody else may, at once.
    HandedBack,
}

impl Ending {
    /// The ending's name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Dropped => "dropped",
            Self::Dead(_) => "dead",
            Self::Retry(_) => "retried",
            Self::HandedBack => "handed_back",
        }
    }
}

/// Ends a claim; without effect when the message is not this claim's any more.
pub async fn finish(pool: &PgPool, claimed: &Claimed, ending: &Ending, now: DateTime<Utc>) -> Result<(), Internal> {
    match ending {
        Ending::Sent { provider, reference } => sent(pool, claimed, (provider, reference.as_deref()), now).await,
        Ending::Dropped => given_up(pool, claimed, ("dropped", None), now).await,
        Ending::Dead(reason) => given_up(pool, claimed, ("dead", Some(reason)), now).await,
        Ending::Retry(reason) => retry(pool, claimed.id, claimed.attempt, reason, now).await,
        Ending::HandedBack => hand_back(pool, claimed, now).await,
    }
}

/// Kind and channel become those of what was sent, which may not be those of what was enqueued. A receipt may have been
/// faster.
async fn sent(
    pool: &PgPool,
    claimed: &Claimed,
    (provider, reference): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET state = 'sent', kind = $3, channel = $4, payload_sealed = NULL, finished_at = $5,
             provider = $6, provider_reference = $7
         WHERE id = $1 AND state IN ('queued', 'sent') AND attempts = $2",
        claimed.id.uuid(),
        claimed.attempt,
        claimed.message.content.kind.name(),
        claimed.message.content.channel.name(),
        now,
        provider,
        reference,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Nothing is left of what was dropped. A dead notice can be tried again until it expires; the owner of a dead code asks for
/// another one.
async fn given_up(
    pool: &PgPool,
    claimed: &Claimed,
    (state, reason): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET state = $3, finished_at = $4, last_error = coalesce($5, last_error),
             payload_sealed = CASE WHEN $3 = 'dead' AND flow_id IS NULL THEN payload_sealed END
         WHERE id = $1 AND state = 'queued' AND attempts = $2",
        claimed.id.uuid(),
        claimed.attempt,
        state,
        now,
        reason,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Wipes what has expired, also where nothing is claimed: dead letters, and what waits for a broken channel. Answers how
/// many.
pub async fn give_up_expired(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, Internal> {
    let wiped = sqlx::query!(
        "UPDATE outbox SET payload_sealed = NULL, finished_at = coalesce(finished_at, $1),
             state = CASE state WHEN 'queued' THEN 'dropped' ELSE state END
         WHERE payload_sealed IS NOT NULL AND expires_at <= $1 AND (state = 'dead' OR due_at <= $1)",
        now,
    )
    .execute(pool)
    .await?;
    Ok(wiped.rows_affected())
}

pub(super) async fn retry(
    pool: &PgPool,
    id: MessageId,
    attempt: i32,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET due_at = least($3, expires_at), last_error = $4
         WHERE id = $1 AND state = 'queued' AND attempts = $2",
        id.uuid(),
        attempt,
        now + pause(attempt, u16::from_be_bytes(crypto::random_bytes())),
        reason,
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn hand_back(pool: &PgPool, claimed: &Claimed, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET due_at = $3, attempts = attempts - 1 WHERE id = $1 AND state = 'queued' AND attempts = $2",
        claimed.id.uuid(),
        claimed.attempt,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The pause after a failed attempt: doubles from two seconds to a quarter of an hour; `random` spreads its second
/// half, so that what failed together does not return together.
fn pause(attempt: i32, random: u16) -> TimeDelta {
    let doublings = u32::try_from(attempt).unwrap_or(1).clamp(1, 20);
    let longest_ms = 2_i64.pow(doublings).min(MAX_PAUSE_SECS) * 1000;
    let half = longest_ms / 2;
    TimeDelta::milliseconds(half + half * i64::from(random) / i64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as a row may have.
    const MAX_ATTEMPTS: i32 = 250;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour_and_no_further() {
        assert_eq!(pause(1, 0), TimeDelta::seconds(1));
        assert_eq!(pause(1, u16::MAX), TimeDelta::seconds(2));
        for attempt in 1..=MAX_ATTEMPTS {
            assert!(pause(attempt, 0) <= pause(attempt + 1, 0));
            assert!(pause(attempt, u16::MAX) <= TimeDelta::seconds(MAX_PAUSE_SECS));
        }
        assert_eq!(pause(i32::MAX, u16::MAX), TimeDelta::seconds(MAX_PAUSE_SECS));
    }
}
