//! The factors.

use actix_web::delete;
use actix_web::get;
use actix_web::patch;
use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::model::FactorError;
use super::super::service;
use crate::accounts::Delivery;
use crate::accounts::identifier_hint;
use crate::accounts::read_label;
use crate::app::App;
use crate::audit::Caller;
use crate::factors::Asked;
use crate::factors::ConfirmMethod;
use crate::factors::ConfirmedFactor;
use crate::factors::Enrolment;
use crate::factors::FactorKind;
use crate::factors::read_confirmation;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Items;
use crate::http::Json;
use crate::http::Page;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::created;
use crate::http::no_content;
use crate::http::ok;
use crate::ids::FactorId;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages::Channel;
use crate::sessions::CurrentSession;

/// A factor, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Factor {
    /// Its id.
    id: FactorId,
    /// What kind it is.
    #[schema(inline)]
    kind: FactorKind,
    /// What its owner calls it; recovery codes have no name.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "Authenticator app")]
    label: String,
    /// Of a phone: enough of its number to recognise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "•••5678")]
    hint: Option<String>,
    /// When its enrolment began.
    created_at: DateTime<Utc>,
    /// When it last proved who somebody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

/// The first code of an enrolment, or the new passkey.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "method": "code", "code": "123456" }))]
pub(super) struct FactorConfirmation {
    /// Which of the members below counts.
    #[schema(inline, example = "code")]
    method: ConfirmMethod,
    /// Six digits, with method `code`.
    #[schema(example = "123456")]
    code: Option<String>,
    /// With method `passkey`: what the browser's `credential.toJSON()` gives (WebAuthn Level 3).
    #[schema(value_type = Object, required = false)]
    credential: Option<Map<String, Value>>,
}

/// How another first code travels.
#[derive(Deserialize, ToSchema)]
pub(super) struct FactorResend {
    /// `sms`, or when asked for `voice`.
    #[schema(inline, example = "voice")]
    channel: Channel,
}

/// A new name.
#[derive(Deserialize, ToSchema)]
pub(super) struct FactorPatch {
    /// At most 100 characters.
    #[schema(example = "My phone", max_length = 100, min_length = 1)]
    label: String,
}

pub(super) fn body(own: ConfirmedFactor) -> Factor {
    let hint = own.number.as_deref().map(identifier_hint);
    let ConfirmedFactor { id, kind, label, created_at, last_used_at, .. } = own;
    Factor { id, kind, label, hint, created_at, last_used_at }
}

fn problem(error: FactorError) -> Problem {
    match error {
        FactorError::Unknown => Problem::new(ErrorCode::NotFound),
        FactorError::OtherMethod => Problem::field("/method", FieldCode::NotSupported),
        FactorError::RecoveryCodes => Problem::new(ErrorCode::Conflict).reason("recovery_codes"),
        FactorError::SameNumber | FactorError::SamePasskey => Problem::new(ErrorCode::Conflict),
        FactorError::Last => Problem::new(ErrorCode::LastSecondFactor),
        FactorError::TooMany => Problem::new(ErrorCode::LimitReached),
        FactorError::Step(error) => error.into(),
    }
}

fn not_added(error: FactorError) -> Problem {
    match error {
        FactorError::SameNumber => Problem::new(ErrorCode::Conflict).fault("/phone", FieldCode::PhoneIsFactor),
        other => problem(other),
    }
}

/// List the factors, newest first; recovery codes, while any are left, are one of them.
#[utoipa::path(
    tag = "account", operation_id = "list_factors", params(Page),
    responses((status = 200, description = "A page of factors", body = Items<Factor>)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_cursor", "invalid_fields"])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account/factors")]
pub(super) async fn list(app: Data<App>, session: CurrentSession, page: Query<Page>) -> Reply {
    let (keys, list) = (&app.config.master_keys, format!("factors/{}", session.account));
    let after = page.0.after(keys, &list)?;
    let mut rows: Vec<Factor> = service::list_factors(&app, &session).await?.into_iter().map(body).collect();
    rows.retain(|row| after.is_none_or(|after| row.id.uuid() < after));
    rows.sort_by_key(|row| std::cmp::Reverse(row.id.uuid()));
    ok(&page.0.fill(rows, keys, &list, |row: &Factor| row.id.uuid()))
}

/// Begin to add a factor; it counts once its first code, or its passkey, came back.
///
/// Needs a sign-in or a re-authentication within the last ten minutes.
#[utoipa::path(
    tag = "account", operation_id = "add_factor", request_body = Asked,
    responses((status = 201, description = "What to set up", body = Enrolment)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "conflict", "message_limit_reached", "channel_unavailable"])),
        ("x-limit" = json!("enrolment")),
    ),
)]
#[post("/v1/account/factors")]
pub(super) async fn add(app: Data<App>, session: CurrentSession, caller: Caller, asked: Json<Asked>) -> Reply {
    session.require_recent(&app)?;
    let wanted = asked.0.read(&app)?;
    app.limits.admit(Policy::Reauthentication, Subject::Session(session.id)).await?;
    let begun = service::add_factor(&app, &session, wanted, &caller).await.map_err(not_added)?;
    created(&Enrolment::of(&app, begun))
}

/// Confirm a factor with its first code, or with the new passkey.
#[utoipa::path(
    tag = "account", operation_id = "confirm_factor", request_body = FactorConfirmation,
    params(("id" = FactorId, Path, description = "The factor")),
    responses((status = 200, description = "The factor", body = Factor)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["not_found", "invalid_code", "invalid_credential", "too_many_attempts", "conflict", "limit_reached"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/account/factors/{id}/confirm")]
pub(super) async fn confirm(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<FactorId>,
    given: Json<FactorConfirmation>,
) -> Reply {
    let given = read_confirmation(given.0.method, given.0.code, given.0.credential)?;
    ok(&body(service::confirm_factor(&app, &session, (*id, &given), &caller).await.map_err(problem)?))
}

/// Send another first code to a phone.
#[utoipa::path(
    tag = "account", operation_id = "resend_factor_code", request_body = FactorResend,
    params(("id" = FactorId, Path, description = "The factor")),
    responses((status = 202, description = "The code is on its way", body = Delivery)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["not_found", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/account/factors/{id}/resend")]
pub(super) async fn resend(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<FactorId>,
    body: Json<FactorResend>,
) -> Reply {
    let number = service::resend_factor_code(&app, &session, (*id, body.0.channel), &caller).await.map_err(problem)?;
    accepted(&Delivery::of(&app, body.0.channel, &number))
}

/// Name a factor.
#[utoipa::path(
    tag = "account", operation_id = "rename_factor", request_body = FactorPatch,
    params(("id" = FactorId, Path, description = "The factor")),
    responses((status = 200, description = "The factor", body = Factor)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["not_found", "conflict"])), ("x-limit" = json!("account"))),
)]
#[patch("/v1/account/factors/{id}")]
pub(super) async fn rename(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<FactorId>,
    patch: Json<FactorPatch>,
) -> Reply {
    let label = read_label(&patch.0.label).map_err(|code| Problem::field("/label", code))?;
    ok(&body(service::rename_factor(&app, &session, (*id, &label), &caller).await.map_err(problem)?))
}

/// Remove a factor, at once; the last one stays.
///
/// Needs a sign-in or a re-authentication within the last ten minutes.
#[utoipa::path(
    tag = "account", operation_id = "remove_factor",
    params(("id" = FactorId, Path, description = "The factor")),
    responses((status = 204, description = "Removed")),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "not_found", "last_second_factor", "conflict"])),
        ("x-limit" = json!("account")),
    ),
)]
#[delete("/v1/account/factors/{id}")]
pub(super) async fn remove(app: Data<App>, session: CurrentSession, caller: Caller, id: web::Path<FactorId>) -> Reply {
    session.admit_recent(&app).await?;
    service::remove_factor(&app, &session, *id, &caller).await.map_err(problem)?;
    Ok(no_content())
}
