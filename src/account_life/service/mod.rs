//! Reading and changing the account, each in one transaction.

mod closure;
mod events;
mod export;
mod factors;
mod merge;
mod profile;

pub use closure::remind_of_closures;
pub(super) use closure::*;
pub(super) use events::*;
pub(super) use export::*;
pub(super) use factors::*;
pub use merge::merge_due;
pub(super) use merge::*;
pub(super) use profile::*;

use sqlx::PgConnection;

use crate::accounts;
use crate::accounts::LockedAccount;
use crate::ids::AccountId;
use crate::internal::Internal;

/// The account of a session that is alive, which therefore is there.
async fn lock(conn: &mut PgConnection, account: AccountId) -> Result<LockedAccount, Internal> {
    let locked = accounts::lock(conn, account).await?;
    locked.ok_or_else(|| Internal::bug(format!("accounts {account}: no such row")))
}
