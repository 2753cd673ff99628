//! `/metrics`, on a listener of its own so that it is never open to the world by a mistake in a proxy's rules.
//!
//! It answers from memory, whatever the stores do.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::App as ActixApp;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::web;
use actix_web::web::Data;

use crate::app::App;
use crate::internal::Internal;
use crate::vitals::Vitals;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves the metrics of one server.
///
/// # Errors
/// The listener cannot be used.
pub fn listen(app: &Arc<App>, vitals: &Arc<Vitals>, listener: TcpListener) -> Result<Server, Internal> {
    let (app, vitals) = (web::Data::from(Arc::clone(app)), web::Data::from(Arc::clone(vitals)));
    let server = HttpServer::new(move || {
        ActixApp::new().app_data(app.clone()).app_data(vitals.clone()).route("/metrics", web::get().to(metrics))
    });
    let server = server.workers(1).shutdown_timeout(1).disable_signals();
    Ok(server.listen(listener).map_err(Internal::bug)?.run())
}

async fn metrics(app: Data<App>, vitals: Data<Vitals>) -> HttpResponse {
    let text = app.metrics.text(&vitals.reading(&app));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, OPEN_METRICS)).body(text)
}
