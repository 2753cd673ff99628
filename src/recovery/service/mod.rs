//! The use cases of a recovery.

mod cancel;
mod codes;
mod complete;
mod contacts;
mod judging;
mod notices;
mod outbox;
mod proofs;
mod start;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

pub(super) use cancel::cancel;
pub use cancel::cancel_by_sign_in;
pub(super) use codes::send_code;
pub(super) use codes::verify_contact;
pub use complete::Ready;
pub use complete::complete;
pub use complete::ready;
use judging::proves;
pub use notices::tell_owners;
pub use outbox::decide;
pub(super) use proofs::prove;
pub(super) use start::resume;
pub(super) use start::start;

use super::model::Recovery;
use super::model::RecoveryError;
use super::model::RecoveryToken;
use super::model::State;
use super::model::Typed;
use super::store;
use super::store::NewCode;
use crate::accounts::CODE_SECS;
use crate::accounts::RESEND_SECS;
use crate::app::App;
use crate::crypto::MacPurpose;
use crate::crypto::OpaqueToken;
use crate::crypto::SealPurpose;
use crate::ids::FlowId;
use crate::internal::Internal;

/// The recovery of a token, whatever became of it.
pub(super) async fn inspect(app: &App, token: &str) -> Result<Recovery, RecoveryError> {
    let digest = OpaqueToken::<RecoveryToken>::parse(token).ok_or(RecoveryError::Expired)?.digest();
    let mut conn = app.db.acquire().await.map_err(Internal::from)?;
    store::find(&mut conn, &digest, app.clock.now()).await?.ok_or(RecoveryError::Expired)
}

/// The recovery of a token, once its contact is proved and while it has not ended.
async fn proved(app: &App, token: &str) -> Result<Recovery, RecoveryError> {
    let recovery = inspect(app, token).await?;
    match recovery.state {
        State::Waiting { .. } | State::Approved { .. } => Ok(recovery),
        State::AwaitingContact => Err(RecoveryError::WrongStep),
        State::Ended(_) => Err(RecoveryError::Expired),
    }
}

/// Deletes up to `limit` rows of each kind that are over and not remembered any longer.
pub async fn purge(app: &App, limit: i64) -> Result<u64, Internal> {
    store::purge(&app.background_db, app.clock.now(), limit).await
}

fn seal_typed(app: &App, id: FlowId, typed: &Typed) -> Result<Vec<u8>, Internal> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(typed)?);
    Ok(app.config.master_keys.seal(SealPurpose::Recovery, id.uuid().as_bytes(), &plain))
}

pub(super) fn open_typed(app: &App, recovery: &Recovery) -> Result<Typed, Internal> {
    let place = *recovery.id.uuid().as_bytes();
    let plain = app.config.master_keys.open(SealPurpose::Recovery, &place, &recovery.typed_sealed)?;
    Ok(serde_json::from_slice(&plain)?)
}

/// Where a code goes stands beside the row's other sealed value, so it has a place of its own.
fn code_place(id: FlowId) -> Vec<u8> {
    [id.uuid().as_bytes().as_slice(), b"code"].concat()
}

fn seal_destination(app: &App, id: FlowId, lookup_key: &str) -> Vec<u8> {
    app.config.master_keys.seal(SealPurpose::Recovery, &code_place(id), lookup_key.as_bytes())
}

fn code<'a>(mac: &'a [u8], to_sealed: &'a [u8], now: DateTime<Utc>) -> NewCode<'a> {
    let after = |secs| now + TimeDelta::seconds(secs);
    NewCode { mac, to_sealed, expires_at: after(CODE_SECS), resend_after: after(RESEND_SECS) }
}

/// Every key by which the recoveries of a contact can be found.
fn contact_macs(app: &App, lookup_key: &str) -> Vec<Vec<u8>> {
    let parts = [lookup_key.as_bytes()];
    app.config.master_keys.macs(MacPurpose::RecoveryContact, &parts).map(|mac| mac.to_vec()).collect()
}
