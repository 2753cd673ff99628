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

/// What became of the accounts.
#[derive(Default)]
pub struct Exported {
    /// Are in the file.
    pub written: u64,
    /// Are left out, because no identifier is left that an import could bring: others have proved theirs.
    pub without_identifier: u64,
    /// Are left out, because they are closing.
    pub inactive: u64,
}

/// Writes every active account that has an identifier, a line each.
///
/// # Errors
/// The database did not answer, or `out` did not take it.
pub async fn export(app: &App, caller: &Caller, out: &mut impl Write) -> Result<Exported, ImportError> {
    let mut tx = app.background_db.begin().await.map_err(Internal::from)?;
    audit::record(&mut tx, &app.clock, Event::new(EventKind::AccountsExported, caller)).await?;
    tx.commit().await.map_err(Internal::from)?;
    let (mut after, mut exported) = (AccountId::from(Uuid::nil()), Exported::default());
    loop {
        let mut conn = app.background_db.acquire().await.map_err(Internal::from)?;
        let page = accounts::export_page(&mut conn, app, after, PAGE).await?;
        let Some(last) = page.last() else {
            exported.inactive = accounts::count_inactive(&mut conn).await?;
            return Ok(exported);
        };
        after = last.id;
        let ids: Vec<_> = page.iter().map(|account| account.id).collect();
        let mut factors: HashMap<AccountId, Vec<_>> = HashMap::new();
        for factor in factors::export(&mut conn, app, &ids).await? {
            factors.entry(factor.account).or_default().push(factor);
        }
        drop(conn);
        for account in page {
            if account.identifiers.is_empty() {
                exported.without_identifier += 1;
                continue;
            }
            let factors = factors.remove(&account.id).unwrap_or_default();
            serde_json::to_writer(&mut *out, &Record::of(account, &factors)).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            exported.written += 1;
        }
    }
}
