//! Bodies, handlers and problems of recoveries.

mod start;
mod steps;

use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::Proved;
use super::model::Recovery;
use super::model::RecoveryError;
use super::model::Told;
use crate::accounts::AccountStatus;
use crate::app::App;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(start::start)
        .service(start::resume)
        .service(steps::verify_contact)
        .service(steps::send_code)
        .service(steps::prove)
        .service(steps::inspect)
        .service(steps::cancel);
}

/// Where a recovery stands.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "state": "waiting", "proofs": ["password"], "opens_at": "2026-11-25T12:00:00Z", "expires_at": "2026-12-22T12:00:00Z" }))]
pub(super) struct RecoveryState {
    /// What it waits for, or how it ended.
    #[schema(inline)]
    state: Told,
    /// What was proved and counts. Two kinds are needed, and each counts once: one that stands here need not be given again.
    #[schema(inline)]
    proofs: Vec<Proved>,
    /// When the wait is over, once it has begun. Proofs that become enough later than a day before move it: to a day from then.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<DateTime<Utc>>,
    /// When it is over, whatever happens.
    expires_at: DateTime<Utc>,
}

impl RecoveryState {
    fn of(app: &App, recovery: &Recovery) -> Self {
        Self {
            state: recovery.told(app.clock.now()),
            proofs: recovery.proofs.clone(),
            opens_at: recovery.state.opens_at(),
            expires_at: recovery.expires_at,
        }
    }
}

/// What a person is told when a step was refused.
pub fn problem(error: RecoveryError) -> Problem {
    match error {
        RecoveryError::Expired => Problem::new(ErrorCode::RecoveryTokenInvalid),
        RecoveryError::PasswordNeeded => Problem::field("/new_password", FieldCode::Required),
        RecoveryError::Inactive(AccountStatus::Suspended) => Problem::new(ErrorCode::AccountSuspended),
        RecoveryError::Inactive(AccountStatus::Closed | AccountStatus::Closing | AccountStatus::Active) => {
            Problem::new(ErrorCode::AccountClosed)
        }
        RecoveryError::CancelTokenInvalid => Problem::new(ErrorCode::CancelTokenInvalid).reason("recovery"),
        RecoveryError::WrongStep => Problem::new(ErrorCode::WrongStep),
        RecoveryError::Lost => Problem::field("/kind", FieldCode::NotSupported).reason("lost"),
        RecoveryError::Step(error) => error.into(),
    }
}
