//! Five tries, each counted before it is looked at.

use uuid::Uuid;

use super::super::model::RESEND_SECS;
use super::super::model::SignInError;
use super::super::model::TRIES;
use super::super::store;
use crate::accounts::AuthenticateError;
use crate::app::App;

/// What a session counts; the other counts are a flow's.
pub(in super::super) const REAUTHENTICATION: &str = "reauthentication";

/// A try that was counted and is being looked at.
pub(in super::super) struct Try<'a> {
    app: &'a App,
    counter: Uuid,
    what: &'static str,
    left: i64,
}

impl<'a> Try<'a> {
    /// Counts a try at `what` of a flow or a session; refused when there were five.
    pub(in super::super) async fn take(app: &'a App, counter: Uuid, what: &'static str) -> Result<Self, SignInError> {
        let (tries, lasts_secs) = store::count_try(app, counter, what).await?;
        let left = TRIES - tries;
        if left < 0 {
            // In a flow a new code, or a new sign-in, comes sooner than the count runs out.
            let retry_after_secs = if what == REAUTHENTICATION { lasts_secs } else { RESEND_SECS.unsigned_abs() };
            return Err(SignInError::NoTriesLeft { retry_after_secs });
        }
        Ok(Self { app, counter, what, left })
    }

    /// Tells a wrong code how many tries remain, and gives back a try at which no code or password was judged.
    pub(in super::super) async fn settle<T>(self, outcome: Result<T, SignInError>) -> Result<T, SignInError> {
        match outcome {
            Err(SignInError::WrongCode { .. }) => Err(SignInError::WrongCode { attempts_left: self.left }),
            Ok(_) | Err(SignInError::Authenticate(AuthenticateError::Wrong { .. })) => outcome,
            Err(error) => {
                store::return_try(self.app, self.counter, self.what).await?;
                Err(error)
            }
        }
    }
}
