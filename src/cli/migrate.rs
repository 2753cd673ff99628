//! `sekisho migrate`: brings the schema up to date. It needs the settings of the database alone.

use std::path::Path;

use super::Failure;
use super::say;
use crate::config::Settings;
use crate::db;

pub(super) async fn run(file: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::load(file)?;
    let url = settings.get("database.direct_url").or_else(|| settings.get("database.url")).ok_or(
        "`database.url` is missing: postgres://user:password@host/database (environment: SEKISHO_DATABASE__URL or SEKISHO_DATABASE__URL_FILE)",
    )?;
    db::migrate(&url.into()).await.map_err(|error| format!("cannot migrate: {error}"))?;
    say("the schema is up to date");
    Ok(())
}
