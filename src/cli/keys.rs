//! `sekisho keys`: the keys that sign access tokens. It needs the settings of `serve`; running replicas follow within
//! seconds.

use uuid::Uuid;

use super::Failure;
use super::FromFile;
use super::app;
use super::operator;
use super::say;
use super::shown;
use crate::app::App;
use crate::tokens;
use crate::tokens::Dropped;
use crate::tokens::ListedKey;
use crate::tokens::Rotated;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Print every key: what it does, since when, until when
    List(FromFile),
    /// Publish the next key, which begins to sign after `tokens.publish_ahead_secs`
    Rotate {
        /// Drop this key at once instead, with every token that it has signed
        #[arg(long, value_name = "KID")]
        compromised: Option<Uuid>,
        #[command(flatten)]
        from: FromFile,
    },
}

pub(super) async fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::List(from) => list(&app(&from)?).await,
        Action::Rotate { compromised: None, from } => rotate(&app(&from)?).await,
        Action::Rotate { compromised: Some(kid), from } => drop_compromised(&app(&from)?, kid).await,
    }
}

async fn list(app: &App) -> Result<(), Failure> {
    say(&format!(
        "{:<36} {:<5} {:<7} {:<20} {:<20} {:<20}",
        "kid", "alg", "state", "published", "signs from", "expires"
    ));
    for ListedKey { kid, algorithm, state, published, active_from, expires } in tokens::list_keys(app).await? {
        let (state, published, active_from) = (state.name(), shown(published), shown(active_from));
        let expires = shown(expires);
        say(&format!("{kid:<36} {algorithm:<5} {state:<7} {published:<20} {active_from:<20} {expires:<20}"));
    }
    Ok(())
}

async fn rotate(app: &App) -> Result<(), Failure> {
    say(&match tokens::rotate(app, &operator(app, "sekisho keys")).await? {
        Rotated::Made(kid, from) => format!("{kid} is published and signs from {}", shown(from)),
        Rotated::Waiting(kid, from) => {
            format!("nothing to do: {kid} is published already and signs from {}", shown(from))
        }
    });
    Ok(())
}

async fn drop_compromised(app: &App, kid: Uuid) -> Result<(), Failure> {
    match tokens::drop_compromised(app, kid, &operator(app, "sekisho keys")).await? {
        Dropped::Unknown => return Err(format!("there is no key {kid}: see `sekisho keys list`").into()),
        Dropped::Gone => say(&format!("{kid} is dropped")),
        Dropped::Replaced(new) => say(&format!("{kid} is dropped; {new} signs in its place")),
    }
    Ok(())
}
