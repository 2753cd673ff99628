//! The second factor.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::super::service::SecondFactor;
use super::identifier::CodeSent;
use super::problem;
use crate::accounts::Delivery;
use crate::app::App;
use crate::factors::Presented;
use crate::http::Client;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::accepted;
use crate::http::outcome;
use crate::ids::FactorId;
use crate::messages::Channel;
use crate::sessions::Answer;
use crate::sessions::TokenDelivery;
use crate::sessions::TokenSet;
use crate::sessions::token_set;

/// How a second factor is given.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FactorMethod {
    /// A code of an authenticator app, or one that was sent to a phone, in `code`.
    Code,
    /// One of the recovery codes, in `recovery_code`.
    RecoveryCode,
}

/// A second factor.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "sign_in_token": "sit_Zt3yq0…", "method": "code", "code": "123456" }))]
pub(super) struct SecondFactorRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// Which of the members below counts.
    #[schema(inline, example = "code")]
    method: FactorMethod,
    /// The factor; may be absent when exactly one fits.
    #[schema(nullable = false)]
    factor_id: Option<FactorId>,
    /// Six digits, with method `code`.
    #[schema(nullable = false, example = "123456")]
    code: Option<String>,
    /// With method `recovery_code`.
    #[schema(nullable = false, example = "7Q4M-ZK2D-9XWT-H3VB")]
    recovery_code: Option<String>,
    /// `cookie` keeps the refresh token out of the body.
    #[schema(nullable = false, inline)]
    token_delivery: Option<TokenDelivery>,
}

/// Which phone a code goes to, and how.
#[derive(Deserialize, ToSchema)]
pub(super) struct FactorCodeRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's phones.
    factor_id: FactorId,
    /// One of its `channels`.
    #[schema(inline, example = "sms")]
    channel: Channel,
}

/// Reads the member that the method calls for; the others must be absent.
pub(super) fn read_factor(
    method: FactorMethod,
    factor: Option<FactorId>,
    code: Option<String>,
    recovery_code: Option<String>,
) -> Result<SecondFactor, Problem> {
    let required = |pointer| Problem::field(pointer, FieldCode::Required);
    let surplus = |pointer| Problem::field(pointer, FieldCode::NotSupported);
    let presented = match method {
        FactorMethod::Code if recovery_code.is_some() => return Err(surplus("/recovery_code")),
        FactorMethod::Code => Presented::Code(code.ok_or_else(|| required("/code"))?),
        FactorMethod::RecoveryCode if code.is_some() => return Err(surplus("/code")),
        FactorMethod::RecoveryCode => Presented::RecoveryCode(recovery_code.ok_or_else(|| required("/recovery_code"))?),
    };
    Ok(SecondFactor { factor, presented })
}

/// Send a code to a phone of the account.
///
/// A new code voids the one before. By call instead of SMS only when that is asked for, and to the same number.
#[utoipa::path(
    tag = "sign-in", operation_id = "send_factor_code", request_body = FactorCodeRequest,
    responses((status = 202, description = "The code is on its way", body = CodeSent)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "message_limit_reached"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/sign-ins/codes")]
pub(super) async fn send_code(app: web::Data<App>, body: Json<FactorCodeRequest>) -> Result<HttpResponse, Problem> {
    let FactorCodeRequest { sign_in_token, factor_id, channel } = body.0;
    let number = service::send_factor_code(&app, &sign_in_token, (factor_id, channel)).await.map_err(problem)?;
    accepted(&CodeSent { sign_in_token, delivery: Delivery::of(&app, channel, &number) })
}

/// Complete a sign-in.
///
/// A completed sign-in is answered once: the flow and the code are used up.
#[utoipa::path(
    tag = "sign-in", operation_id = "complete_sign_in", request_body = SecondFactorRequest,
    responses((status = 201, description = "Signed in", body = TokenSet)),
    extensions(
        ("x-problems" = json!(["sign_in_expired", "wrong_step", "invalid_code", "too_many_attempts", "origin_not_allowed", "overloaded"])),
        ("x-limit" = json!("second_factor")),
    ),
)]
#[post("/v1/sign-ins/second-factor")]
pub(super) async fn complete(
    app: web::Data<App>,
    request: HttpRequest,
    client: Client,
    body: Json<SecondFactorRequest>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let delivery = TokenDelivery::admitted(body.token_delivery, &request)?;
    let given = read_factor(body.method, body.factor_id, body.code, body.recovery_code)?;
    let done = service::complete(&app, &body.sign_in_token, &given, &client).await.map_err(problem);
    app.metrics.sign_in("second_factor", outcome(&done));
    let done = done?;
    let answer = Answer { delivery, device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}
