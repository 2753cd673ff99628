//! Purges what has expired and would grow without end: counts of failures and of
//! messages to phones, requests for device tokens.
//!
//! Every replica does it once an hour; a row that another one was faster with is no fault.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::devices;
use crate::internal::Internal;

const PAUSE: Duration = Duration::from_hours(1);

/// Purges until `stopping` becomes true or its sender is gone.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        match purge(&app).await {
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(%error, "the purge failed; it is tried again in an hour"),
        }
    }
}

/// Deletes what has expired; answers how many rows.
///
/// # Errors
/// The database did not answer.
pub async fn purge(app: &App) -> Result<u64, Internal> {
    Ok(app.failures.purge().await? + app.spend.purge().await? + devices::purge(app).await?)
}
