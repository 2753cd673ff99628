//! `sekisho limits`: the numbers; where a network, an account or an identifier stands; a new start for it.
//!
//! An identifier stands for itself and for the account that it belongs to. What counts by an identifier and by who asks for
//! it (a network, another account) cannot be told from either alone, nor what counts by a session from its account; it is
//! over within an hour or a day. `show` and `reset` need the settings of `serve`.

use std::net::IpAddr;

use strum::VariantArray;
use uuid::Uuid;

use super::Failure;
use super::FromFile;
use super::say;
use super::shown;
use crate::accounts;
use crate::accounts::Identifier;
use crate::accounts::recipient_keys;
use crate::app::App;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::ids::AccountId;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::limits::Policy;
use crate::limits::Spent;
use crate::limits::Subject;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Print every policy: how many requests in how many seconds; the same everywhere, whatever the settings
    List(FromFile),
    /// Print what was used of every policy, and the failures in a row
    Show(Target),
    /// Forget what was used, and the failures in a row
    Reset(Target),
    /// Print what messages to phones have cost today, and the blocks of numbers that are closed
    Spend(FromFile),
}

#[derive(clap::Args)]
pub(super) struct Target {
    /// An IP address, an account's id, an e-mail address, or a number with its country code
    whose: String,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::List(_) => list(),
        Action::Show(target) => show(&super::app(&target.from)?, &Whose::read(&target.whose)?).await?,
        Action::Spend(from) => spend(&super::app(&from)?).await?,
        Action::Reset(target) => reset(&super::app(&target.from)?, &Whose::read(&target.whose)?).await?,
    }
    Ok(())
}

fn list() {
    say(&format!("{:<20} {:>8} {:>12}", "policy", "requests", "window_secs"));
    for policy in Policy::VARIANTS {
        let quota = policy.quota();
        say(&format!("{:<20} {:>8} {:>12}", policy.name(), quota.requests, quota.window_secs));
    }
}

/// Who is meant.
enum Whose {
    Network(IpAddr),
    Account(AccountId),
    Identifier(Identifier),
}

impl Whose {
    fn read(typed: &str) -> Result<Self, Failure> {
        if let Ok(ip) = typed.parse() {
            return Ok(Self::Network(ip));
        }
        if let Ok(id) = typed.parse::<Uuid>() {
            return Ok(Self::Account(id.into()));
        }
        let identifier = Identifier::parse(typed, None).map_err(|_| {
            format!("{typed:?} is no IP address, account's id, e-mail address or number with its country code")
        })?;
        Ok(Self::Identifier(identifier))
    }

    async fn account(&self, app: &App) -> Result<Option<AccountId>, Failure> {
        Ok(match self {
            Self::Network(_) => None,
            Self::Account(id) => Some(*id),
            Self::Identifier(identifier) => accounts::candidate(app, identifier).await?.account(),
        })
    }

    /// The keys by which messages to an identifier are counted.
    fn recipients(&self) -> Vec<String> {
        let Self::Identifier(identifier) = self else { return Vec::new() };
        recipient_keys(identifier.lookup_key())
    }

    /// Whose requests are counted.
    fn subjects<'a>(&self, account: Option<AccountId>, recipients: &'a [String]) -> Vec<Subject<'a>> {
        let network = if let Self::Network(ip) = self { Some(Subject::Network(*ip)) } else { None };
        let recipients = recipients.iter().map(|key| Subject::Recipient(key));
        network.into_iter().chain(account.map(Subject::Account)).chain(recipients).collect()
    }

    /// Whose failures are counted: the account's, or those of an identifier that nobody has.
    fn failing(&self, account: Option<AccountId>) -> Option<Failing<'_>> {
        let nobody = if let Self::Identifier(identifier) = self { Some(identifier.lookup_key()) } else { None };
        account.map(Failing::Account).or(nobody.map(Failing::Nobody))
    }
}

async fn show(app: &App, whose: &Whose) -> Result<(), Failure> {
    let (account, recipients) = (whose.account(app).await?, whose.recipients());
    say(&format!("{:<20} {:>9} {:>10}", "policy", "remaining", "reset_secs"));
    for subject in whose.subjects(account, &recipients) {
        for policy in Policy::VARIANTS {
            for standing in app.limits.standings(*policy, subject).await? {
                say(&format!("{:<20} {:>9} {:>10}", policy.name(), standing.remaining, standing.reset_secs));
            }
        }
    }
    if let Some(failing) = whose.failing(account) {
        say(&format!("\n{:<20} {:>9} {}", "lane", "failures", "closed until"));
        for lane in Lane::VARIANTS {
            let (count, closed) = app.failures.standing(*lane, failing).await?;
            say(&format!("{:<20} {count:>9} {}", lane.name(), shown(closed)));
        }
    }
    Ok(())
}

async fn spend(app: &App) -> Result<(), Failure> {
    say(&format!("{:<8} {:<16} {:<9} {:>9} {:>9} {:>12}", "scope", "key", "budget", "sent", "back", "cost"));
    for row in app.spend.spent(app.clock.now().date_naive()).await? {
        let Spent { key, budget, sent, back, cost, .. } = &row;
        let scope = if row.scope == "block" { "closed" } else { &row.scope };
        say(&format!("{scope:<8} {key:<16} {budget:<9} {sent:>9} {back:>9} {cost:>12}"));
    }
    Ok(())
}

async fn reset(app: &App, whose: &Whose) -> Result<(), Failure> {
    let (account, recipients) = (whose.account(app).await?, whose.recipients());
    for subject in whose.subjects(account, &recipients) {
        for policy in Policy::VARIANTS {
            app.limits.forget(*policy, subject).await?;
        }
    }
    if let Some(failing) = whose.failing(account) {
        app.failures.reset(failing).await?;
    }
    let caller = super::operator(app, "sekisho limits");
    accounts::record_alone(app, Event::new(EventKind::LimitsReset, &caller).account(account)).await?;
    say("forgotten");
    Ok(())
}
