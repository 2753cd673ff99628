//! Five tries of a flow, and the failures of its account; each is counted before it is looked at.

use crate::flows::StepError;
use uuid::Uuid;

use super::super::model::SignInError;
use crate::accounts;
use crate::accounts::AuthenticateError;
use crate::app::App;
use crate::audit::Event;
use crate::flows;
use crate::ids::AccountId;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::limits::Raised;

/// What a session counts; the other counts are a flow's.
pub(crate) const REAUTHENTICATION: &str = "reauthentication";

/// A try that was counted and is being looked at.
pub(crate) struct Try<'a> {
    app: &'a App,
    account: AccountId,
    counter: Uuid,
    what: &'static str,
    left: i64,
    raised: Raised,
}

impl<'a> Try<'a> {
    /// Counts a try at `what` of a flow or a session; refused when there were five, or when the account has had too
    /// many failures.
    pub(crate) async fn take(
        app: &'a App,
        account: AccountId,
        counter: Uuid,
        what: &'static str,
    ) -> Result<Self, SignInError> {
        let (tries, lasts_secs) = flows::count_try(app, counter, what).await?;
        let left = flows::TRIES - tries;
        if left < 0 {
            // In a flow a new code, or a new sign-in, comes sooner than the count runs out.
            let retry_after_secs =
                if what == REAUTHENTICATION { lasts_secs } else { accounts::RESEND_SECS.unsigned_abs() };
            return Err(StepError::NoTriesLeft { retry_after_secs }.into());
        }
        let raised = match app.failures.raise(Lane::Code, Failing::Account(account)).await {
            Ok(raised) => raised,
            Err(error) => {
                flows::return_try(app, counter, what).await?;
                return Err(error.into());
            }
        };
        Ok(Self { app, account, counter, what, left, raised })
    }

    /// Ends the try: a wrong code or passkey stays counted and is recorded as `failed`, and a code is told how many tries
    /// remain; what was not judged is given back; the right code ends the row of failures.
    pub(crate) async fn settle<T>(self, outcome: Result<T, SignInError>, failed: Event<'_>) -> Result<T, SignInError> {
        let failures = &self.app.failures;
        match outcome {
            Ok(done) => {
                failures.forgive(&self.raised).await?;
                Ok(done)
            }
            Err(SignInError::Step(StepError::WrongCode { .. })) => {
                accounts::record_failure(self.app, failed, (Some(self.account), &self.raised)).await?;
                Err(StepError::WrongCode { attempts_left: self.left }.into())
            }
            // Nobody guesses an answer, so a wrong one closes nothing of the account: it is one of the five alone.
            Err(SignInError::WrongCredential) => {
                failures.give_back(&self.raised).await?;
                super::record_alone(self.app, failed.account(self.account)).await?;
                Err(SignInError::WrongCredential)
            }
            // The password has a count of its own; the code was not judged.
            Err(error @ SignInError::Authenticate(AuthenticateError::Wrong { .. })) => {
                failures.give_back(&self.raised).await?;
                Err(error)
            }
            Err(error) => {
                failures.give_back(&self.raised).await?;
                flows::return_try(self.app, self.counter, self.what).await?;
                Err(error)
            }
        }
    }
}
