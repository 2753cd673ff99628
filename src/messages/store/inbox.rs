//! The inbox of `sekisho dev`: what would have left stands in a table, to be read by testers.

use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::internal::Internal;
use crate::messages::attempt::Claimed;
use crate::messages::attempt::Rendered;
use crate::messages::model::Channel;

/// Which messages are meant; an absent member means any.
#[derive(Clone, Debug, Default)]
pub struct InboxFilter {
    /// The recipient's look-up key.
    pub to: Option<String>,
    /// The way that it would have taken.
    pub channel: Option<Channel>,
    /// Not older than this.
    pub since: Option<DateTime<Utc>>,
}

/// A message as its recipient would have got it.
#[derive(Serialize, ToSchema)]
pub struct InboxItem {
    /// The id of the message.
    pub id: Uuid,
    /// The way that it would have taken.
    pub channel: Channel,
    /// The address, as its owner wrote it.
    pub to: String,
    /// The language of the text.
    pub locale: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The code in it, of digits, or the token (such as `cct_…`, `rcc_…`, `sdr_…`) where it carries one instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The link in it, if there is one: in mails alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When it arrived.
    pub at: DateTime<Utc>,
}

/// Puts a message in; a message that is there already stays as it is.
pub(crate) async fn put(
    pool: &PgPool,
    claimed: &Claimed,
    rendered: &Rendered,
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    let content = &claimed.message.content;
    sqlx::query!(
        "INSERT INTO development_inbox (id, channel, recipient, lookup_key, locale, subject, body, code, link, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        claimed.id.uuid(),
        content.channel.name(),
        content.address,
        content.lookup_key,
        content.language.tag(),
        rendered.subject,
        rendered.text,
        rendered.code,
        rendered.link,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// At most `limit` of the messages that the filter means, newest first; only what is older than `before`.
pub async fn list(
    conn: &mut PgConnection,
    filter: &InboxFilter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<InboxItem>, Internal> {
    let rows = sqlx::query!(
        "SELECT id, channel, recipient, locale, subject, body, code, link, at FROM development_inbox
         WHERE ($1::text IS NULL OR lookup_key = $1) AND ($2::text IS NULL OR channel = $2)
           AND ($3::timestamptz IS NULL OR at >= $3)
           AND ($4::uuid IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
        filter.to,
        filter.channel.map(Channel::name),
        filter.since,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let strange = || Internal::bug(format!("development_inbox {}: unknown channel", row.id));
            Ok(InboxItem {
                channel: Channel::parse(&row.channel).ok_or_else(strange)?,
                id: row.id,
                to: row.recipient,
                locale: row.locale,
                subject: row.subject,
                text: row.body,
                code: row.code,
                link: row.link,
                at: row.at,
            })
        })
        .collect()
}

/// Removes the messages that the filter means.
pub async fn clear(conn: &mut PgConnection, filter: &InboxFilter) -> Result<(), Internal> {
    sqlx::query!(
        "DELETE FROM development_inbox
         WHERE ($1::text IS NULL OR lookup_key = $1) AND ($2::text IS NULL OR channel = $2)
           AND ($3::timestamptz IS NULL OR at >= $3)",
        filter.to,
        filter.channel.map(Channel::name),
        filter.since,
    )
    .execute(conn)
    .await?;
    Ok(())
}
