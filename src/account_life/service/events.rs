//! What happened to an account.

use crate::app::App;
use crate::audit;
use crate::audit::PastEvent;
use crate::ids::EventId;
use crate::internal::Internal;
use crate::sessions::CurrentSession;

/// A page of what happened to the caller's account, newest first.
pub(crate) async fn list_events(
    app: &App,
    session: &CurrentSession,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<PastEvent>, Internal> {
    audit::of_account(&app.db, session.account, before, limit).await
}
