//! Carries out the changes whose time has come, and purges what has served its time.
//!
//! Every replica looks for due changes every minute and purges once an hour, each chore in statements of at most [`BATCH`] rows, one after the other, on the
//! workers' connections; what another replica holds is passed over. So it never locks the service, however much there is.
//!
//! Rules
//! * A chore that fails is logged and tried again in an hour; the others are done.
//! * How long what is kept, is a setting (`retention.…`) unless something else depends on it.
//! * The rows of each chore, and when it was last done, stand in the metrics.

mod chore;
mod store;

use std::sync::Arc;
use std::time::Duration;

use strum::VariantArray;
use tokio::sync::watch;
use uuid::Uuid;

use crate::account_life;
use crate::app::App;
use crate::audit::Caller;
use crate::claims;
use crate::identifiers;
use crate::internal::Internal;
use chore::Chore;

const PAUSE: Duration = Duration::from_mins(1);
/// A purge comes after this many looks for due changes.
const LOOKS_A_PURGE: u32 = 60;
/// How the audit log calls it.
const NAME: &str = "sekisho janitor";

/// The most rows that one statement touches.
const BATCH: i64 = 1000;

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
            tokio::select! {
                _ = stopping.changed() => return,
                () = every_chore(&app, told) => {}
            }
        }
    }
}

fn told(chore: &'static str, outcome: Result<u64, Internal>) {
    match outcome {
        Ok(0) => {}
        Ok(rows) => tracing::info!(chore, rows, "purged"),
        Err(error) => tracing::warn!(chore, %error, "a purge failed; it is tried again in an hour"),
    }
}

/// Carries out the changes whose time has come; answers how many.
pub async fn carry_out(app: &App) -> Result<u64, Internal> {
    let caller = Caller::on_this_machine(&app.clock, NAME);
    let removed = identifiers::apply_due(app, &caller).await?;
    let claimed = claims::end_due(app, &caller).await?;
    Ok(removed + claimed + account_life::merge_due(app, &caller).await?)
}

/// Does every chore once; answers each one's name and how many rows it touched.
///
/// # Errors
/// A chore failed; the others were done.
pub async fn purge(app: &App) -> Result<Vec<(&'static str, u64)>, Internal> {
    let mut outcomes = Vec::new();
    every_chore(app, |chore, outcome| outcomes.push(outcome.map(|rows| (chore, rows)))).await;
    outcomes.into_iter().collect()
}

async fn every_chore(app: &App, mut tell: impl FnMut(&'static str, Result<u64, Internal>)) {
    for chore in Chore::VARIANTS {
        tell(chore.name(), until_done(app, *chore).await);
    }
}

async fn until_done(app: &App, chore: Chore) -> Result<u64, Internal> {
    let (mut rows, mut next) = (0, Some(Uuid::nil()));
    while let Some(after) = next {
        let step = chore.step(app, after).await?;
        app.metrics.purged(chore.name(), step.rows);
        (rows, next) = (rows + step.rows, step.next);
    }
    app.metrics.janitor_ran(chore.name(), app.clock.now());
    Ok(rows)
}
