//! Carries out the changes whose time has come, and purges what has expired and would grow without end: counts of
//! failures and of messages to phones, requests for device tokens, identifiers that nobody proved, changes of long ago, recoveries.
//!
//! Every replica looks for due changes every minute and purges once an hour; a row that another one was faster with is
//! no fault.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::audit::Caller;
use crate::changes;
use crate::devices;
use crate::identifiers;
use crate::internal::Internal;
use crate::recovery;

const PAUSE: Duration = Duration::from_mins(1);
/// A purge comes after this many looks for due changes.
const LOOKS_A_PURGE: u32 = 60;

/// Works until `stopping` becomes true or its sender is gone.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    for look in 1_u32.. {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        match carry_out(&app).await {
            Ok(0) => {}
            Ok(changes) => tracing::info!(changes, "carried out"),
            Err(error) => tracing::warn!(%error, "changes that are due wait; they are tried again in a minute"),
        }
        if look.is_multiple_of(LOOKS_A_PURGE) {
            match purge(&app).await {
                Ok(rows) => tracing::info!(rows, "purged"),
                Err(error) => tracing::warn!(%error, "the purge failed; it is tried again in an hour"),
            }
        }
    }
}

/// Carries out the changes whose time has come; answers how many.
///
/// # Errors
/// The database did not answer.
pub async fn carry_out(app: &App) -> Result<u64, Internal> {
    let caller = Caller::on_this_machine(&app.clock, "sekisho janitor");
    identifiers::apply_due(app, &caller).await
}

/// Deletes what has expired; answers how many rows.
///
/// # Errors
/// The database did not answer.
pub async fn purge(app: &App) -> Result<u64, Internal> {
    Ok(app.failures.purge().await?
        + app.spend.purge().await?
        + devices::purge(app).await?
        + identifiers::purge(app).await?
        + changes::purge(app).await?
        + recovery::purge(app).await?)
}
