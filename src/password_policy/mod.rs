//! Which passwords may be chosen (NIST SP 800-63B-4 §3.1.1.2, ASVS 5.0 §6.2).
//!
//! A candidate is brought to Unicode form NFKC first, and everything below is judged on that form, because it
//! is the one that is hashed: NFKC can turn one code point into eighteen and two into one, so a length counted
//! before would bound nothing. It is refused if it
//! * has fewer than 8 or more than 128 code points (8 is enough as part of two factors, and here there always
//!   are two; below 15 the report suggests more),
//! * holds a control character (C0, DEL, C1), which no keyboard can type again reliably,
//! * is one of the commonest, whatever its case,
//! * is in the operator's list of breached passwords, if there is one, or
//! * rests on a word that the attacker knows as well: see `context_words`.
//!
//! There are no rules of composition, no expiry, no trimming and no truncation. The estimated strength
//! advises and never refuses. Passwords that are *presented* are not judged at all, only bounded
//! ([`NormalisedPassword::for_verification`]).
//!
//! [`PasswordPolicy::accept`] takes microseconds, plus twenty reads if there is a breached list.
//! [`PasswordPolicy::check`] also estimates the strength, up to 50 ms of computation for a text made to be
//! slow: call it off the request threads.

mod breached;
mod common;
mod context_words;
mod strength;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::crypto::MAX_PASSWORD_CODE_POINTS;
use crate::crypto::NormalisedPassword;
use crate::http::FieldCode;
use crate::internal::Internal;

pub use breached::BreachedFileError;
pub use strength::Suggestion;

use breached::BreachedList;
use context_words::ContextWords;

/// The fewest code points of a password. NIST allows 8 where the password is one of two factors.
pub const MIN_PASSWORD_CODE_POINTS: usize = 8;

/// What an attacker knows about the person who chooses.
#[derive(Clone, Copy, Default)]
pub struct PasswordContext<'a> {
    /// Their e-mail addresses and phone numbers, in any form.
    pub identifiers: &'a [&'a str],
    /// Their name, if they gave one.
    pub display_name: Option<&'a str>,
}

/// What there is to say about a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordReport {
    /// Whether [`PasswordPolicy::accept`] would take it.
    pub acceptable: bool,
    /// Estimated strength, 0 (guessed at once) to 4. It alone refuses nothing.
    pub score: u8,
    /// Why it is refused; empty if it is not.
    pub faults: Vec<FieldCode>,
    /// How it could be stronger.
    pub suggestions: Vec<Suggestion>,
}

/// A password that passed the policy, ready to be hashed.
pub struct AcceptedPassword(NormalisedPassword);

impl AcceptedPassword {
    /// What is hashed.
    pub fn normalised(&self) -> &NormalisedPassword {
        &self.0
    }
}

/// Why there is no [`AcceptedPassword`].
#[derive(Debug, thiserror::Error)]
pub enum PasswordRefusal {
    /// The candidate's faults, at least one.
    #[error("the password is refused by the policy")]
    Faults(Vec<FieldCode>),
    /// The breached list could not be read. Nothing is accepted unseen.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// The policy of this deployment.
pub struct PasswordPolicy {
    service_name: String,
    breached: Option<BreachedList>,
}

impl PasswordPolicy {
    /// The policy of a service of this name, with a list of breached passwords if the operator has one.
    ///
    /// # Errors
    /// The list cannot be opened or is not one.
    pub fn new(service_name: &str, breached_file: Option<&Path>) -> Result<Self, BreachedFileError> {
        let breached = breached_file.map(BreachedList::open).transpose()?;
        Ok(Self { service_name: service_name.to_owned(), breached })
    }

    /// Takes a candidate as somebody's new password.
    ///
    /// # Errors
    /// Every fault that it has.
    pub fn accept(&self, candidate: &str, context: PasswordContext<'_>) -> Result<AcceptedPassword, PasswordRefusal> {
        let Some(password) = NormalisedPassword::for_verification(candidate) else {
            return Err(PasswordRefusal::Faults(vec![FieldCode::PasswordTooLong]));
        };
        let faults = self.faults(&password, &self.words(context))?;
        if faults.is_empty() { Ok(AcceptedPassword(password)) } else { Err(PasswordRefusal::Faults(faults)) }
    }

    /// Tells all about a candidate, its strength included.
    ///
    /// # Errors
    /// The breached list could not be read.
    pub fn check(&self, candidate: &str, context: PasswordContext<'_>) -> Result<PasswordReport, Internal> {
        let Some(password) = NormalisedPassword::for_verification(candidate) else {
            return Ok(PasswordReport {
                acceptable: false,
                score: 0,
                faults: vec![FieldCode::PasswordTooLong],
                suggestions: vec![],
            });
        };
        let words = self.words(context);
        let faults = self.faults(&password, &words)?;
        let (score, suggestions) = strength::estimate(&password, &words);
        Ok(PasswordReport { acceptable: faults.is_empty(), score, faults, suggestions })
    }

    fn words(&self, context: PasswordContext<'_>) -> ContextWords {
        ContextWords::collect(&self.service_name, context)
    }

    fn faults(&self, password: &NormalisedPassword, words: &ContextWords) -> Result<Vec<FieldCode>, Internal> {
        let text = password.expose();
        let length = password.code_points();
        let breached = match &self.breached {
            Some(list) => list.contains(text)?,
            None => false,
        };
        let found = [
            (FieldCode::PasswordTooShort, length < MIN_PASSWORD_CODE_POINTS),
            (FieldCode::PasswordTooLong, length > MAX_PASSWORD_CODE_POINTS),
            (FieldCode::InvalidCharacters, text.chars().any(char::is_control)),
            (FieldCode::PasswordTooCommon, common::is_common(text)),
            (FieldCode::PasswordBreached, breached),
            (FieldCode::PasswordContainsContext, words.carry(text)),
        ];
        Ok(found.into_iter().filter_map(|(fault, is_so)| is_so.then_some(fault)).collect())
    }
}
