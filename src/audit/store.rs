//! All SQL of the audit log.

use chrono::DateTime;
use chrono::Utc;
use ipnet::IpNet;
use sqlx::PgConnection;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::Event;
use super::HERE;
use crate::clock::Clock;
use crate::crypto;
use crate::ids::AccountId;
use crate::ids::EventId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// Records an act in the transaction that performs it, and logs a line without personal data.
pub async fn record(conn: &mut PgConnection, clock: &Clock, event: Event<'_>) -> Result<(), Internal> {
    insert(conn, clock, std::slice::from_ref(&event)).await?;
    tracing::info!(
        event = event.kind.name(),
        account_id = event.account.map(tracing::field::display),
        session_id = event.session.map(tracing::field::display),
        "audit"
    );
    Ok(())
}

/// Records many acts of one kind in one statement, in the transaction that performs them, and logs one line of all.
pub async fn record_each(conn: &mut PgConnection, clock: &Clock, events: &[Event<'_>]) -> Result<(), Internal> {
    let Some(one) = events.first() else { return Ok(()) };
    insert(conn, clock, events).await?;
    tracing::info!(event = one.kind.name(), events = events.len(), "audit");
    Ok(())
}

async fn insert(conn: &mut PgConnection, clock: &Clock, events: &[Event<'_>]) -> Result<(), Internal> {
    let now = clock.now();
    let ids: Vec<Uuid> = events.iter().map(|_| crypto::new_id(now)).collect();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.name().to_owned()).collect();
    let accounts: Vec<_> = events.iter().map(|event| event.account.map(AccountId::uuid)).collect();
    let sessions: Vec<_> = events.iter().map(|event| event.session.map(SessionId::uuid)).collect();
    let clients: Vec<_> = events.iter().map(|event| event.client_id.map(str::to_owned)).collect();
    let requests: Vec<_> = events.iter().map(|event| event.caller.request_id.uuid()).collect();
    let ips: Vec<_> = events.iter().map(|event| IpNet::from(event.caller.ip)).collect();
    let agents: Vec<_> = events.iter().map(|event| event.caller.user_agent.clone()).collect();
    let details: Vec<_> = events.iter().map(|event| event.detail.clone()).collect();
    sqlx::query!(
        "INSERT INTO audit_events (id, at, kind, account_id, session_id, client_id, request_id, ip, user_agent, detail)
         SELECT id, $2, kind, account, session, client, request, ip, agent, detail
         FROM unnest($1::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::inet[], $9::text[],
                     $10::jsonb[])
              AS new (id, kind, account, session, client, request, ip, agent, detail)",
        &ids,
        now,
        &kinds,
        &accounts as &[Option<Uuid>],
        &sessions as &[Option<Uuid>],
        &clients as &[Option<String>],
        &requests,
        &ips,
        &agents,
        &details,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An act of the past.
pub struct PastEvent {
    /// The row.
    pub id: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// What: the name of a [`super::EventKind`], or of one of a newer version.
    pub kind: String,
    /// In which session.
    pub session: Option<SessionId>,
    /// With which client.
    pub client_id: Option<String>,
    /// From where: an address, or later its network.
    pub ip: Option<IpNet>,
    /// With what.
    pub user_agent: Option<String>,
    /// Ids and kinds that explain it.
    pub detail: serde_json::Value,
}

impl PastEvent {
    fn is_of_this_machine(&self) -> bool {
        self.ip.is_some_and(|ip| ip.addr() == HERE)
            && self.user_agent.as_ref().is_some_and(|by| by.starts_with("sekisho "))
    }
}

/// What happened to an account, newest first; `before` is the last id of the page before.
pub async fn of_account(
    conn: impl PgExecutor<'_>,
    account: AccountId,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<PastEvent>, Internal> {
    let mut rows = sqlx::query_as!(
        PastEvent,
        r#"SELECT id AS "id: EventId", at, kind, session_id AS "session: SessionId", client_id, ip, user_agent, detail
           FROM audit_events WHERE account_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"#,
        account.uuid(),
        before.map(EventId::uuid),
        limit
    )
    .fetch_all(conn)
    .await?;
    for row in rows.iter_mut().filter(|row| row.is_of_this_machine()) {
        (row.ip, row.user_agent) = (None, None);
    }
    Ok(rows)
}

/// Cuts up to `limit` addresses of before `until` to their networks (/24, /48); answers how many.
pub async fn cut_addresses(conn: impl PgExecutor<'_>, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let cut = sqlx::query!(
        "UPDATE audit_events SET ip = network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 24 ELSE 48 END))
         WHERE id = ANY(ARRAY(SELECT id FROM audit_events WHERE at < $1 AND masklen(ip) IN (32, 128)
                              ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))",
        until,
        limit
    )
    .execute(conn)
    .await?;
    Ok(cut.rows_affected())
}

/// Deletes up to `limit` rows of before `until`; answers how many.
pub async fn purge(conn: impl PgExecutor<'_>, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM audit_events
         WHERE id = ANY(ARRAY(SELECT id FROM audit_events WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))",
        crypto::least_id::<Uuid>(until),
        limit
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Takes what names a person out of up to `limit` rows of an account that is gone; answers of how many.
pub async fn erase(conn: impl PgExecutor<'_>, account: AccountId, limit: i64) -> Result<u64, Internal> {
    let erased = sqlx::query!(
        "UPDATE audit_events SET ip = NULL, user_agent = NULL
         WHERE id = ANY(ARRAY(SELECT id FROM audit_events
                              WHERE account_id = $1 AND (ip IS NOT NULL OR user_agent IS NOT NULL) LIMIT $2))",
        account.uuid(),
        limit
    )
    .execute(conn)
    .await?;
    Ok(erased.rows_affected())
}
