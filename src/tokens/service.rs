//! Issuing, verifying, and keeping the key ring up to date.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use tokio::sync::watch;
use uuid::Uuid;

use super::model;
use super::model::AccessGrant;
use super::model::AccessTokenError;
use super::model::IssuedAccess;
use super::model::LEEWAY_SECS;
use super::model::Terms;
use super::model::VerifiedAccess;
use super::store;
use super::store::KeyRow;
use crate::app::App;
use crate::crypto;
use crate::crypto::SealPurpose;
use crate::crypto::SigningKey;
use crate::ids::KeyId;
use crate::internal::Internal;

/// How often a replica looks for keys that were made or dropped elsewhere. Far below the time that a key is published
/// before it signs, so that nobody meets a `kid` that it does not know; and a compromised key is trusted no longer.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// A key outlives its last token by this much: a replica may hear of the successor one refresh late, twice over.
const SPARE: TimeDelta = TimeDelta::seconds(60);

/// A key that is no longer published is deleted this much later, so that a slow replica does not miss it.
const DELETED_AFTER: TimeDelta = TimeDelta::days(1);

fn terms(app: &App) -> Terms<'_> {
    Terms {
        issuer: &app.config.issuer,
        typ: &app.config.tokens.typ,
        audiences: &app.config.client.audiences,
        lifetime_secs: delta(app.config.tokens.access_lifetime).num_seconds(),
    }
}

/// Signs an access token for a session that was just opened or refreshed.
///
/// # Errors
/// The key ring was never loaded, or the library could not sign.
pub fn issue(app: &App, grant: &AccessGrant<'_>) -> Result<IssuedAccess, Internal> {
    let now = app.clock.now();
    let key = app.key_ring.signing(now).ok_or_else(|| Internal::bug("no signing key is active"))?;
    let token = model::sign(&terms(app), &key, grant, now)?;
    Ok(IssuedAccess { token, expires_in: app.config.tokens.access_lifetime.as_secs() })
}

/// Judges an access token that was presented to this service; whether its session still lives is not judged here.
///
/// # Errors
/// [`AccessTokenError::Expired`] for a token that is good but for its age, [`AccessTokenError::Invalid`] otherwise.
pub fn verify(app: &App, token: &str) -> Result<VerifiedAccess, AccessTokenError> {
    model::check(&terms(app), &app.key_ring, token, app.clock.now())
}

/// Loads the key ring; makes the first key, or the next one when it is time; deletes what nobody needs.
///
/// All of it happens under one lock of the database, so replicas that race make one key. A row that does not
/// open is logged and left alone.
///
/// # Errors
/// The database did not answer, or there are keys and none of them opens.
pub async fn refresh_key_ring(app: &App) -> Result<(), Internal> {
    let settings = &app.config.tokens;
    let retention = retention(app);
    let now = app.clock.now();

    let _turn = app.key_ring.turn().await;
    let mut tx = app.background_db.begin().await?;
    store::lock_ring(&mut tx).await?;
    let mut keys = open_rows(app, store::all(&mut tx).await?)?;

    let newest = keys.iter().map(SigningKey::active_from).max();
    if let Some(active_from) =
        model::next_activation(newest, delta(settings.rotation), delta(settings.publish_ahead), now)
    {
        let (row, key) = make_key(app, now, active_from)?;
        store::insert(&mut tx, &row, now).await?;
        tracing::info!(kid = %row.id, %active_from, "a signing key was made");
        keys.push(key);
    }
    let gone = forgettable(&keys, now - retention - DELETED_AFTER);
    if !gone.is_empty() {
        store::delete(&mut tx, &gone).await?;
        keys.retain(|key| !gone.contains(&key.id().uuid()));
    }
    tx.commit().await?;

    app.key_ring.replace(keys, retention);
    Ok(())
}

/// Keeps the key ring up to date until `stop` says true or its sender is gone. A failure is logged; the keys
/// that are loaded go on.
pub async fn keep_key_ring(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(REFRESH_EVERY);
    while !*stop.borrow() {
        tokio::select! {
            changed = stop.changed() => if changed.is_err() { return },
            _ = ticks.tick() => {
                if let Err(error) = refresh_key_ring(&app).await {
                    tracing::error!(%error, "the key ring could not be refreshed");
                }
            }
        }
    }
}

/// Opens what opens. Of rows that do not open at all no ring is made: a second one, sealed with another master
/// key, would sign tokens that the other replicas refuse.
fn open_rows(app: &App, rows: Vec<KeyRow>) -> Result<Vec<SigningKey>, Internal> {
    let stored = rows.len();
    let mut keys = Vec::with_capacity(stored);
    for row in rows {
        let opened =
            app.config.master_keys.open(SealPurpose::SigningKey, row.id.uuid().as_bytes(), &row.private_sealed);
        match opened.and_then(|pkcs8| SigningKey::from_pkcs8(row.id, row.active_from, &pkcs8)) {
            Ok(key) => keys.push(key),
            Err(error) => tracing::error!(%error, kid = %row.id, "a row of signing_keys cannot be used"),
        }
    }
    if keys.is_empty() && stored > 0 {
        return Err(Internal::bug("no row of signing_keys opens: `keys.master` is not the key that sealed them"));
    }
    Ok(keys)
}

/// How long a key is published after its successor has begun to sign.
pub(super) fn retention(app: &App) -> TimeDelta {
    delta(app.config.tokens.access_lifetime) + TimeDelta::seconds(LEEWAY_SECS) + SPARE
}

pub(super) fn make_key(
    app: &App,
    now: DateTime<Utc>,
    active_from: DateTime<Utc>,
) -> Result<(KeyRow, SigningKey), Internal> {
    let id: KeyId = crypto::new_id(now);
    let pkcs8 = SigningKey::generate_pkcs8()?;
    let private_sealed = app.config.master_keys.seal(SealPurpose::SigningKey, id.uuid().as_bytes(), &pkcs8);
    let key = SigningKey::from_pkcs8(id, active_from, &pkcs8)?;
    Ok((KeyRow { id, private_sealed, active_from }, key))
}

/// The keys whose successor has signed since `before`.
fn forgettable(keys: &[SigningKey], before: DateTime<Utc>) -> Vec<Uuid> {
    let Some(last_needed) = keys.iter().map(SigningKey::active_from).filter(|from| *from < before).max() else {
        return Vec::new();
    };
    keys.iter().filter(|key| key.active_from() < last_needed).map(|key| key.id().uuid()).collect()
}

/// The settings are bounded to a year, far inside what `TimeDelta` holds.
pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
