//! From the wish for an identifier to its right code.

use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::AccountIdentifier;
use super::owned::pending;
use super::problem;
use super::shown;
use crate::accounts::Delivery;
use crate::accounts::destination;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::OptionalJson;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::created;
use crate::http::ok;
use crate::ids::IdentifierId;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages::Channel;
use crate::sessions::CurrentSession;

/// An identifier to add.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewIdentifier {
    /// An e-mail address, or a mobile number with its country code.
    #[schema(example = "taro@example.org")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// `email` for an e-mail address; `sms`, or when asked for `voice`, for a number.
    #[schema(inline, example = "email")]
    channel: Option<Channel>,
}

/// An identifier that waits for its code.
#[derive(Serialize, ToSchema)]
pub(super) struct IdentifierAdded {
    /// What the code will prove.
    #[schema(inline)]
    identifier: AccountIdentifier,
    /// Where the code went.
    #[schema(inline)]
    delivery: Delivery,
}

/// The code of an identifier.
#[derive(Deserialize, ToSchema)]
pub(super) struct IdentifierProof {
    /// Six digits.
    #[schema(example = "123456")]
    code: String,
}

/// How another code travels.
#[derive(Deserialize, ToSchema)]
pub(super) struct IdentifierResend {
    /// `email` for an e-mail address; `sms`, or when asked for `voice`, for a number.
    #[schema(inline, example = "email")]
    channel: Option<Channel>,
}

/// Begin to add an identifier; it counts once its code came back.
///
/// Needs a sign-in or a re-authentication within the last ten minutes. An identifier of another account is answered alike;
/// its owner gets a notice instead of a code.
#[utoipa::path(
    tag = "account", operation_id = "add_identifier", request_body = NewIdentifier,
    responses((status = 201, description = "The code is on its way", body = IdentifierAdded)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!([
            "insufficient_user_authentication", "already_verified", "limit_reached", "message_limit_reached",
            "channel_unavailable"
        ])),
        ("x-limit" = json!("enrolment")),
    ),
)]
#[post("/v1/account/identifiers")]
pub(super) async fn add(app: Data<App>, session: CurrentSession, caller: Caller, body: Json<NewIdentifier>) -> Reply {
    session.require_recent(&app)?;
    let identifier = destination(&app, ("/identifier", &body.0.identifier), body.0.country.as_deref())?;
    let channel = app.channels.choose(identifier.value(), body.0.channel)?;
    app.limits.admit(Policy::Reauthentication, Subject::Session(session.id)).await?;
    let id = service::add(&app, &session, (&identifier, channel), &caller).await.map_err(problem)?;
    let delivery = Delivery::of(&app, channel, identifier.value());
    created(&IdentifierAdded { identifier: pending(id, &identifier), delivery })
}

/// Prove an identifier with its code: it signs in from now on.
///
/// For 72 hours it carries neither a reset of the password nor a recovery.
#[utoipa::path(
    tag = "account", operation_id = "prove_identifier", request_body = IdentifierProof,
    params(("id" = IdentifierId, Path, description = "The identifier")),
    responses((status = 200, description = "The identifier", body = AccountIdentifier)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!([
            "not_found", "invalid_code", "too_many_attempts", "already_verified", "conflict", "limit_reached"
        ])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/account/identifiers/{id}/verify")]
pub(super) async fn verify(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<IdentifierId>,
    given: Json<IdentifierProof>,
) -> Reply {
    app.limits.admit(Policy::Reauthentication, Subject::Session(session.id)).await?;
    let own = service::verify(&app, &session, (*id, &given.0.code), &caller).await.map_err(problem)?;
    ok(&shown(&app, own))
}

/// Send another code for an identifier; the one before is void.
#[utoipa::path(
    tag = "account", operation_id = "resend_new_identifier_code", request_body = Option<IdentifierResend>,
    params(("id" = IdentifierId, Path, description = "The identifier")),
    responses((status = 202, description = "The code is on its way", body = Delivery)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["not_found", "already_verified", "message_limit_reached", "channel_unavailable"])),
        ("x-limit" = json!("resend")),
    ),
)]
#[post("/v1/account/identifiers/{id}/resend")]
pub(super) async fn resend(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<IdentifierId>,
    body: OptionalJson<IdentifierResend>,
) -> Reply {
    let asked = body.0.channel;
    let (channel, address) = service::resend(&app, &session, (*id, asked), &caller).await.map_err(problem)?;
    accepted(&Delivery::of(&app, channel, &address))
}
