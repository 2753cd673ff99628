//! `sekisho openapi`: the document of `serve`, as it is committed in `openapi/openapi.json`.

use super::Failure;
use super::say;
use crate::config::Mode;
use crate::server;

/// Stands for the address of a deployment.
const ISSUER: &str = "https://auth.example.com";

pub(super) fn run() -> Result<(), Failure> {
    let document = server::document(Mode::Production, ISSUER)?;
    say(std::str::from_utf8(document.text())?.trim_end());
    Ok(())
}
