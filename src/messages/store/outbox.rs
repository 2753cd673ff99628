//! The outbox: all SQL of its table.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgPool;
use uuid::Uuid;

use crate::clock::Clock;
use crate::crypto;
use crate::crypto::MasterKeys;
use crate::ids::FlowId;
use crate::ids::MessageId;
use crate::internal::Internal;
use crate::messages::kind::MessageKind;
use crate::messages::model::Channel;
use crate::messages::model::Claimed;
use crate::messages::model::Message;
use crate::messages::model::NewMessage;
use crate::messages::payload;

/// How long a claim holds. Longer than a worker needs for all it does with a message; a row whose worker was
/// killed waits this long.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// More claims than the longest-lived message can use up with the pauses below; only a row that kills its worker
/// each time gets here.
const MAX_ATTEMPTS: i32 = 250;

/// The longest pause between two attempts.
const MAX_PAUSE_SECS: i64 = 900;

/// How a claim ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The message has left.
    Sent,
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
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Dead(_) => "dead",
            Self::Retry(_) => "retried",
            Self::HandedBack => "handed_back",
        }
    }
}

/// Writes a message in the transaction of the change that it tells of.
///
/// # Errors
/// A code, a link or a value is missing or does not belong to the kind; the database did not take the row.
pub async fn enqueue(
    conn: &mut PgConnection,
    keys: &MasterKeys,
    clock: &Clock,
    new: &NewMessage,
) -> Result<MessageId, Internal> {
    let Message { content, code, link, values, expires_at, .. } = &new.message;
    let known = link.is_none() || content.kind.may_link();
    if !known || code.is_some() != content.kind.carries_code() || !values.keys().eq(content.kind.values()) {
        return Err(Internal::bug(format!("a {} needs another code, link or other values", content.kind.name())));
    }
    let now = clock.now();
    let id: MessageId = crypto::new_id(now);
    sqlx::query!(
        "INSERT INTO outbox (id, flow_id, channel, kind, payload_sealed, due_at, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6)",
        id.uuid(),
        new.flow.map(FlowId::uuid),
        content.channel.name(),
        content.kind.name(),
        payload::seal(keys, id, &new.message)?,
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// Drops what still waits to be sent for a flow: its code was used or replaced.
///
/// # Errors
/// The database did not answer.
pub async fn drop_for_flow(conn: &mut PgConnection, flow: FlowId, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET state = 'dropped', payload_sealed = NULL, finished_at = $2
         WHERE flow_id = $1 AND state = 'queued'",
        flow.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` due messages; what has expired, or was tried too often, is ended on the way.
///
/// # Errors
/// The database did not answer. A row that cannot be opened (its master key is missing here) is logged and tried
/// again later.
pub async fn claim(pool: &PgPool, keys: &MasterKeys, clock: &Clock, limit: i64) -> Result<Vec<Claimed>, Internal> {
    let now = clock.now();
    let rows = sqlx::query_as!(
        Row,
        "WITH due AS (
             SELECT id, CASE WHEN expires_at <= $1 THEN 'dropped' WHEN attempts >= $2 THEN 'dead' ELSE 'queued' END AS next
             FROM outbox WHERE state = 'queued' AND due_at <= $1
             ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         UPDATE outbox SET
             state = due.next,
             payload_sealed = CASE due.next WHEN 'queued' THEN payload_sealed END,
             finished_at = CASE due.next WHEN 'queued' THEN NULL ELSE $1 END,
             attempts = attempts + 1,
             due_at = $4
         FROM due WHERE outbox.id = due.id
         RETURNING outbox.id, flow_id, channel, kind, payload_sealed, attempts, expires_at, created_at",
        now,
        MAX_ATTEMPTS,
        limit,
        now + LEASE,
    )
    .fetch_all(pool)
    .await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, attempt) = (MessageId::from(row.id), row.attempts);
        match row.open(keys) {
            Ok(Some(message)) => claimed.push(message),
            Ok(None) => tracing::info!(message_id = %id, "a message expired or was tried too often"),
            Err(error) => {
                tracing::error!(message_id = %id, %error, "a message cannot be read");
                retry(pool, id, attempt, "unreadable", now).await?;
            }
        }
    }
    Ok(claimed)
}

/// Whether the message still waits for this claim: its code was not used or replaced, and the lease was not lost.
///
/// # Errors
/// The database did not answer.
pub async fn is_current(conn: &mut PgConnection, claimed: &Claimed) -> Result<bool, Internal> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM outbox WHERE id = $1 AND state = 'queued' AND attempts = $2) AS "found!""#,
        claimed.id.uuid(),
        claimed.attempt,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// Ends a claim; without effect when the message is not this claim's any more.
///
/// # Errors
/// The database did not answer.
pub async fn finish(pool: &PgPool, claimed: &Claimed, ending: &Ending, now: DateTime<Utc>) -> Result<(), Internal> {
    match ending {
        Ending::Sent => end(pool, claimed, ("sent", None), now).await,
        Ending::Dropped => end(pool, claimed, ("dropped", None), now).await,
        Ending::Dead(reason) => end(pool, claimed, ("dead", Some(reason)), now).await,
        Ending::Retry(reason) => retry(pool, claimed.id, claimed.attempt, reason, now).await,
        Ending::HandedBack => hand_back(pool, claimed, now).await,
    }
}

/// Kind and channel become those of what was sent, which may not be those of what was enqueued.
async fn end(
    pool: &PgPool,
    claimed: &Claimed,
    (state, reason): (&str, Option<&String>),
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE outbox SET state = $3, kind = $4, channel = $7, payload_sealed = NULL, finished_at = $5, last_error = coalesce($6, last_error)
         WHERE id = $1 AND state = 'queued' AND attempts = $2",
        claimed.id.uuid(),
        claimed.attempt,
        state,
        claimed.message.content.kind.name(),
        now,
        reason,
        claimed.message.content.channel.name(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn retry(pool: &PgPool, id: MessageId, attempt: i32, reason: &str, now: DateTime<Utc>) -> Result<(), Internal> {
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

struct Row {
    id: Uuid,
    flow_id: Option<Uuid>,
    channel: String,
    kind: String,
    payload_sealed: Option<Vec<u8>>,
    attempts: i32,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl Row {
    /// The claim, or nothing when the row has just been ended.
    fn open(self, keys: &MasterKeys) -> Result<Option<Claimed>, Internal> {
        let Some(sealed) = self.payload_sealed else { return Ok(None) };
        let strange = |what: &str| Internal::bug(format!("outbox {}: unknown {what}", self.id));
        let kind = MessageKind::parse(&self.kind).ok_or_else(|| strange("kind"))?;
        let channel = Channel::parse(&self.channel).ok_or_else(|| strange("channel"))?;
        Ok(Some(Claimed {
            id: self.id.into(),
            flow: self.flow_id.map(FlowId::from),
            attempt: self.attempts,
            message: payload::open(keys, self.id.into(), &sealed, (kind, channel), (self.created_at, self.expires_at))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
