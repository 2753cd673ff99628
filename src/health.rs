//! Whether this replica lives, and whether it should get requests.
//!
//! Ready = not stopping, keys loaded, schema current, PostgreSQL answering, its clock agreeing with
//! ours. Redis that is down, or clocks that begin to differ, make it `degraded`: it still answers what it can. It is
//! told what was seen last ([`crate::vitals`]), so asking costs nothing.

use actix_web::HttpResponse;
use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::vitals::Vitals;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(live).service(ready);
}

/// How a replica is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`, `degraded` or `unready`.
    #[schema(example = "ok")]
    status: &'static str,
    /// What is not as it should be; open set.
    #[schema(example = json!([]))]
    reasons: Vec<&'static str>,
}

/// Whether the process lives.
#[utoipa::path(
    tag = "health", operation_id = "live",
    responses((status = 200, description = "It lives", body = Health)),
    extensions(("x-problems" = json!([]))),
)]
#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", reasons: Vec::new() })
}

/// Whether this replica should get requests.
#[utoipa::path(
    tag = "health", operation_id = "ready",
    responses(
        (status = 200, description = "It should", body = Health),
        (status = 503, description = "It should not", body = Health,
            example = json!({"status": "unready", "reasons": ["stopping"]})),
    ),
    extensions(("x-problems" = json!([]))),
)]
#[get("/health/ready")]
async fn ready(app: Data<App>, vitals: Data<Vitals>) -> HttpResponse {
    let reasons = vitals.unready(&app);
    if !reasons.is_empty() {
        return HttpResponse::ServiceUnavailable().json(Health { status: "unready", reasons });
    }
    let reasons = vitals.degraded();
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    HttpResponse::Ok().json(Health { status, reasons })
}
