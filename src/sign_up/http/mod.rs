//! Bodies, handlers and problems of sign-up, and what a page needs to show before it.

mod configuration;
mod password_check;
mod sign_up;

use utoipa_actix_web::service_config::ServiceConfig;

use super::model::SignUpError;
use crate::accounts::RESEND_SECS;
use crate::http::ErrorCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(sign_up::start)
        .service(sign_up::resend)
        .service(sign_up::verify)
        .service(password_check::check)
        .service(configuration::show);
}

fn problem(error: SignUpError) -> Problem {
    match error {
        SignUpError::Expired => Problem::new(ErrorCode::SignUpExpired),
        SignUpError::WrongCode { attempts_left } => {
            Problem::new(ErrorCode::InvalidCode).attempts_left(u32::try_from(attempts_left).unwrap_or(0))
        }
        SignUpError::NoTriesLeft => Problem::new(ErrorCode::TooManyAttempts).retry_after(RESEND_SECS.unsigned_abs()),
        SignUpError::TooSoon { retry_after_secs } => Problem::new(ErrorCode::RateLimited).retry_after(retry_after_secs),
        SignUpError::NoSendsLeft => Problem::new(ErrorCode::MessageLimitReached),
        SignUpError::Channel(fault) => fault.into(),
        SignUpError::Refused(refused) => refused.into(),
        SignUpError::Hashing(error) => error.into(),
        SignUpError::Internal(error) => error.into(),
    }
}
