//! Bodies, handlers and problems of sign-up, and what a page needs to show before it.

mod configuration;
mod password_check;
mod sign_up;

use utoipa_actix_web::service_config::ServiceConfig;

use super::model::SignUpError;
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
        SignUpError::Step(error) => error.into(),
    }
}
