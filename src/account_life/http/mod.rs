//! Bodies and handlers of the account.

mod closure;
mod events;
mod export;
mod factors;
mod merges;
mod profile;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(profile::show)
        .service(profile::change)
        .service(profile::count_recovery_codes)
        .service(profile::renew_recovery_codes)
        .service(closure::close)
        .service(closure::keep)
        .service(events::list)
        .service(export::export)
        .service(merges::merge)
        .service(factors::list)
        .service(factors::add)
        .service(factors::confirm)
        .service(factors::resend)
        .service(factors::rename)
        .service(factors::remove);
}
