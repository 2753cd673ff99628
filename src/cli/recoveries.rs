//! `sekisho recoveries`: people who have lost the usual way in, and what an operator decides of them.

use uuid::Uuid;

use super::Failure;
use super::FromFile;
use super::say;
use super::shown;
use crate::app::App;
use crate::ids::FlowId;
use crate::recovery;
use crate::recovery::Decided;
use crate::recovery::ListedRecovery;
use crate::recovery::Verdict;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Print the recoveries whose contact is proved, oldest first; those in state `awaiting_operator` are yours to decide
    List {
        /// Those of one state alone
        #[arg(long, value_parser = ["waiting", "awaiting_operator", "open"])]
        state: Option<String>,
        /// Go on after this one
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
        /// How many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        #[command(flatten)]
        from: FromFile,
    },
    /// Print what the person typed and proved
    Show(Target),
    /// Let it be completed, although proofs are missing; make sure first who the person is
    Approve(Target),
    /// End it
    Deny(Target),
}

#[derive(clap::Args)]
pub(super) struct Target {
    /// Its id, as `list` prints it
    id: Uuid,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::List { state, after, limit, from } => list(&super::app(&from)?, state.as_deref(), after, limit).await,
        Action::Show(target) => show(&target).await,
        Action::Approve(target) => decide(&target, Verdict::Approve).await,
        Action::Deny(target) => decide(&target, Verdict::Deny).await,
    }
}

async fn list(app: &App, state: Option<&str>, after: Option<Uuid>, limit: i64) -> Result<(), Failure> {
    let printed = usize::try_from(limit)?;
    let (mut after, mut page) = (after.map(FlowId::from), Vec::new());
    // One more than is printed tells whether there are more.
    while page.len() <= printed {
        let next = recovery::list(app, after, limit + 1).await?;
        let Some(last) = next.last() else { break };
        after = Some(last.id);
        page.extend(next.into_iter().filter(|listed| state.is_none_or(|state| state == listed.state)));
    }
    let more = page.len() > printed;
    page.truncate(printed);
    say(&format!("{:<36} {:<17} {:<36} {:<20} proofs", "id", "state", "account", "opens"));
    for listed in &page {
        let (account, opens) = (account(listed), shown(listed.opens_at));
        say(&format!(
            "{:<36} {:<17} {account:<36} {opens:<20} {}",
            listed.id.to_string(),
            listed.state,
            listed.proofs.join(",")
        ));
    }
    if let Some(last) = page.last().filter(|_| more) {
        let state = state.map(|state| format!(" --state {state}")).unwrap_or_default();
        say(&format!("there are more: sekisho recoveries list{state} --after {}", last.id));
    }
    Ok(())
}

fn account(listed: &ListedRecovery) -> String {
    listed.account.map_or_else(|| "nobody has the identifier".to_owned(), |account| account.to_string())
}

async fn show(target: &Target) -> Result<(), Failure> {
    let found = recovery::show(&super::app(&target.from)?, target.id.into()).await?;
    let found = found.ok_or_else(|| unknown(target))?;
    let listed = &found.listed;
    for (name, value) in [
        ("state", listed.state.to_owned()),
        ("account", account(listed)),
        ("identifier", found.identifier.clone()),
        ("contact", found.contact.clone()),
        ("lost", listed.lost.join(", ")),
        ("proofs", listed.proofs.join(", ")),
        ("begun", shown(listed.created_at)),
        ("opens", shown(listed.opens_at)),
        ("expires", shown(listed.expires_at)),
        ("message", found.message.clone().unwrap_or_default()),
    ] {
        say(&format!("{name:<11} {value}"));
    }
    Ok(())
}

async fn decide(target: &Target, verdict: Verdict) -> Result<(), Failure> {
    let app = super::app(&target.from)?;
    let caller = super::operator(&app, "sekisho recoveries");
    match recovery::decide_by_operator(&app, target.id.into(), verdict, &caller).await? {
        Decided::Done => say(if verdict == Verdict::Approve { "approved" } else { "denied" }),
        Decided::Unknown => return Err(unknown(target).into()),
        Decided::Nobody => return Err("nobody has the identifier: there is nothing to recover".into()),
        Decided::Already => return Err("it was approved already".into()),
        Decided::NotNow { state: "waiting", opens_at: Some(at) } => {
            return Err(format!("it waits: it can be approved from {} on", at.format("%FT%TZ")).into());
        }
        Decided::NotNow { state, .. } => {
            return Err(format!("it is in the state {state}, in which this cannot be decided").into());
        }
    }
    Ok(())
}

fn unknown(target: &Target) -> String {
    format!("there is no recovery {}", target.id)
}
