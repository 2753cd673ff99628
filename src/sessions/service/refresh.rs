//! Rotating refresh tokens.

use super::super::model::OpenedSession;
use super::super::model::RefreshError;
use super::super::model::Standing;
use super::super::refresh_token::RefreshToken;
use super::super::store;
use super::super::store::Presented;
use crate::accounts;
use crate::accounts::AccountStatus;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::messages::MessageKind;

/// Rotates a refresh token.
pub(crate) async fn refresh(app: &App, text: &str, caller: &Caller) -> Result<OpenedSession, RefreshError> {
    let token = RefreshToken::parse(text, &app.config.master_keys).ok_or(RefreshError::Invalid)?;
    let secret_hash = token.secret_hash();
    let now = app.clock.now();
    let shown = Presented { session: token.session, generation: token.generation, secret_hash: &secret_hash, now };
    let idle_expires_at = now + super::lifetime(app.config.client.idle_lifetime)?;
    let mut tx = app.begin().await?;
    let Some(rotated) = store::rotate(&mut *tx, &shown, idle_expires_at).await? else {
        drop(tx);
        return Err(refuse(app, &shown, caller).await?);
    };
    if rotated.late {
        let event = Event::new(EventKind::RefreshRepeated, caller).account(rotated.account).session(token.session);
        audit::record(&mut tx, &app.clock, event).await?;
    }
    let facts = store::account_facts(&mut *tx, (rotated.account, now)).await?.ok_or(RefreshError::Revoked)?;
    match facts.status {
        AccountStatus::Active => app.commit(tx).await?,
        // The rotation is undone: the same token goes on if the account is kept or reinstated.
        AccountStatus::Closing | AccountStatus::Closed => return Err(RefreshError::AccountClosed),
        AccountStatus::Suspended => return Err(RefreshError::Revoked),
    }
    let next = token.generation + 1;
    Ok(OpenedSession {
        id: token.session,
        account: rotated.account,
        client_id: rotated.client_id,
        auth_time: rotated.auth_time,
        amr: rotated.amr,
        roles: facts.roles,
        refresh_token: token.of_generation(next).reveal(&app.config.master_keys),
        idle_expires_at: rotated.idle_expires_at,
        expires_at: rotated.expires_at,
        recovery_codes_left: facts.recovery_codes_left,
        account_status: facts.status,
        closes_at: facts.closes_at,
    })
}

/// Says why a rotation found no row, and ends the session when the token was an old one.
async fn refuse(app: &App, shown: &Presented<'_>, caller: &Caller) -> Result<RefreshError, Internal> {
    let Some((account, standing)) = store::find_by_secret(&app.db, shown).await? else {
        return Ok(RefreshError::Invalid);
    };
    match standing {
        Standing::Revoked => Ok(RefreshError::Revoked),
        Standing::Expired(expiry) => Ok(RefreshError::Expired(expiry)),
        Standing::Alive => {
            end_reused(app, account, shown, caller).await?;
            Ok(RefreshError::Reused)
        }
    }
}

async fn end_reused(app: &App, account: AccountId, shown: &Presented<'_>, caller: &Caller) -> Result<(), Internal> {
    let mut tx = app.begin().await?;
    if store::end_reused(&mut tx, shown).await? {
        let event = Event::new(EventKind::RefreshTokenReused, caller).account(account).session(shown.session);
        audit::record(&mut tx, &app.clock, event).await?;
        accounts::notify(&mut tx, app, account, MessageKind::RefreshReuseNotice, &[]).await?;
    }
    app.commit(tx).await
}
