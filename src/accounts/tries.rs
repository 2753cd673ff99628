//! Tries that failed.

use super::contact::notify;
use crate::app::App;
use crate::audit;
use crate::audit::Event;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::limits::Raised;
use crate::messages::MessageKind;

/// Records a failure that was counted. The owner is told when there are many in a row.
///
/// # Errors
/// The database did not take it.
pub async fn record_failure(
    app: &App,
    event: Event<'_>,
    (account, raised): (Option<AccountId>, &Raised),
) -> Result<(), Internal> {
    let mut tx = app.begin().await?;
    let event = if let Some(account) = account { event.account(account) } else { event };
    audit::record(&mut tx, &app.clock, event).await?;
    if let (Some(account), true) = (account, raised.is_worth_a_notice()) {
        let count = raised.count.to_string();
        notify(&mut tx, app, account, MessageKind::FailuresNotice, &[("count", count)]).await?;
    }
    app.commit(tx).await
}
