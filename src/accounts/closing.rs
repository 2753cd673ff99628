//! The end of an account, step by step.
//!
//! ```text
//!   active ──request──▶ closing ──its time has come──▶ closed ──purge──▶ gone: a row of `closed_accounts`
//!      ▲                   │
//!      └──────cancel───────┘
//! ```
//!
//! An account that is merged into another goes from active to gone in one step, the transaction of the merge.
//!
//! That row is an id and a keyed digest of the name by which an import would bring the account back: it does not.
//!
//! `closed` is what a closing account is from `closes_at` on; no statement makes it so, and none takes it back. Cancel and
//! purge are one conditional statement each on the one row, so exactly one of two that race has an effect.

use sqlx::PgConnection;

use super::model::LockedAccount;
use super::store;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::Mac;
use crate::crypto::MacPurpose;
use crate::ids::AccountId;
use crate::internal::Internal;

/// The most audit rows that one statement touches.
const ROWS: i64 = 1000;

/// Purges up to `limit` accounts whose time has come: everything that belonged to them is deleted. Answers how many.
pub async fn purge_closed(app: &App, caller: &Caller, limit: i64) -> Result<u64, Internal> {
    let mut purged = 0;
    for account in store::due_to_close(&app.background_db, app.clock.now(), limit).await? {
        match purge_one(app, account, caller).await {
            Ok(done) => purged += u64::from(done),
            // It keeps no other waiting.
            Err(error) => tracing::error!(account_id = %account, %error, "a closed account is not purged yet"),
        }
    }
    Ok(purged)
}

async fn purge_one(app: &App, account: AccountId, caller: &Caller) -> Result<bool, Internal> {
    let mut tx = app.background_db.begin().await?;
    let now = app.clock.now();
    let Some(name) = store::close(&mut tx, account, now).await? else { return Ok(false) };
    store::bury(&mut tx, (account, None), &external_mac(app, &name), now).await?;
    audit::record(&mut tx, &app.clock, Event::new(EventKind::AccountPurged, caller).account(account)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Gives the identifiers of one account to another, as further ones, and ends it: all else that belonged to it is deleted,
/// and its id says where they went.
pub async fn end_merged(
    conn: &mut PgConnection,
    app: &App,
    from: &LockedAccount,
    into: &LockedAccount,
) -> Result<(), Internal> {
    store::move_identifiers(conn, from, into).await?;
    let name = store::end(conn, from).await?;
    store::bury(conn, (from.id(), Some(into.id())), &external_mac(app, &name), app.clock.now()).await
}

fn external_mac(app: &App, name: &str) -> Mac {
    app.config.master_keys.mac(MacPurpose::ExternalId, &[name.as_bytes()])
}

/// Whether an account is still there.
pub async fn exists(conn: &mut PgConnection, account: AccountId) -> Result<bool, Internal> {
    Ok(store::profile(conn, account).await?.is_some())
}

/// Takes what names a person out of the audit rows of up to `limit` accounts that are gone. Answers of how many.
pub async fn erase_closed(app: &App, limit: i64) -> Result<u64, Internal> {
    let gone = store::to_erase(&app.background_db, limit).await?;
    for account in &gone {
        while audit::erase(&app.background_db, *account, ROWS).await? > 0 {}
        store::erased(&app.background_db, *account, app.clock.now()).await?;
    }
    Ok(gone.len() as u64)
}
