//! One replica: its endpoints in their order, its workers, its start and its stop.
//!
//! Start: the schema must be current and the key ring loaded before the first request is accepted.
//! Stop: say "not ready", go on accepting for the drain delay so that load balancers notice, finish what is being
//! answered, let the workers hand back what they hold, close the pools. A rolling restart costs no request.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::App as ActixApp;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web;
use tokio::sync::watch;
use tokio::task::JoinSet;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::account_life;
use crate::app::App;
use crate::changes;
use crate::claims;
use crate::config::Mode;
use crate::db;
use crate::deliveries;
use crate::development;
use crate::devices;
use crate::health;
use crate::help;
use crate::http;
use crate::http::HttpContext;
use crate::identifiers;
use crate::internal::Internal;
use crate::janitor;
use crate::limits::Heartbeat;
use crate::messages::Transport;
use crate::openapi;
use crate::openapi::Document;
use crate::passwords;
use crate::provider_events;
use crate::recovery;
use crate::reminders;
use crate::scrape;
use crate::sessions;
use crate::sign_in;
use crate::sign_up;
use crate::tokens;
use crate::vitals;
use crate::vitals::Vitals;

/// How long a stopping server lets requests finish, in seconds.
const FINISH_SECS: u64 = 10;

/// A running replica.
pub struct Server {
    app: Arc<App>,
    handle: ServerHandle,
    addresses: Vec<SocketAddr>,
    metrics_address: Option<SocketAddr>,
    stop_workers: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Adds every endpoint of a mode.
fn endpoints(mode: Mode) -> impl Fn(&mut ServiceConfig<'_>) + Copy {
    move |config| {
        sign_up::routes(config);
        sign_in::routes(config);
        recovery::routes(config);
        devices::routes(config);
        sessions::routes(config);
        passwords::routes(config);
        account_life::routes(config);
        identifiers::routes(config);
        changes::routes(config);
        claims::routes(config);
        reminders::routes(config);
        tokens::routes(config);
        help::routes(config);
        provider_events::routes(config);
        health::routes(config);
        openapi::routes(config);
        if mode == Mode::Development {
            development::routes(config);
        }
    }
}

/// The OpenAPI document of a mode.
///
/// # Errors
/// An operation is described wrongly; a test says so first.
pub fn document(mode: Mode, issuer: &str) -> Result<Document, Internal> {
    openapi::document(issuer, endpoints(mode))
}

impl Server {
    /// Starts serving on listeners that are bound already.
    ///
    /// # Errors
    /// A store does not answer, the schema is not current, no key can sign, or the mail settings are wrong.
    pub async fn start(app: Arc<App>, listeners: Vec<TcpListener>) -> Result<Self, Internal> {
        let transport = Transport::new(&app.config).map_err(Internal::bug)?;
        if !db::schema_is_current(&app.background_db).await? {
            return Err(Internal::bug("the database lacks migrations of this version: run `sekisho migrate`"));
        }
        tokens::refresh_key_ring(&app).await?;
        let heartbeat = Heartbeat::start(Arc::clone(&app.limits), app.background_db.clone()).await?;
        let document = document(app.config.mode, &app.config.issuer)?;
        let addresses =
            listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>().map_err(Internal::bug)?;
        let (stop_workers, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let vitals = Arc::new(Vitals::default());
        vitals.look(&app).await;
        let metrics = metrics_listener(&app)?;
        let metrics_address = metrics.as_ref().and_then(|listener| listener.local_addr().ok());
        let http = listen(&app, &vitals, document, listeners)?;
        let handle = http.handle();
        tasks.spawn(async move {
            if let Err(error) = http.await {
                tracing::error!(%error, "the listener failed");
            }
        });
        tasks.spawn(deliveries::run(Arc::clone(&app), transport, stopping.clone()));
        if let Some(listener) = metrics {
            tasks.spawn(serve_metrics(scrape::listen(&app, &vitals, listener)?, stopping.clone()));
        }
        tasks.spawn(vitals::watch(Arc::clone(&app), vitals, stopping.clone()));
        tasks.spawn(tokens::keep_key_ring(Arc::clone(&app), stopping.clone()));
        tasks.spawn(heartbeat.keep(stopping.clone()));
        tasks.spawn(recovery::tell_owners(Arc::clone(&app), stopping.clone()));
        tasks.spawn(janitor::run(Arc::clone(&app), stopping));
        Ok(Self { app, handle, addresses, metrics_address, stop_workers, tasks })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where `/metrics` is, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Stops without losing a request.
    pub async fn stop(mut self) {
        self.app.announce_stop();
        tokio::time::sleep(self.app.config.http.drain).await;
        self.handle.stop(true).await;
        self.stop_workers.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        self.app.close().await;
    }
}

fn metrics_listener(app: &App) -> Result<Option<TcpListener>, Internal> {
    let Some(address) = app.config.metrics else { return Ok(None) };
    let told = |error| Internal::bug(format!("cannot listen on {address} (`metrics.listen`): {error}"));
    TcpListener::bind(address).map(Some).map_err(told)
}

/// Metrics are served until the workers stop, so that the last scrape sees the drain.
async fn serve_metrics(server: actix_web::dev::Server, mut stopping: watch::Receiver<bool>) {
    let handle = server.handle();
    let (outcome, ()) = tokio::join!(server, async {
        while !*stopping.borrow() && stopping.changed().await.is_ok() {}
        handle.stop(false).await;
    });
    if let Err(error) = outcome {
        tracing::error!(%error, "the listener of the metrics failed");
    }
}

fn listen(
    app: &Arc<App>,
    vitals: &Arc<Vitals>,
    document: Document,
    listeners: Vec<TcpListener>,
) -> Result<actix_web::dev::Server, Internal> {
    let config = &app.config;
    let (mode, docs) = (config.mode, config.docs);
    let context = web::Data::new(HttpContext {
        issuer: config.issuer.clone(),
        origins: config.client.origins.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        forwarded_header: config.http.forwarded_header,
        routes: document.routes(),
        limits: Some(Arc::clone(&app.limits)),
        deadline: config.http.deadline,
        metrics: app.metrics.clone(),
        clock: app.clock.clone(),
    });
    let (document, app) = (web::Data::new(document), web::Data::from(Arc::clone(app)));
    let vitals = web::Data::from(Arc::clone(vitals));
    let workers = app.config.http.workers;
    let server = HttpServer::new(move || {
        let (with_docs, _) = ActixApp::new()
            .into_utoipa_app()
            .app_data(context.clone())
            .app_data(document.clone())
            .app_data(app.clone())
            .app_data(vitals.clone())
            .configure(endpoints(mode))
            .configure(move |config| {
                if docs {
                    openapi::docs(config);
                }
            })
            .split_for_parts();
        with_docs
            .default_service(web::to(http::not_found))
            .wrap(from_fn(move |request, next| development::local_host_only(mode == Mode::Development, request, next)))
            .wrap(from_fn(http::edge))
    });
    let server = server.workers(workers).shutdown_timeout(FINISH_SECS).disable_signals();
    let server = listeners.into_iter().try_fold(server, HttpServer::listen).map_err(Internal::bug)?;
    Ok(server.run())
}
