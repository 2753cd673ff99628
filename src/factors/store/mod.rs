//! All SQL of factors and recovery codes.

mod apps;
mod enrolled;
mod exported;
mod imported;
mod passkeys;
mod pending;
mod recovery_codes;

pub(super) use apps::*;
pub use enrolled::*;
pub(super) use exported::*;
pub(super) use imported::*;
pub(super) use passkeys::*;
pub(super) use pending::*;
pub use recovery_codes::*;
