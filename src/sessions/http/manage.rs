//! A person's list of sessions.

use actix_web::delete;
use actix_web::get;
use actix_web::patch;
use actix_web::web;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::super::model::CurrentSession;
use super::super::model::HeldSession;
use super::super::service;
use crate::accounts;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::Items;
use crate::http::Json;
use crate::http::Page;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Reply;
use crate::http::no_content;
use crate::http::ok;
use crate::ids::SessionId;

/// A session, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Its id.
    id: SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// From where it began.
    #[schema(example = "192.0.2.7")]
    ip: String,
    /// With what it began.
    user_agent: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Living-room tablet")]
    label: Option<String>,
    /// How its owner signed in (RFC 8176).
    #[schema(example = json!(["pwd", "otp", "mfa"]))]
    amr: Vec<String>,
}

impl Session {
    fn of(row: HeldSession, current: SessionId) -> Self {
        Self {
            id: row.id,
            current: row.id == current,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            ip: row.ip.addr().to_string(),
            user_agent: row.user_agent,
            label: row.label,
            amr: row.amr,
        }
    }
}

/// A new name.
#[derive(Deserialize, ToSchema)]
pub(super) struct SessionPatch {
    /// At most 100 characters.
    #[schema(example = "Living-room tablet", max_length = 100, min_length = 1)]
    label: String,
}

/// Which sessions to end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EndScope {
    /// The others, or all of them.
    #[param(inline)]
    scope: Scope,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Others,
    All,
}

/// List the sessions of the account, newest first.
#[utoipa::path(
    tag = "sessions", operation_id = "list_sessions", params(Page),
    responses((status = 200, description = "A page of sessions", body = Items<Session>)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_cursor", "invalid_fields"])), ("x-limit" = json!("account"))),
)]
#[get("/v1/sessions")]
pub(super) async fn list(app: Data<App>, session: CurrentSession, page: Query<Page>) -> Reply {
    let keys = &app.config.master_keys;
    let list = format!("sessions/{}", session.account);
    let before = page.0.after(keys, &list)?.map(SessionId::from);
    let rows = service::list(&app, &session, before, page.0.rows()).await?;
    let rows = rows.into_iter().map(|row| Session::of(row, session.id)).collect();
    ok(&page.0.fill(rows, keys, &list, |row: &Session| row.id.uuid()))
}

/// Name a session.
#[utoipa::path(
    tag = "sessions", operation_id = "rename_session", request_body = SessionPatch,
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["not_found"])), ("x-limit" = json!("account"))),
)]
#[patch("/v1/sessions/{id}")]
pub(super) async fn rename(
    app: Data<App>,
    session: CurrentSession,
    id: web::Path<SessionId>,
    body: Json<SessionPatch>,
) -> Reply {
    let label = accounts::read_label(&body.0.label).map_err(|code| Problem::field("/label", code))?;
    let renamed = service::rename(&app, &session, *id, &label).await?;
    ok(&Session::of(renamed.ok_or_else(|| Problem::new(ErrorCode::NotFound))?, session.id))
}

/// End one session.
#[utoipa::path(
    tag = "sessions", operation_id = "end_session",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "Ended")),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["not_found"])), ("x-limit" = json!("account"))),
)]
#[delete("/v1/sessions/{id}")]
pub(super) async fn end_one(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<SessionId>,
) -> Reply {
    if service::end_one(&app, &session, *id, &caller).await? {
        Ok(no_content())
    } else {
        Err(Problem::new(ErrorCode::NotFound))
    }
}

/// End the other sessions, or all of them.
#[utoipa::path(
    tag = "sessions", operation_id = "end_sessions", params(EndScope),
    responses((status = 204, description = "Ended")),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_fields"])), ("x-limit" = json!("account"))),
)]
#[delete("/v1/sessions")]
pub(super) async fn end_all(app: Data<App>, session: CurrentSession, caller: Caller, query: Query<EndScope>) -> Reply {
    service::end_all(&app, &session, query.0.scope == Scope::Others, &caller).await?;
    Ok(no_content())
}
