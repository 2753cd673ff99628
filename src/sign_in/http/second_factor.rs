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
use super::problem;
use crate::app::App;
use crate::factors::FactorKind;
use crate::factors::PresentedCode;
use crate::factors::RecoveryCode;
use crate::factors::TotpCode;
use crate::http::Client;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::outcome;
use crate::ids::FactorId;
use crate::sessions::Answer;
use crate::sessions::TokenDelivery;
use crate::sessions::TokenSet;
use crate::sessions::token_set;

/// How a second factor is given.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FactorMethod {
    /// A code of an authenticator app, in `code`.
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

/// Reads the member that the method calls for; the others must be absent.
pub(super) fn read_factor(
    method: FactorMethod,
    factor: Option<FactorId>,
    code: Option<&str>,
    recovery_code: Option<&str>,
) -> Result<SecondFactor, Problem> {
    let required = |pointer| Problem::field(pointer, FieldCode::Required);
    let surplus = |pointer| Problem::field(pointer, FieldCode::NotSupported);
    let kind = match method {
        FactorMethod::Code => FactorKind::Totp,
        FactorMethod::RecoveryCode => FactorKind::RecoveryCode,
    };
    let code = match method {
        FactorMethod::Code if recovery_code.is_some() => return Err(surplus("/recovery_code")),
        FactorMethod::Code => TotpCode::parse(code.ok_or_else(|| required("/code"))?).map(PresentedCode::Totp),
        FactorMethod::RecoveryCode if code.is_some() => return Err(surplus("/code")),
        FactorMethod::RecoveryCode => {
            let typed = recovery_code.ok_or_else(|| required("/recovery_code"))?;
            RecoveryCode::parse(typed).map(PresentedCode::Recovery)
        }
    };
    Ok(SecondFactor { kind, factor, code })
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
    let given = read_factor(body.method, body.factor_id, body.code.as_deref(), body.recovery_code.as_deref())?;
    let done = service::complete(&app, &body.sign_in_token, &given, &client).await.map_err(problem);
    app.metrics.sign_in("second_factor", outcome(&done));
    let done = done?;
    let answer = Answer { delivery, device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}
