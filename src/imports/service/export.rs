//! The way back: accounts into a file of the same form.

use std::collections::HashMap;
use std::io::Write;

use uuid::Uuid;

use super::super::model::ImportError;
use super::super::model::Record;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::ids::AccountId;
use crate::internal::Internal;

/// Accounts that are read at once.
const PAGE: i64 = 500;

/// Writes every active account, a line each; answers how many.
///
/// # Errors
/// The database did not answer, or `out` did not take it.
pub async fn export(app: &App, caller: &Caller, out: &mut impl Write) -> Result<u64, ImportError> {
    let mut tx = app.background_db.begin().await.map_err(Internal::from)?;
    audit::record(&mut tx, &app.clock, Event::new(EventKind::AccountsExported, caller)).await?;
    tx.commit().await.map_err(Internal::from)?;
    let (mut after, mut count) = (AccountId::from(Uuid::nil()), 0);
    loop {
        let mut conn = app.background_db.acquire().await.map_err(Internal::from)?;
        let page = accounts::export_page(&mut conn, app, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = last.id;
        let ids: Vec<_> = page.iter().map(|account| account.id).collect();
        let mut factors: HashMap<AccountId, Vec<_>> = HashMap::new();
        for factor in factors::export(&mut conn, app, &ids).await? {
            factors.entry(factor.account).or_default().push(factor);
        }
        drop(conn);
        for account in page {
            let factors = factors.remove(&account.id).unwrap_or_default();
            serde_json::to_writer(&mut *out, &Record::of(account, &factors)).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            count += 1;
        }
    }
}
