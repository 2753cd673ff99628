//! What the outermost layer must know; built once and shared by all workers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use ipnet::IpNet;

use crate::clock::Clock;
use crate::config::ForwardedHeader;
use crate::http::routes::Routes;
use crate::limits::Limits;
use crate::metrics::Metrics;

/// The service as HTTP sees it; [`crate::http::edge()`] finds it as `web::Data<HttpContext>`.
#[derive(Clone, Default)]
pub struct HttpContext {
    /// The issuer: `https://host`, no trailing slash.
    pub issuer: String,
    /// The exact origins that may call with credentials.
    pub origins: Vec<String>,
    /// The proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they write whom they heard.
    pub forwarded_header: ForwardedHeader,
    /// Every operation of the assembled document.
    pub routes: Routes,
    /// How often a network may ask; nothing is counted without.
    pub limits: Option<Arc<Limits>>,
    /// How long a request may take.
    pub deadline: Duration,
    /// Where answers are counted.
    pub metrics: Metrics,
    /// The time, for request ids.
    pub clock: Clock,
}

impl HttpContext {
    /// The context of a request's application.
    pub(super) fn of(request: &HttpRequest) -> Option<&Data<Self>> {
        request.app_data::<Data<Self>>()
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    pub(super) fn lists_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|listed| listed == origin)
    }
}
