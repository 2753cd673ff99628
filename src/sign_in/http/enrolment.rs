//! The first factor of an account.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::service;
use super::identifier::CodeSent;
use super::problem;
use crate::accounts::Delivery;
use crate::app::App;
use crate::audit::Caller;
use crate::factors::Asked;
use crate::factors::ConfirmMethod;
use crate::factors::Enrolment;
use crate::factors::EnrolmentKind;
use crate::factors::read_confirmation;
use crate::http::Json;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::created;
use crate::http::outcome;
use crate::ids::FactorId;
use crate::messages::Channel;
use crate::sessions::Answer;
use crate::sessions::TokenDelivery;
use crate::sessions::TokenSet;
use crate::sessions::token_set;

/// An enrolment to begin.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "sign_in_token": "sit_Zt3yq0…", "kind": "totp", "label": "My phone" }))]
pub(super) struct EnrolmentRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's `enrollable`.
    #[schema(inline, example = "totp")]
    kind: EnrolmentKind,
    /// Of a phone: its number, with the country code or beside `country`.
    #[schema(example = "+819012345678")]
    phone: Option<String>,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// Of a phone: how its first code travels; `sms` unless `voice` is asked for.
    #[schema(inline, example = "sms")]
    channel: Option<Channel>,
    /// What its owner calls it, at most 100 characters.
    #[schema(example = "My phone", max_length = 100)]
    label: Option<String>,
}

/// An enrolment under way.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolmentStarted {
    /// The flow, unchanged.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// What to set up.
    #[schema(inline)]
    enrolment: Enrolment,
}

/// Which phone another first code goes to, and how.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResendEnrolmentRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// The factor.
    factor_id: FactorId,
    /// `sms`, or when asked for `voice`.
    #[schema(inline, example = "voice")]
    channel: Channel,
}

/// The first code of an enrolment, or the new passkey.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "sign_in_token": "sit_Zt3yq0…", "factor_id": "01a2058a-b31d-7cb2-a08b-570ddc325ac8", "method": "code", "code": "123456",
}))]
pub(super) struct ConfirmEnrolmentRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// The factor.
    factor_id: FactorId,
    /// Which of the members below counts.
    #[schema(inline, example = "code")]
    method: ConfirmMethod,
    /// Six digits, with method `code`.
    #[schema(example = "123456")]
    code: Option<String>,
    /// With method `passkey`: what the browser's `credential.toJSON()` gives (WebAuthn Level 3).
    #[schema(value_type = Object, required = false)]
    credential: Option<Map<String, Value>>,
    /// `cookie` keeps the refresh token out of the body.
    #[schema(inline)]
    token_delivery: Option<TokenDelivery>,
}

/// Begin the enrolment of a second factor.
#[utoipa::path(
    tag = "sign-in", operation_id = "start_enrolment", request_body = EnrolmentRequest,
    responses((status = 201, description = "What to set up", body = EnrolmentStarted)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "factor_carried_reset", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("enrolment"))),
)]
#[post("/v1/sign-ins/enrolments")]
pub(super) async fn begin(app: Data<App>, caller: Caller, body: Json<EnrolmentRequest>) -> Reply {
    let EnrolmentRequest { sign_in_token, kind, phone, country, channel, label } = body.0;
    let wanted = Asked { kind, phone, country, channel, label }.read(&app)?;
    let begun = service::begin_enrolment(&app, &sign_in_token, wanted, &caller).await.map_err(problem)?;
    created(&EnrolmentStarted { sign_in_token, enrolment: Enrolment::of(&app, begun) })
}

/// Send another first code to the phone of an enrolment.
#[utoipa::path(
    tag = "sign-in", operation_id = "resend_enrolment_code", request_body = ResendEnrolmentRequest,
    responses((status = 202, description = "The code is on its way", body = CodeSent)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/sign-ins/enrolments/resend")]
pub(super) async fn resend(app: Data<App>, caller: Caller, body: Json<ResendEnrolmentRequest>) -> Reply {
    let ResendEnrolmentRequest { sign_in_token, factor_id, channel } = body.0;
    let number =
        service::resend_enrolment(&app, &sign_in_token, (factor_id, channel), &caller).await.map_err(problem)?;
    accepted(&CodeSent { sign_in_token, delivery: Delivery::of(&app, channel, &number) })
}

/// Confirm the enrolment with its first code, or with the new passkey, and complete the sign-in.
///
/// The answer shows ten recovery codes, this once.
#[utoipa::path(
    tag = "sign-in", operation_id = "confirm_enrolment", request_body = ConfirmEnrolmentRequest,
    responses((
        status = 201, description = "Signed in, with recovery codes", body = TokenSet,
        headers(("Set-Cookie" = String, description = "The refresh token, with `token_delivery` `cookie`")),
    )),
    extensions(
        ("x-problems" = json!([
            "sign_in_expired", "wrong_step", "conflict", "invalid_code", "invalid_credential", "too_many_attempts",
            "origin_not_allowed", "overloaded",
        ])),
        ("x-limit" = json!("second_factor")),
    ),
)]
#[post("/v1/sign-ins/enrolments/confirm")]
pub(super) async fn confirm(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Json<ConfirmEnrolmentRequest>,
) -> Reply {
    let body = body.0;
    let delivery = TokenDelivery::admitted(body.token_delivery, &request)?;
    let given = read_confirmation(body.method, body.code, body.credential)?;
    let confirmed =
        service::confirm_enrolment(&app, &body.sign_in_token, (body.factor_id, &given), &caller).await.map_err(problem);
    app.metrics.sign_in("enrolment", outcome(&confirmed));
    let (done, codes) = confirmed?;
    let answer =
        Answer { delivery, recovery_codes: Some(codes.texts), device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}
