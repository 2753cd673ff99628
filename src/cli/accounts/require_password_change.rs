//! `sekisho accounts require-password-change`: the next sign-in asks for a new password before anything else.

use uuid::Uuid;

use super::super::Failure;
use super::super::FromFile;
use super::super::app;
use super::super::operator;
use super::super::say;
use crate::accounts;
use crate::accounts::Identifier;
use crate::app::App;
use crate::audit;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::ids::AccountId;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An account's id, an e-mail address, or a number with its country code
    whose: String,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let app = app(&arguments.from)?;
    let unknown = || format!("nobody has the account {:?}", arguments.whose);
    let account = read(&app, &arguments.whose).await?.ok_or_else(unknown)?;
    let mut tx = app.begin().await?;
    let account = accounts::lock(&mut tx, account).await?.ok_or_else(unknown)?;
    accounts::require_password_change(&mut tx, &account).await?;
    let caller = operator(&app, "sekisho accounts");
    let event = Event::new(EventKind::PasswordChangeRequired, &caller).account(account.id());
    audit::record(&mut tx, &app.clock, event).await?;
    app.commit(tx).await?;
    say("the next sign-in asks for a new password; sessions go on until they are ended");
    Ok(())
}

async fn read(app: &App, typed: &str) -> Result<Option<AccountId>, Failure> {
    if let Ok(id) = typed.parse::<Uuid>() {
        return Ok(Some(id.into()));
    }
    let identifier = Identifier::parse(typed, None)
        .map_err(|_| format!("{typed:?} is no account's id, e-mail address or number with its country code"))?;
    Ok(accounts::candidate(app, &identifier).await?.account())
}
