//! Proving an identifier.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::SignInFlow;
use super::problem;
use super::sign_in_flow;
use crate::accounts::Delivery;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::http::outcome;
use crate::ids::IdentifierId;
use crate::messages::Channel;

/// Where to send a code.
#[derive(Deserialize, ToSchema)]
pub(super) struct IdentifierCodeRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's identifiers.
    identifier_id: IdentifierId,
    /// `email` for an e-mail address; `sms`, or when asked for `voice`, for a number.
    #[schema(inline)]
    channel: Option<Channel>,
}

/// A code on its way.
#[derive(Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// The flow, unchanged.
    #[schema(example = "sit_Zt3yq0…")]
    pub sign_in_token: String,
    /// Where it went.
    #[schema(inline)]
    pub delivery: Delivery,
}

/// The code of an identifier.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerifyIdentifierRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// Six digits.
    #[schema(example = "123456")]
    code: String,
}

/// Send a code to an identifier of the account.
///
/// For an account that has no second factor yet. A new code voids the one before.
#[utoipa::path(
    tag = "sign-in", operation_id = "send_identifier_code", request_body = IdentifierCodeRequest,
    responses((status = 202, description = "The code is on its way", body = CodeSent)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/sign-ins/identifier-codes")]
pub(super) async fn send_code(app: Data<App>, body: Json<IdentifierCodeRequest>) -> Reply {
    let to = (body.0.identifier_id, body.0.channel);
    let (channel, address) = service::send_code(&app, &body.0.sign_in_token, to).await.map_err(problem)?;
    let delivery = Delivery::of(&app, channel, &address);
    accepted(&CodeSent { sign_in_token: body.0.sign_in_token, delivery })
}

/// Take the code of an identifier back.
#[utoipa::path(
    tag = "sign-in", operation_id = "verify_identifier", request_body = VerifyIdentifierRequest,
    responses((status = 200, description = "What comes next, under a new token", body = SignInFlow, example = json!({
            "sign_in_token": "sit_Zt3yq0…", "expires_in": 600, "next": "enrol_second_factor",
            "identifiers": [], "factors": [], "enrollable": ["totp"],
        }))),
    extensions(
        ("x-problems" = json!(["sign_in_expired", "wrong_step", "invalid_code", "too_many_attempts"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/sign-ins/identifier")]
pub(super) async fn verify(app: Data<App>, caller: Caller, body: Json<VerifyIdentifierRequest>) -> Reply {
    let verified = service::verify(&app, &body.0.sign_in_token, &body.0.code, &caller).await.map_err(problem);
    app.metrics.sign_in("identifier", outcome(&verified));
    ok(&sign_in_flow(&app, verified?))
}
