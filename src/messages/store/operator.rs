//! What operators and providers see and change of the outbox: never an address, never a text.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ids::MessageId;
use crate::internal::Internal;
use crate::messages::model::Channel;
use crate::messages::receipts::Receipt;
use crate::messages::store::outbox::LEASE;

/// A row as an operator sees it.
#[derive(Debug)]
pub struct Listed {
    /// The row.
    pub id: Uuid,
    /// What it says.
    pub kind: String,
    /// The way that it takes.
    pub channel: String,
    /// `queued`, `sent`, `dropped` or `dead`.
    pub state: String,
    /// Claims so far.
    pub attempts: i32,
    /// Who took it.
    pub provider: Option<String>,
    /// What they call it.
    pub provider_reference: Option<String>,
    /// What they told of it later.
    pub delivery: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it is tried next, while it is queued.
    pub due_at: DateTime<Utc>,
    /// When it becomes worthless.
    pub expires_at: DateTime<Utc>,
    /// When it was sent or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// The newest messages, of one state or delivery if it is named.
pub async fn list(conn: &mut PgConnection, state: Option<&str>, limit: i64) -> Result<Vec<Listed>, Internal> {
    let rows = sqlx::query_as!(
        Listed,
        "SELECT id, kind, channel, state, attempts, provider, provider_reference, delivery, created_at, due_at, expires_at,
             finished_at, last_error
         FROM outbox WHERE ($1::text IS NULL OR state = $1 OR delivery = $1) ORDER BY id DESC LIMIT $2",
        state,
        limit,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// One message.
pub async fn show(conn: &mut PgConnection, id: MessageId) -> Result<Option<Listed>, Internal> {
    let row = sqlx::query_as!(
        Listed,
        "SELECT id, kind, channel, state, attempts, provider, provider_reference, delivery, created_at, due_at, expires_at,
             finished_at, last_error
         FROM outbox WHERE id = $1",
        id.uuid(),
    );
    Ok(row.fetch_optional(conn).await?)
}

/// Makes a message due at once: a dead one that is not wiped yet, or one that waits for its next attempt. False when it is
/// neither, or being sent just now.
pub async fn retry_now(conn: &mut PgConnection, id: MessageId, now: DateTime<Utc>) -> Result<bool, Internal> {
    let changed = sqlx::query!(
        "UPDATE outbox SET state = 'queued', due_at = $2, finished_at = NULL
         WHERE id = $1 AND payload_sealed IS NOT NULL AND expires_at > $2
           AND (state = 'dead' OR state = 'queued' AND due_at > $3)",
        id.uuid(),
        now,
        now + LEASE,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Writes what a provider told of a message that it took; the first receipt counts. A message that arrived although it is
/// queued still, or counts as dead, has left: the provider's yes was lost. Answers the channel when the receipt counted.
pub async fn record_receipt(
    conn: &mut PgConnection,
    (provider, id): (&str, MessageId),
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<Option<Channel>, Internal> {
    let channel = sqlx::query_scalar!(
        "UPDATE outbox SET delivery = $3, delivery_at = $4, provider = $2, last_error = coalesce($5, last_error),
             state = CASE WHEN $3 = 'delivered' AND state <> 'dropped' THEN 'sent' ELSE state END,
             payload_sealed = CASE WHEN $3 = 'delivered' THEN NULL ELSE payload_sealed END,
             finished_at = CASE WHEN $3 = 'delivered' THEN coalesce(finished_at, $4) ELSE finished_at END
         WHERE id = $1 AND delivery IS NULL AND coalesce(provider, $2) = $2
         RETURNING channel",
        id.uuid(),
        provider,
        receipt.name(),
        now,
        receipt.reason(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(channel.as_deref().and_then(Channel::parse))
}
