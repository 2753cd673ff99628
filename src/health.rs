//! Whether this replica lives, and whether it should get requests.
//!
//! Ready = not stopping, keys loaded, schema current, PostgreSQL answering. Redis that is down makes it
//! `degraded`: it still answers what it can.

use actix_web::HttpResponse;
use actix_web::get;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::db;

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
async fn ready(app: web::Data<App>) -> HttpResponse {
    let mut reasons = Vec::new();
    if app.is_stopping() {
        reasons.push("stopping");
    }
    if app.key_ring.signing(app.clock.now()).is_none() {
        reasons.push("no_signing_key");
    }
    match db::schema_is_current(&app.background_db).await {
        Ok(true) => {}
        Ok(false) => reasons.push("schema_outdated"),
        Err(_) => reasons.push("database_unavailable"),
    }
    if !reasons.is_empty() {
        return HttpResponse::ServiceUnavailable().json(Health { status: "unready", reasons });
    }
    match app.redis.ping().await {
        Ok(()) => HttpResponse::Ok().json(Health { status: "ok", reasons }),
        Err(_) => HttpResponse::Ok().json(Health { status: "degraded", reasons: vec!["redis_unavailable"] }),
    }
}
