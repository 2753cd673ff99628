//! Device tokens by message.

use actix_web::HttpResponse;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::DeviceError;
use super::service;
use crate::accounts::destination;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::ok;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(request).service(confirm);
}

fn problem(error: DeviceError) -> Problem {
    match error {
        DeviceError::TokenInvalid => Problem::new(ErrorCode::DeviceTokenInvalid),
        DeviceError::Refused(refused) => refused.into(),
        DeviceError::Internal(error) => error.into(),
    }
}

/// A request for a device token.
#[derive(Deserialize, ToSchema)]
pub(super) struct DeviceTokenRequest {
    /// The e-mail address, or the mobile number with its country code, that the message goes to.
    #[schema(example = "taro@example.jp")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
}

/// The token of the message.
#[derive(Deserialize, ToSchema)]
pub(super) struct ConfirmDeviceRequest {
    /// As the message shows it.
    #[schema(example = "sdr_Zt3yq0…")]
    token: String,
}

/// A token for this device.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceTokenAnswer {
    /// Give it with the password from now on.
    #[schema(example = "sdt_Zt3yq0…")]
    device_token: String,
}

/// Ask for a device token by message.
///
/// For someone who is told `too_many_attempts` because strangers guess at their account. The token opens a lane of their
/// own for the password, and nothing else. The answer is the same for every identifier.
#[utoipa::path(
    tag = "sign-in", operation_id = "request_device_token", request_body = DeviceTokenRequest,
    responses((status = 202, description = "If the identifier has an account, a message is on its way")),
    extensions(("x-problems" = json!(["message_limit_reached"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/device-tokens")]
pub(super) async fn request(app: Data<App>, caller: Caller, body: Json<DeviceTokenRequest>) -> Reply {
    let identifier = destination(&app, ("/identifier", &body.0.identifier), body.0.country.as_deref())?;
    service::request(&app, &identifier, &caller).await.map_err(problem)?;
    Ok(HttpResponse::Accepted().finish())
}

/// Trade the token of the message for a device token.
///
/// It replaces the one before that came by message, unless a sign-in on that device was completed. Until then ten wrong
/// passwords in a row close this way for a day.
#[utoipa::path(
    tag = "sign-in", operation_id = "confirm_device_token", request_body = ConfirmDeviceRequest,
    responses((status = 200, description = "For this device to keep", body = DeviceTokenAnswer)),
    extensions(("x-problems" = json!(["device_token_invalid"])), ("x-limit" = json!("code"))),
)]
#[post("/v1/device-tokens/confirm")]
pub(super) async fn confirm(app: Data<App>, caller: Caller, body: Json<ConfirmDeviceRequest>) -> Reply {
    ok(&DeviceTokenAnswer { device_token: service::confirm(&app, &body.0.token, &caller).await.map_err(problem)? })
}
