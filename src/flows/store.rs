//! Sealed records and counts in Redis, and the ids that had their effect in PostgreSQL.

use chrono::DateTime;
use chrono::Utc;
use redis::AsyncCommands;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::App;
use crate::crypto::SealPurpose;
use crate::ids::FlowId;
use crate::internal::Internal;

/// How long a flow waits for its next step.
pub const FLOW_SECS: u64 = 600;

fn tries_key(app: &App, counter: Uuid, what: &str) -> String {
    app.redis.key(&format!("tries-{what}"), &counter.to_string())
}

/// Keeps a record of some kind under an id, sealed with its key's name.
pub async fn save<T: Serialize>(app: &App, kind: &str, id: &str, value: &T) -> Result<(), Internal> {
    let key = app.redis.key(kind, id);
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(value)?);
    let sealed = app.config.master_keys.seal(SealPurpose::Flow, key.as_bytes(), &plain);
    // Twice the lifetime: expiry is judged by the value itself, Redis only collects what is left.
    Ok(app.redis.connection().set_ex(key, sealed, 2 * FLOW_SECS).await?)
}

/// A record, whether or not it has expired.
pub async fn find<T: DeserializeOwned>(app: &App, kind: &str, id: &str) -> Result<Option<T>, Internal> {
    let key = app.redis.key(kind, id);
    let Some(sealed) = app.redis.connection().get::<_, Option<Vec<u8>>>(&key).await? else { return Ok(None) };
    let plain = app.config.master_keys.open(SealPurpose::Flow, key.as_bytes(), &sealed)?;
    Ok(Some(serde_json::from_slice(&plain)?))
}

/// Lets a record go.
pub async fn forget(app: &App, kind: &str, id: &str) -> Result<(), Internal> {
    Ok(app.redis.connection().del(app.redis.key(kind, id)).await?)
}

/// Counts a try before it is looked at; answers how many there have been, and for how many seconds they count.
pub(super) async fn count_try(app: &App, counter: Uuid, what: &str) -> Result<(i64, u64), Internal> {
    let key = tries_key(app, counter, what);
    let (tries, left): (i64, i64) = redis::pipe()
        .atomic()
        .incr(&key, 1)
        .cmd("EXPIRE")
        .arg(&key)
        .arg(2 * FLOW_SECS)
        .arg("NX")
        .ignore()
        .ttl(&key)
        .query_async(&mut app.redis.connection())
        .await?;
    Ok((tries, u64::try_from(left).unwrap_or(0)))
}

/// A try that was not looked at does not count.
pub(super) async fn return_try(app: &App, counter: Uuid, what: &str) -> Result<(), Internal> {
    // A count that has run out meanwhile must not come back as one without an end.
    let script = redis::Script::new("if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end");
    Ok(script.key(tries_key(app, counter, what)).invoke_async(&mut app.redis.connection()).await?)
}

/// A success ends the count.
pub async fn forget_tries(app: &App, counter: Uuid, what: &str) -> Result<(), Internal> {
    Ok(app.redis.connection().del(tries_key(app, counter, what)).await?)
}

/// Claims the right to send a code until `until`; `Some` seconds to wait when it is taken.
pub(super) async fn claim_resend(
    app: &App,
    flow: FlowId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<u64>, Internal> {
    let script = redis::Script::new(
        "local held = tonumber(redis.call('GET', KEYS[1]) or '0')
         if held > tonumber(ARGV[1]) then return held end
         redis.call('SET', KEYS[1], ARGV[2], 'EX', 1200)
         return 0",
    );
    let held: i64 = script
        .key(app.redis.key("resend", &flow.to_string()))
        .arg(now.timestamp_millis())
        .arg(until.timestamp_millis())
        .invoke_async(&mut app.redis.connection())
        .await?;
    let wait_ms = u64::try_from(held - now.timestamp_millis()).unwrap_or(0);
    Ok((held > 0).then_some(wait_ms.div_ceil(1000)))
}

/// Whether an id had its effect.
pub async fn is_consumed(conn: &mut PgConnection, flow: FlowId) -> Result<bool, Internal> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM consumed_flows WHERE flow_id = $1) AS "consumed!""#,
        flow.uuid()
    );
    Ok(found.fetch_one(conn).await?)
}

/// Burns an id in the transaction of its effect; false when it had its effect before.
pub async fn consume(conn: &mut PgConnection, flow: FlowId, now: DateTime<Utc>) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO consumed_flows (flow_id, consumed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        flow.uuid(),
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
