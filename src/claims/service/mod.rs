//! Claiming a number, and the end of the wait.

mod claiming;
mod ending;

pub(super) use claiming::claim;
pub(super) use claiming::confirm;
pub use ending::end_due;
