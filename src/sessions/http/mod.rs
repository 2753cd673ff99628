//! Bodies, handlers and problems of sessions.

mod current;
mod manage;
mod refresh;
mod token_set;

use utoipa_actix_web::service_config::ServiceConfig;

pub use token_set::Answer;
pub use token_set::TokenDelivery;
pub use token_set::TokenSet;
pub use token_set::token_set;

use super::model::Expiry;
use crate::http::ErrorCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(refresh::refresh)
        .service(refresh::sign_out)
        .service(manage::list)
        .service(manage::rename)
        .service(manage::end_one)
        .service(manage::end_all);
}

pub(super) fn expired(expiry: Expiry) -> Problem {
    Problem::new(ErrorCode::SessionExpired).reason(match expiry {
        Expiry::Idle => "idle",
        Expiry::Absolute => "absolute",
    })
}
