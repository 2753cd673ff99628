//! Bodies, handlers and problems of passwords.

mod change;
mod reset;

use utoipa_actix_web::service_config::ServiceConfig;

use super::model::PasswordError;
use crate::accounts::AuthenticateError;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(change::change)
        .service(change::lead_to_page)
        .service(reset::request)
        .service(reset::inspect)
        .service(reset::confirm);
}

fn problem(error: PasswordError) -> Problem {
    match error {
        PasswordError::ResetInvalid => Problem::new(ErrorCode::ResetTokenInvalid),
        PasswordError::WrongCode { attempts_left } => {
            Problem::new(ErrorCode::InvalidCode).attempts_left(u32::try_from(attempts_left).unwrap_or(0))
        }
        PasswordError::NoTriesLeft { retry_after_secs } => {
            Problem::new(ErrorCode::TooManyAttempts).retry_after(retry_after_secs)
        }
        PasswordError::Current(AuthenticateError::Wrong { .. }) => {
            Problem::field("/current_password", FieldCode::WrongPassword)
        }
        PasswordError::Current(AuthenticateError::Closed { .. }) => Problem::new(ErrorCode::AccountClosed),
        PasswordError::Current(AuthenticateError::Suspended { .. }) => Problem::new(ErrorCode::AccountSuspended),
        PasswordError::Act(error) => error.into(),
        PasswordError::Refused(faults) => {
            let blank = Problem::new(ErrorCode::InvalidFields);
            faults.into_iter().fold(blank, |problem, fault| problem.fault("/new_password", fault.into()))
        }
        PasswordError::Current(AuthenticateError::Hashing(error)) | PasswordError::Hashing(error) => error.into(),
        PasswordError::Current(AuthenticateError::Internal(error)) | PasswordError::Internal(error) => error.into(),
    }
}
