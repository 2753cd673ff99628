//! Reading and changing the account, each in one transaction.

mod closure;
mod export;
mod factors;
mod merge;
mod profile;

pub use closure::remind_of_closures;
pub(super) use closure::*;
pub(super) use export::*;
pub(super) use factors::*;
pub use merge::merge_due;
pub(super) use merge::*;
pub(super) use profile::*;
