//! The outermost layer: everything that is the same for every request.
//!
//! On the way in it gives the request its id and caller, opens the log span, and refuses what no handler should
//! see: escaped paths (404), unknown methods (405 with `Allow`), networks that ask too often (429), unknown query
//! parameters, representations that are not offered (406).
//! On the way out it renders problems, logs their causes, and adds the security, limit and CORS headers. A panic on
//! the way is a 500 like any other.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use actix_web::web::Data;
use futures_util::FutureExt;
use tracing::Instrument;

use crate::audit::Caller;
use crate::clock::Stopwatch;
use crate::http::accept::Accept;
use crate::http::client;
use crate::http::context::HttpContext;
use crate::http::cors::Cors;
use crate::http::deadline::Deadline;
use crate::http::error_code::ErrorCode;
use crate::http::problem::Problem;
use crate::http::query;
use crate::http::render;
use crate::http::unread::Unread;
use crate::internal::Internal;
use crate::limits::Policy;
use crate::limits::Standing;
use crate::limits::Subject;

const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NO_SCRIPTS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the way out must know of the way in.
struct View {
    context: Data<HttpContext>,
    caller: Caller,
    cors: Cors,
    html: bool,
    /// What the caller's network may still do.
    standing: Option<Standing>,
    route: String,
    method: &'static str,
    unread: Option<Unread>,
}

/// The middleware: `App::new().app_data(web::Data<HttpContext>).wrap(from_fn(http::edge))`, wrapped last.
///
/// # Errors
/// After a panic the finished 500 travels as an error, because the request it belongs to is gone.
pub async fn edge(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let Some(context) = request.app_data::<Data<HttpContext>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let caller = client::caller(&context, request.headers(), request.peer_addr());
    request.extensions_mut().insert(caller.clone());
    let route = context.routes.find(request.path()).map_or("none", |route| route.template());
    let span = tracing::info_span!("request", request_id = %caller.request_id, method = %request.method(), route);
    let mut view = View {
        cors: Cors::of(&context, request.path(), request.headers()),
        html: Accept::of(request.headers()).prefers_html(),
        route: route.to_owned(),
        method: known(request.method()),
        unread: Unread::hold(&mut request),
        caller,
        context: context.clone(),
        standing: None,
    };
    async move {
        let watch = Stopwatch::start();
        if let Some(preflight) = view.cors.preflight(request.method(), request.headers()) {
            return Ok(request.into_response(view.finish(preflight, watch)));
        }
        match admit(&context, &mut request, view.caller.ip).await {
            Ok(standing) => view.standing = standing,
            Err(problem) => return Ok(request.into_response(view.finish(view.render(&problem), watch))),
        }
        // Only values are kept from before the panic, and the request is dropped with it.
        let deadline = Deadline::start(context.deadline);
        request.extensions_mut().insert(deadline.clone());
        match AssertUnwindSafe(deadline.hold(async move { next.call(request).await })).catch_unwind().await {
            Ok(None) => {
                Err(view.lost(view.render(&Problem::from(Internal::dependency("the deadline has passed"))), watch))
            }
            Ok(Some(Ok(response))) => {
                let (request, response) = response.into_parts();
                let response = view.settle(response);
                Ok(ServiceResponse::new(request, view.finish(response, watch)))
            }
            Ok(Some(Err(error))) => Err(view.lost(HttpResponse::from_error(error), watch)),
            // The panic hook has logged it, in this span.
            Err(_) => Err(view.lost(view.render(&Problem::new(ErrorCode::InternalError)), watch)),
        }
    }
    .instrument(span)
    .await
}

/// Refuses what no handler should see. A path that is not in the document goes on, to `/docs` or to 404.
async fn admit(
    context: &HttpContext,
    request: &mut ServiceRequest,
    caller: IpAddr,
) -> Result<Option<Standing>, Problem> {
    // No path of ours needs an escape. The router would read `/%64ev` as `/dev`, past all that is decided by the path.
    if request.path().contains('%') {
        return Err(Problem::new(ErrorCode::NotFound));
    }
    let asked = request.method().clone();
    // HEAD is GET without the body (RFC 9110 §9.3.2); the connection leaves the body out.
    let method = if asked == Method::HEAD { Method::GET } else { asked };
    let mut standing = None;
    if let Some(route) = context.routes.find(request.path()) {
        let Some(operation) = route.operation(&method) else {
            return Err(Problem::new(ErrorCode::MethodNotAllowed).allow(route.allow()));
        };
        if let (Some(policy), Some(limits)) = (operation.limit, &context.limits) {
            // What is published stays readable: other services check tokens with it.
            if limits.is_blind() && policy != Policy::Public {
                return Err(Internal::dependency("neither Redis nor PostgreSQL answers: nobody counts").into());
            }
            standing = limits.admit(policy.at_the_door(), Subject::Network(caller)).await?;
        }
        if !Accept::of(request.headers()).allows(&operation.media_types) {
            return Err(Problem::new(ErrorCode::NotAcceptable));
        }
        query::check_names(request.query_string(), &operation.parameters)?;
    }
    request.head_mut().method = method;
    Ok(standing)
}

impl View {
    fn render(&self, problem: &Problem) -> HttpResponse {
        if let Some(cause) = &problem.parts().cause {
            tracing::error!(code = problem.code().code(), cause = %cause, "failed");
        }
        let (language, id) = (self.caller.language, self.caller.request_id);
        let body = render::problem_body(problem, &self.context.issuer, language, id);
        render::problem_response(problem, &body, language, self.html)
    }

    /// Turns refusals that are not problems yet into problems. One with a body of the handler's own is left.
    fn settle(&self, response: HttpResponse) -> HttpResponse {
        if !response.status().is_client_error() && !response.status().is_server_error() {
            return response;
        }
        match response.error().map(|error| (error.as_error::<Problem>(), error)) {
            Some((Some(problem), _)) => self.render(problem),
            Some((None, error)) if response.status().is_server_error() => {
                tracing::error!(cause = %error, "failed");
                self.render(&Problem::new(code_of(response.status())))
            }
            None if response.headers().contains_key(header::CONTENT_TYPE) => response,
            _ => self.render(&Problem::new(code_of(response.status()))),
        }
    }

    /// An answer without its request.
    fn lost(&self, response: HttpResponse, watch: Stopwatch) -> Error {
        let response = self.finish(self.settle(response), watch);
        InternalError::from_response("no request", response).into()
    }

    /// Adds the headers that every answer has, and logs that it was given.
    fn finish(&self, mut response: HttpResponse, watch: Stopwatch) -> HttpResponse {
        let headers = response.headers_mut();
        self.add_headers(headers);
        let latency_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.context.metrics.http_request(&self.route, self.method, response.status().as_u16(), watch.elapsed());
        tracing::info!(status = response.status().as_u16(), latency_ms, "answered");
        match &self.unread {
            Some(unread) => unread.until_sent(response),
            None => response,
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        let mut default = |name: HeaderName, value: HeaderValue| {
            if !headers.contains_key(&name) {
                headers.insert(name, value);
            }
        };
        default(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        default(header::CONTENT_SECURITY_POLICY, NO_SCRIPTS);
        default(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.caller.language.tag()));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.context.issuer.starts_with("https://") {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if let Some(standing) = self.standing {
            limit_headers(headers, standing);
        }
        if let Ok(id) = HeaderValue::from_str(&self.caller.request_id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        if self.cors != Cors::Anyone {
            headers.append(header::VARY, HeaderValue::from_static("Accept, Accept-Language"));
        }
        self.cors.apply(headers);
    }
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), unless a refusal named a limit of its
/// own. Whoever is told to wait has nothing left, whatever the network may still do.
fn limit_headers(headers: &mut HeaderMap, standing: Standing) {
    if headers.contains_key("ratelimit") {
        return;
    }
    let wait = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let (remaining, secs) = wait.map_or((standing.remaining, standing.reset_secs), |wait| (0, wait));
    render::add_limit(headers, standing.policy, remaining, secs);
}

/// A method that is not HTTP's own is anybody's invention, and no label.
fn known(method: &Method) -> &'static str {
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    methods.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// The code for a refusal of the framework's own.
fn code_of(status: StatusCode) -> ErrorCode {
    match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::NOT_ACCEPTABLE => ErrorCode::NotAcceptable,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::DependencyUnavailable,
        status if status.is_server_error() => ErrorCode::InternalError,
        _ => ErrorCode::MalformedRequest,
    }
}
