//! All SQL of recoveries, their codes and proofs, and of what their owners are told.

mod codes;
mod endings;
mod notices;
mod recoveries;

pub(super) use codes::*;
pub(super) use endings::*;
pub(super) use notices::*;
pub(super) use recoveries::*;
