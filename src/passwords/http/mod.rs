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
        PasswordError::Current(AuthenticateError::Wrong { .. }) => {
            Problem::field("/current_password", FieldCode::WrongPassword)
        }
        PasswordError::Current(AuthenticateError::Closed { .. }) => Problem::new(ErrorCode::AccountClosed),
        PasswordError::Current(AuthenticateError::Suspended { .. }) => Problem::new(ErrorCode::AccountSuspended),
        PasswordError::Current(AuthenticateError::Hashing(error)) => error.into(),
        PasswordError::Current(AuthenticateError::Internal(error)) => error.into(),
        PasswordError::Step(error) => error.into(),
    }
}
