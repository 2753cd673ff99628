//! The endpoints under `/dev`.

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::delete;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::get;
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use actix_web::web;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::inbox_page;
use crate::accounts::Identifier;
use crate::app::App;
use crate::audit::Caller;
use crate::factors;
use crate::factors::DevelopmentCode;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Items;
use crate::http::Limit;
use crate::http::Page;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Reply;
use crate::http::no_content;
use crate::http::ok;
use crate::http::prefers_html;
use crate::ids::FactorId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Channel;
use crate::messages::InboxFilter;
use crate::messages::InboxItem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show_inbox).service(empty_inbox).service(show_totp);
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InboxQuery {
    /// The recipient, in any form of the address.
    to: Option<String>,
    /// The way that it would have taken.
    #[param(inline)]
    channel: Option<Channel>,
    /// Not older than this.
    since: Option<DateTime<Utc>>,
    /// How many entries, at most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which messages to throw away.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EmptyQuery {
    /// The recipient, in any form of the address.
    to: Option<String>,
    /// The way that it would have taken.
    #[param(inline)]
    channel: Option<Channel>,
    /// Not older than this.
    since: Option<DateTime<Utc>>,
}

/// A code of an authenticator app.
#[derive(Serialize, ToSchema)]
struct DevelopmentTotp {
    /// Six digits.
    #[schema(example = "123456")]
    code: String,
    /// Seconds that it will be accepted.
    #[schema(example = 42)]
    expires_in: u64,
}

fn filter(to: Option<&str>, channel: Option<Channel>, since: Option<DateTime<Utc>>) -> Result<InboxFilter, Problem> {
    let to = to.map(|typed| {
        let parsed = Identifier::parse(typed, None).map(|identifier| identifier.lookup_key().to_owned());
        parsed.map_err(|_| Problem::new(ErrorCode::InvalidFields).parameter_fault("to", FieldCode::InvalidFormat))
    });
    Ok(InboxFilter { to: to.transpose()?, channel, since })
}

/// Read the messages that would have left.
///
/// Newest first; a message is here within a second of the answer that promised it. A browser gets a page.
#[utoipa::path(
    tag = "development", operation_id = "show_inbox", params(InboxQuery),
    responses((status = 200, description = "A page of messages", body = Items<InboxItem>)),
    extensions(("x-problems" = json!(["invalid_cursor", "invalid_fields"])), ("x-page" = json!(true))),
)]
#[get("/dev/inbox")]
async fn show_inbox(app: Data<App>, request: HttpRequest, caller: Caller, query: Query<InboxQuery>) -> Reply {
    let InboxQuery { to, channel, since, limit, cursor } = query.0;
    let filter = filter(to.as_deref(), channel, since)?;
    let page = Page::new(limit, cursor);
    let keys = &app.config.master_keys;
    let after = page.after(keys, "inbox")?;
    let mut conn = app.db.acquire().await.map_err(Internal::from)?;
    let items = messages::inbox_list(&mut conn, &filter, after, page.rows()).await?;
    let items = page.fill(items, keys, "inbox", |item: &InboxItem| item.id);
    if prefers_html(&request) { Ok(inbox_page::show(&items, caller.language)) } else { ok(&items) }
}

/// Throw messages away.
#[utoipa::path(
    tag = "development", operation_id = "empty_inbox", params(EmptyQuery),
    responses((status = 204, description = "Thrown away")),
    extensions(("x-problems" = json!(["invalid_fields"]))),
)]
#[delete("/dev/inbox")]
async fn empty_inbox(app: Data<App>, query: Query<EmptyQuery>) -> Reply {
    let EmptyQuery { to, channel, since } = query.0;
    let filter = filter(to.as_deref(), channel, since)?;
    messages::inbox_clear(&mut *app.db.acquire().await.map_err(Internal::from)?, &filter).await?;
    Ok(no_content())
}

/// Play the authenticator app of a factor, pending enrolments included.
///
/// The code is that of the first time step that is not used up, at most one ahead.
#[utoipa::path(
    tag = "development", operation_id = "show_totp",
    params(("factor_id" = FactorId, Path, description = "The factor")),
    responses((status = 200, description = "A code that will be accepted", body = DevelopmentTotp)),
    extensions(("x-problems" = json!(["not_found", "conflict"]))),
)]
#[get("/dev/totp/{factor_id}")]
async fn show_totp(app: Data<App>, factor: web::Path<FactorId>) -> Reply {
    match factors::development_code(&app, *factor).await? {
        None => Err(Problem::new(ErrorCode::NotFound)),
        Some(DevelopmentCode::Next { code, expires_in }) => ok(&DevelopmentTotp { code, expires_in }),
        Some(DevelopmentCode::AllUsed { retry_after }) => {
            Err(Problem::new(ErrorCode::Conflict).retry_after(retry_after))
        }
    }
}

/// Refuses requests whose `Host` is not this machine, when `guarded`.
///
/// # Errors
/// 404, as for every path that is not there.
pub async fn local_host_only(
    guarded: bool,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    if !guarded || ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name)) {
        next.call(request).await
    } else {
        Err(Problem::new(ErrorCode::NotFound).into())
    }
}
