//! Who may have what a batch claims.

use super::super::model::Candidate;
use super::super::model::Finding;
use super::super::model::Outcome;
use crate::accounts::Holder;
use crate::accounts::ImportedAccount;
use crate::accounts::Taken;

/// A batch that was judged.
#[derive(Default)]
pub(super) struct Judged {
    /// Places of those that become accounts.
    pub accepted: Vec<usize>,
    /// Those that are parked.
    pub parked: Vec<Finding>,
    /// How many were imported before.
    pub skipped: u64,
    /// What the accepted ones claim.
    pub claimed: Taken,
}

/// Judges candidates in order: of two that claim the same, the first one has it. `taken` is what others have, and what
/// earlier lines have claimed.
pub(super) fn judge(candidates: &[Candidate], taken: [&Taken; 2]) -> Judged {
    let mut judged = Judged::default();
    for (place, Candidate { line, account, .. }) in candidates.iter().enumerate() {
        let taken = [taken[0], taken[1], &judged.claimed];
        let name = &account.external_id;
        let known = taken.iter().any(|taken| taken.external_ids.contains(name));
        if let Some(reason) = if known { stranded(name, taken) } else { contested(account, taken) } {
            let (external_id, outcome) = (Some(name.clone()), Outcome::Parked);
            judged.parked.push(Finding { line: *line, external_id, outcome, reason });
        } else if known {
            judged.skipped += 1;
        } else {
            add(&mut judged.claimed, account, *line);
            judged.accepted.push(place);
        }
    }
    judged
}

fn add(claimed: &mut Taken, account: &ImportedAccount, line: u64) {
    let here = |key: &str| (key.to_owned(), Holder::Line(line));
    claimed.external_ids.insert(account.external_id.clone());
    claimed.identifiers.extend(account.identifiers.iter().map(|own| here(own.identifier.lookup_key())));
    claimed.legacy_logins.extend(account.legacy_login.iter().map(|login| here(login.lookup_key())));
}

/// An account that was imported before and that nobody can sign in to any more.
fn stranded(name: &str, taken: [&Taken; 3]) -> Option<String> {
    let account = taken.iter().find_map(|taken| taken.stranded.get(name))?;
    Some(format!("/identifiers: others have proved all that account {account} had"))
}

/// What somebody else has, as a pointer into the line, and who.
fn contested(account: &ImportedAccount, taken: [&Taken; 3]) -> Option<String> {
    for (at, own) in account.identifiers.iter().enumerate() {
        let key = own.identifier.lookup_key();
        if let Some(holder) = taken.iter().find_map(|taken| taken.identifiers.get(key)) {
            return Some(format!("/identifiers/{at}: taken by {holder}"));
        }
    }
    let key = account.legacy_login.as_ref()?.lookup_key();
    let holder = taken.iter().find_map(|taken| taken.legacy_logins.get(key))?;
    Some(format!("/legacy_login: taken by {holder}"))
}
