//! Who may have what a batch claims.

use std::collections::HashSet;

use super::super::model::Candidate;
use super::super::model::Finding;
use super::super::model::Outcome;
use crate::accounts::ImportedAccount;
use crate::accounts::ImportedIdentifier;
use crate::accounts::Taken;

/// What lines have claimed.
#[derive(Default)]
pub(super) struct Claimed {
    external_ids: HashSet<String>,
    identifiers: HashSet<String>,
    legacy_logins: HashSet<String>,
}

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
    pub claimed: Claimed,
}

impl Claimed {
    /// Judges candidates in order: of two that claim the same, the first one has it.
    pub(super) fn judge(&self, candidates: &[Candidate], taken: &Taken) -> Judged {
        let mut judged = Judged::default();
        for (place, Candidate { line, account, .. }) in candidates.iter().enumerate() {
            let claims = [self, &judged.claimed];
            let name = &account.external_id;
            if taken.external_ids.contains(name) || claims.iter().any(|claimed| claimed.external_ids.contains(name)) {
                judged.skipped += 1;
            } else if let Some(reason) = contested(account, taken, claims) {
                let (external_id, outcome) = (Some(name.clone()), Outcome::Parked);
                judged.parked.push(Finding { line: *line, external_id, outcome, reason });
            } else {
                judged.claimed.add(account);
                judged.accepted.push(place);
            }
        }
        judged
    }

    /// Keeps what others have claimed.
    pub(super) fn merge(&mut self, other: Self) {
        self.external_ids.extend(other.external_ids);
        self.identifiers.extend(other.identifiers);
        self.legacy_logins.extend(other.legacy_logins);
    }

    fn add(&mut self, account: &ImportedAccount) {
        self.external_ids.insert(account.external_id.clone());
        self.identifiers.extend(account.identifiers.iter().map(|own| own.identifier.lookup_key().to_owned()));
        self.legacy_logins.extend(account.legacy_login.iter().map(|login| login.lookup_key().to_owned()));
    }
}

/// What somebody else has, as a pointer into the line.
fn contested(account: &ImportedAccount, taken: &Taken, claims: [&Claimed; 2]) -> Option<String> {
    let has = |key: &str, inside: &HashSet<String>, of: fn(&Claimed) -> &HashSet<String>| {
        inside.contains(key) || claims.iter().any(|claimed| of(claimed).contains(key))
    };
    let identifiers = &account.identifiers;
    let contested =
        |own: &ImportedIdentifier| has(own.identifier.lookup_key(), &taken.identifiers, |claimed| &claimed.identifiers);
    if let Some(at) = identifiers.iter().position(contested) {
        return Some(format!("/identifiers/{at}: taken"));
    }
    let login = account.legacy_login.as_ref()?;
    has(login.lookup_key(), &taken.legacy_logins, |claimed| &claimed.legacy_logins)
        .then(|| "/legacy_login: taken".to_owned())
}
