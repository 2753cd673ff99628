//! Who may have what a batch claims.

use super::super::model::Candidate;
use super::super::model::Finding;
use super::super::model::Outcome;
use crate::accounts::ImportedAccount;
use crate::accounts::ImportedIdentifier;
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
        if taken.iter().any(|taken| taken.external_ids.contains(name)) {
            judged.skipped += 1;
        } else if let Some(reason) = contested(account, taken) {
            let (external_id, outcome) = (Some(name.clone()), Outcome::Parked);
            judged.parked.push(Finding { line: *line, external_id, outcome, reason });
        } else {
            add(&mut judged.claimed, account);
            judged.accepted.push(place);
        }
    }
    judged
}

fn add(claimed: &mut Taken, account: &ImportedAccount) {
    claimed.external_ids.insert(account.external_id.clone());
    claimed.identifiers.extend(account.identifiers.iter().map(|own| own.identifier.lookup_key().to_owned()));
    claimed.legacy_logins.extend(account.legacy_login.iter().map(|login| login.lookup_key().to_owned()));
}

/// What somebody else has, as a pointer into the line.
fn contested(account: &ImportedAccount, taken: [&Taken; 3]) -> Option<String> {
    let has =
        |own: &ImportedIdentifier| taken.iter().any(|taken| taken.identifiers.contains(own.identifier.lookup_key()));
    if let Some(at) = account.identifiers.iter().position(has) {
        return Some(format!("/identifiers/{at}: taken"));
    }
    let login = account.legacy_login.as_ref()?;
    taken
        .iter()
        .any(|taken| taken.legacy_logins.contains(login.lookup_key()))
        .then(|| "/legacy_login: taken".to_owned())
}
