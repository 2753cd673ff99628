//! What every test needs: a server of its own ([`TestApp`]), people who use it ([`Person`]), and what they are told.

mod answer;
mod app;
mod authenticator;
mod forge;
mod jwt;
mod mailbox;
mod passkey;
mod person;
mod process;
mod rows;

pub use answer::Answer;
pub use app::TestApp;
pub use app::test;
pub use app::test_with;
pub use authenticator::Authenticator;
pub use forge::Forge;
pub use jwt::claims;
pub use jwt::header;
pub use mailbox::Mailbox;
pub use passkey::BE;
pub use passkey::BS;
pub use passkey::Claims;
pub use passkey::Passkey;
pub use passkey::UP;
pub use passkey::UV;
pub use passkey::other_key;
pub use person::PASSWORD;
pub use person::Person;
pub use process::Environment;
pub use process::Folder;
pub use process::Process;
pub use process::fails;
pub use process::run;
pub use process::told;
pub use process::until;
pub use rows::rows;
