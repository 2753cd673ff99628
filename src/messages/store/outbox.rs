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
use crate::messages::attempt::Claimed;
use crate::messages::kind::MessageKind;
use crate::messages::model::Channel;
use crate::messages::model::Message;
use crate::messages::model::NewMessage;
use crate::messages::payload;
use crate::messages::store::endings::retry;

/// How long a claim holds. Longer than a worker needs for all it does with a message; a row whose worker was
/// killed waits this long.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// More claims than the longest-lived message can use up with the pauses below; only a row that kills its worker
/// each time gets here.
const MAX_ATTEMPTS: i32 = 250;

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
pub async fn drop_for_flow(conn: &mut PgConnection, flow: FlowId, now: DateTime<Utc>) -> Result<(), Internal> {
    drop_for_flows(conn, &[flow], now).await
}

/// The same for many flows at once.
pub async fn drop_for_flows(conn: &mut PgConnection, flows: &[FlowId], now: DateTime<Utc>) -> Result<(), Internal> {
    let flows: Vec<_> = flows.iter().map(|flow| flow.uuid()).collect();
    sqlx::query!(
        "UPDATE outbox SET state = 'dropped', payload_sealed = NULL, finished_at = $2
         WHERE flow_id = ANY($1) AND state = 'queued'",
        &flows,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` due messages of a channel, codes before notices; what has expired, or was tried too often, is ended
/// on the way.
///
/// # Errors
/// The database did not answer. A row that cannot be opened (its master key is missing here) is logged and tried
/// again later.
pub async fn claim(
    pool: &PgPool,
    keys: &MasterKeys,
    clock: &Clock,
    (channel, limit): (Channel, i64),
) -> Result<Vec<Claimed>, Internal> {
    let now = clock.now();
    let rows = sqlx::query_as!(
        Row,
        "WITH due AS (
             SELECT id, CASE WHEN expires_at <= $1 THEN 'dropped' WHEN attempts >= $2 THEN 'dead' ELSE 'queued' END AS next
             FROM outbox WHERE channel = $5 AND state = 'queued' AND due_at <= $1
             ORDER BY flow_id IS NULL, due_at LIMIT $3 FOR UPDATE SKIP LOCKED
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
        channel.name(),
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
