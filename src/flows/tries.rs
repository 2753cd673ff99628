//! Tries: counted before they are looked at, settled afterwards.

use uuid::Uuid;

use super::TRIES;
use super::step::StepError;
use super::store;
use crate::accounts;
use crate::app::App;
use crate::audit::Event;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::limits::Raised;

/// What a session counts; the other counts are a flow's.
pub const REAUTHENTICATION: &str = "reauthentication";

/// Why a step of one flow was refused: as every flow refuses, or in a way of its own.
pub trait Refusal: From<StepError> {
    /// What every flow may refuse, if it is that.
    fn step(&self) -> Option<&StepError>;

    /// Whether something was wrong that has a count of its own, so that the code was not judged.
    fn has_a_count_of_its_own(&self) -> bool {
        false
    }
}

/// A try that was counted and is being looked at.
#[must_use]
pub struct Try<'a> {
    app: &'a App,
    counter: Uuid,
    what: &'static str,
    left: i64,
    raised: Option<Raised>,
}

impl<'a> Try<'a> {
    /// Counts a try at `what` of a flow, a code or a session, and a failure of whoever is named.
    ///
    /// # Errors
    /// There were [`TRIES`] before it, or too many failures in a row.
    pub async fn take(
        app: &'a App,
        (counter, what): (Uuid, &'static str),
        failing: Option<Failing<'_>>,
    ) -> Result<Self, StepError> {
        let (count, lasts_secs) = store::count_try(app, counter, what).await?;
        let left = TRIES - count;
        if left < 0 {
            // In a flow a new code, or a new sign-in, comes sooner than the count runs out.
            let lasting = StepError::NoTriesLeft { retry_after_secs: lasts_secs };
            return Err(if what == REAUTHENTICATION { lasting } else { StepError::tries_spent() });
        }
        let mut tried = Self { app, counter, what, left, raised: None };
        if let Some(failing) = failing {
            match app.failures.raise(Lane::Code, failing).await {
                Ok(raised) => tried.raised = Some(raised),
                Err(error) => {
                    tried.give_back().await?;
                    return Err(error.into());
                }
            }
        }
        Ok(tried)
    }

    /// Ends the try, after whatever effect it had: a wrong code or passkey stays counted and is recorded as `failed`, and
    /// a code is told how many tries remain; what was not judged is given back; the right code ends the row of failures.
    pub async fn settle<T, E: Refusal>(mut self, outcome: Result<T, E>, failed: Option<Event<'_>>) -> Result<T, E> {
        let failures = &self.app.failures;
        let error = match outcome {
            Ok(done) => {
                if let Some(raised) = &self.raised {
                    failures.forgive(raised).await.map_err(StepError::from)?;
                }
                return Ok(done);
            }
            Err(error) => error,
        };
        match error.step() {
            Some(StepError::WrongCode { .. }) => {
                self.record(failed).await.map_err(StepError::from)?;
                return Err(StepError::WrongCode { attempts_left: self.left }.into());
            }
            // Nobody guesses an answer, so a wrong one closes nothing of the account: it is one of the five alone.
            Some(StepError::WrongCredential) => {
                if let Some(raised) = self.raised.take() {
                    failures.give_back(&raised).await.map_err(StepError::from)?;
                }
                self.record(failed).await.map_err(StepError::from)?;
            }
            _ => {
                if let Some(raised) = &self.raised {
                    failures.give_back(raised).await.map_err(StepError::from)?;
                }
                if !error.has_a_count_of_its_own() {
                    self.give_back().await.map_err(StepError::from)?;
                }
            }
        }
        Err(error)
    }

    async fn give_back(&self) -> Result<(), Internal> {
        store::return_try(self.app, self.counter, self.what).await
    }

    async fn record(&self, failed: Option<Event<'_>>) -> Result<(), Internal> {
        let Some(failed) = failed else { return Ok(()) };
        accounts::record_failure(self.app, failed, self.raised.as_ref()).await
    }
}
