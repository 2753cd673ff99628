//! The authenticator app that `sekisho dev` plays.

use super::super::store;
use super::super::totp;
use super::open_secret;
use crate::app::App;
use crate::ids::FactorId;
use crate::internal::Internal;

/// What `sekisho dev` shows of an authenticator app.
pub enum DevelopmentCode {
    /// The code of the first step that is not used yet, at most one ahead, and how long it will be accepted.
    Next {
        /// Six digits.
        code: String,
        /// Seconds.
        expires_in: u64,
    },
    /// This step and the next are used.
    AllUsed {
        /// Seconds until a step is free.
        retry_after: u64,
    },
}

/// Plays the app of a factor, for `sekisho dev` alone; `None` when there is no such factor.
pub async fn development_code(app: &App, factor: FactorId) -> Result<Option<DevelopmentCode>, Internal> {
    let now = app.clock.now();
    let Some(secret) = store::secret(&app.db, factor, now).await? else { return Ok(None) };
    let (present, left) = totp::step_at(now);
    let step = present.max(secret.last_step + 1);
    if step > present + 1 {
        return Ok(Some(DevelopmentCode::AllUsed { retry_after: left }));
    }
    // A step is still accepted during the one after it.
    let expires_in = left + 30 * u64::try_from(step - present + 1).unwrap_or(1);
    let code = totp::code_of_step(&open_secret(app, &secret)?, step)?;
    Ok(Some(DevelopmentCode::Next { code, expires_in }))
}
