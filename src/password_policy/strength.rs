//! How many guesses a password stands, as zxcvbn estimates it, and what would help.
//!
//! Its many sentences are told as a few stable codes: several of them give the same advice.

use strum::IntoStaticStr;
use strum::VariantArray;
use zeroize::Zeroizing;
use zxcvbn::feedback;
use zxcvbn::feedback::Feedback;
use zxcvbn::feedback::Warning;

use crate::crypto::NormalisedPassword;

use super::context_words::ContextWords;

/// How much of a password is estimated. The time grows fast with the length of a text full of substitutions:
/// measured 48 ms for the worst 32 code points found, 640 ms for 100. The rest can only add strength, so the
/// estimate is a lower bound.
const ESTIMATED_CODE_POINTS: usize = 32;
/// What NIST SP 800-63B-4 asks of a password that stands alone, and what is worth suggesting.
const SUGGESTED_CODE_POINTS: usize = 15;
const BEST_SCORE: u8 = 4;

/// How a password could be stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the codes say it")]
pub enum Suggestion {
    LongerIsStronger,
    AddMoreWords,
    AvoidCommonPasswords,
    AvoidNames,
    AvoidKeyboardPatterns,
    AvoidRepeats,
    AvoidSequences,
    AvoidDates,
    NoNeedForSymbols,
    CapitalsHelpLittle,
    ReversalHelpsLittle,
    SubstitutionsHelpLittle,
}

impl Suggestion {
    /// The code that clients switch on.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// A score from 0 to 4, and suggestions in order of use, each once.
pub(super) fn estimate(password: &NormalisedPassword, words: &ContextWords) -> (u8, Vec<Suggestion>) {
    let start = Zeroizing::new(password.expose().chars().take(ESTIMATED_CODE_POINTS).collect::<String>());
    let entropy = zxcvbn::zxcvbn(&start, &words.as_strs());
    let score = u8::from(entropy.score());
    let mut suggestions = Vec::new();
    if score < BEST_SCORE && password.code_points() < SUGGESTED_CODE_POINTS {
        suggestions.push(Suggestion::LongerIsStronger);
    }
    let advice = entropy.feedback().into_iter().flat_map(|feedback: &Feedback| {
        feedback.warning().map(of_warning).into_iter().chain(feedback.suggestions().iter().map(|s| of_suggestion(*s)))
    });
    for suggestion in advice {
        if !suggestions.contains(&suggestion) {
            suggestions.push(suggestion);
        }
    }
    (score, suggestions)
}

fn of_warning(warning: Warning) -> Suggestion {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
            Suggestion::AvoidKeyboardPatterns
        }
        Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            Suggestion::AvoidRepeats
        }
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword
        | Warning::ThisIsSimilarToACommonlyUsedPassword => Suggestion::AvoidCommonPasswords,
        Warning::SequencesLikeAbcAreEasyToGuess => Suggestion::AvoidSequences,
        Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Suggestion::AvoidDates,
        Warning::AWordByItselfIsEasyToGuess => Suggestion::AddMoreWords,
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess | Warning::CommonNamesAndSurnamesAreEasyToGuess => {
            Suggestion::AvoidNames
        }
    }
}

fn of_suggestion(suggestion: feedback::Suggestion) -> Suggestion {
    match suggestion {
        feedback::Suggestion::UseAFewWordsAvoidCommonPhrases | feedback::Suggestion::AddAnotherWordOrTwo => {
            Suggestion::AddMoreWords
        }
        feedback::Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => Suggestion::NoNeedForSymbols,
        feedback::Suggestion::CapitalizationDoesntHelpVeryMuch
        | feedback::Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => Suggestion::CapitalsHelpLittle,
        feedback::Suggestion::ReversedWordsArentMuchHarderToGuess => Suggestion::ReversalHelpsLittle,
        feedback::Suggestion::PredictableSubstitutionsDontHelpVeryMuch => Suggestion::SubstitutionsHelpLittle,
        feedback::Suggestion::UseALongerKeyboardPatternWithMoreTurns => Suggestion::AvoidKeyboardPatterns,
        feedback::Suggestion::AvoidRepeatedWordsAndCharacters => Suggestion::AvoidRepeats,
        feedback::Suggestion::AvoidSequences => Suggestion::AvoidSequences,
        feedback::Suggestion::AvoidRecentYears
        | feedback::Suggestion::AvoidYearsThatAreAssociatedWithYou
        | feedback::Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => Suggestion::AvoidDates,
    }
}
