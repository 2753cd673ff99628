//! Bodies and handlers of identifiers.

mod adding;
mod owned;

pub use owned::AccountIdentifier;
pub use owned::shown;

use utoipa_actix_web::service_config::ServiceConfig;

use super::model::IdentifierChangeError;
use crate::http::ErrorCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(owned::list)
        .service(adding::add)
        .service(adding::verify)
        .service(adding::resend)
        .service(owned::make_primary)
        .service(owned::remove);
}

fn problem(error: IdentifierChangeError) -> Problem {
    match error {
        IdentifierChangeError::Unknown => Problem::new(ErrorCode::NotFound),
        IdentifierChangeError::AlreadyVerified => Problem::new(ErrorCode::AlreadyVerified),
        IdentifierChangeError::AlreadyLeaving => Problem::new(ErrorCode::AlreadyVerified).reason("leaving"),
        IdentifierChangeError::Taken => Problem::new(ErrorCode::Conflict),
        IdentifierChangeError::Leaving => Problem::new(ErrorCode::Conflict).reason("leaving"),
        IdentifierChangeError::TooMany => Problem::new(ErrorCode::LimitReached),
        IdentifierChangeError::Last => Problem::new(ErrorCode::LastIdentifier),
        IdentifierChangeError::Step(error) => error.into(),
    }
}
