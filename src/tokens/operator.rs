//! What an operator does with the key ring: look at it, rotate early, drop a key that has leaked.
//!
//! Each act happens under the ring's lock and is audited in its transaction; replicas follow at their next look. A key
//! that was dropped opens nothing from then on; when it was the one that signs, another is made that signs at once,
//! since nobody can wait for a key that the world does not trust any more.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sqlx::PgConnection;
use strum::IntoStaticStr;
use uuid::Uuid;

use super::service;
use super::store;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::ids::KeyId;
use crate::internal::Internal;

/// What a key does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum KeyState {
    /// Published, not signing yet.
    Next,
    /// Signing.
    Signing,
    /// Published until its last token has died.
    Retired,
    /// Not published any more; it will be deleted.
    Expired,
}

impl KeyState {
    /// The state's name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A key of the ring.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its `kid`.
    pub kid: Uuid,
    /// Its algorithm.
    pub algorithm: String,
    /// What it does now.
    pub state: KeyState,
    /// Since when it is published.
    pub published: DateTime<Utc>,
    /// From when on it signs.
    pub active_from: DateTime<Utc>,
    /// Until when it is published; not known before it has a successor.
    pub expires: Option<DateTime<Utc>>,
}

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// A key was made; it signs from then on.
    Made(KeyId, DateTime<Utc>),
    /// One is published already and signs from then on; nothing was done.
    Waiting(Uuid, DateTime<Utc>),
}

/// What became of a key that was to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// There is none of that `kid`.
    Unknown,
    /// It is gone; another signs as before.
    Gone,
    /// It is gone, and this one signs in its place.
    Replaced(KeyId),
}

/// Every key, the oldest first.
pub async fn list_keys(app: &App) -> Result<Vec<ListedKey>, Internal> {
    let mut conn = app.background_db.acquire().await?;
    listed(app, &mut conn).await
}

/// Publishes the next key, which signs after the usual time.
pub async fn rotate(app: &App, caller: &Caller) -> Result<Rotated, Internal> {
    let now = app.clock.now();
    let mut tx = app.background_db.begin().await?;
    store::lock_ring(&mut tx).await?;
    let keys = listed(app, &mut tx).await?;
    if let Some(waiting) = keys.iter().find(|key| key.state == KeyState::Next) {
        return Ok(Rotated::Waiting(waiting.kid, waiting.active_from));
    }
    let active_from =
        if keys.is_empty() { at_once(now) } else { now + service::delta(app.config.tokens.publish_ahead) };
    let made = make(app, &mut tx, active_from, caller).await?;
    tx.commit().await?;
    Ok(Rotated::Made(made, active_from))
}

/// Drops a key at once, with all tokens that it has signed.
pub async fn drop_compromised(app: &App, kid: Uuid, caller: &Caller) -> Result<Dropped, Internal> {
    let mut tx = app.background_db.begin().await?;
    store::lock_ring(&mut tx).await?;
    let keys = listed(app, &mut tx).await?;
    let Some(dropped) = keys.iter().find(|key| key.kid == kid) else { return Ok(Dropped::Unknown) };
    store::delete(&mut tx, &[kid]).await?;
    let event = Event::new(EventKind::SigningKeyDropped, caller).detail(serde_json::json!({ "kid": kid }));
    audit::record(&mut tx, &app.clock, event).await?;
    let outcome = if dropped.state == KeyState::Signing {
        Dropped::Replaced(make(app, &mut tx, at_once(app.clock.now()), caller).await?)
    } else {
        Dropped::Gone
    };
    tx.commit().await?;
    Ok(outcome)
}

/// A minute ago, so that a replica whose clock is a little behind can sign too.
fn at_once(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::minutes(1)
}

async fn make(
    app: &App,
    conn: &mut PgConnection,
    active_from: DateTime<Utc>,
    caller: &Caller,
) -> Result<KeyId, Internal> {
    let now = app.clock.now();
    let (row, _) = service::make_key(app, now, active_from)?;
    store::insert(conn, &row, now).await?;
    let event = Event::new(EventKind::SigningKeyMade, caller).detail(serde_json::json!({ "kid": row.id }));
    audit::record(conn, &app.clock, event).await?;
    Ok(row.id)
}

async fn listed(app: &App, conn: &mut PgConnection) -> Result<Vec<ListedKey>, Internal> {
    let (now, retention) = (app.clock.now(), service::retention(app));
    let rows = store::described(conn).await?;
    let successors: Vec<_> = rows.iter().skip(1).map(|row| Some(row.3)).chain([None]).collect();
    let keys = rows.into_iter().zip(successors).map(|((kid, algorithm, published, active_from), successor)| {
        let expires = successor.map(|from| from + retention);
        let state = match (successor, expires) {
            _ if active_from > now => KeyState::Next,
            (_, Some(end)) if end < now => KeyState::Expired,
            (Some(from), _) if from <= now => KeyState::Retired,
            _ => KeyState::Signing,
        };
        ListedKey { kid, algorithm, state, published, active_from, expires }
    });
    Ok(keys.collect())
}
