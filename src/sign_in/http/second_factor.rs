//! The second factor.

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
use super::super::service::SecondFactor;
use super::identifier::CodeSent;
use super::problem;
use crate::accounts::Delivery;
use crate::app::App;
use crate::audit::Caller;
use crate::factors::Presented;
use crate::factors::read_credential;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
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
    /// A passkey that was asked, in `credential`.
    Passkey,
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
    factor_id: Option<FactorId>,
    /// Six digits, with method `code`.
    #[schema(example = "123456")]
    code: Option<String>,
    /// With method `recovery_code`.
    #[schema(example = "7Q4M-ZK2D-9XWT-H3VB")]
    recovery_code: Option<String>,
    /// With method `passkey`: what the browser's `credential.toJSON()` gives (WebAuthn Level 3).
    #[schema(value_type = Object, required = false)]
    credential: Option<Map<String, Value>>,
    /// `cookie` keeps the refresh token out of the body.
    #[schema(inline)]
    token_delivery: Option<TokenDelivery>,
}

/// Which phone a code goes to, and how.
#[derive(Deserialize, ToSchema)]
pub(super) struct FactorCodeRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's phones; may be left out when there is one alone.
    factor_id: Option<FactorId>,
    /// One of its `channels`.
    #[schema(inline, example = "sms")]
    channel: Channel,
}

/// The members of a body that give a second factor.
pub(super) struct Given {
    pub method: FactorMethod,
    pub factor: Option<FactorId>,
    pub code: Option<String>,
    pub recovery_code: Option<String>,
    pub credential: Option<Map<String, Value>>,
}

impl Given {
    /// Reads the member that the method calls for; the others must be absent.
    pub(super) fn read(self) -> Result<SecondFactor, Problem> {
        let required = |pointer| Problem::field(pointer, FieldCode::Required);
        let members = [
            (FactorMethod::Code, "/code", self.code.is_some()),
            (FactorMethod::RecoveryCode, "/recovery_code", self.recovery_code.is_some()),
            (FactorMethod::Passkey, "/credential", self.credential.is_some()),
        ];
        if let Some((_, pointer, _)) = members.iter().find(|(method, _, given)| *given && *method != self.method) {
            return Err(Problem::field(*pointer, FieldCode::NotSupported));
        }
        let presented = match self.method {
            FactorMethod::Code => Presented::Code(self.code.ok_or_else(|| required("/code"))?),
            FactorMethod::RecoveryCode => {
                Presented::RecoveryCode(self.recovery_code.ok_or_else(|| required("/recovery_code"))?)
            }
            FactorMethod::Passkey => Presented::Passkey(Box::new(read_credential(self.credential)?)),
        };
        Ok(SecondFactor { factor: self.factor, presented })
    }
}

/// Send a code to a phone of the account.
///
/// A new code voids the one before. By call instead of SMS only when that is asked for, and to the same number.
#[utoipa::path(
    tag = "sign-in", operation_id = "send_factor_code", request_body = FactorCodeRequest,
    responses((status = 202, description = "The code is on its way", body = CodeSent)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "factor_carried_reset", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/sign-ins/codes")]
pub(super) async fn send_code(app: Data<App>, body: Json<FactorCodeRequest>) -> Reply {
    let FactorCodeRequest { sign_in_token, factor_id, channel } = body.0;
    let number = service::send_factor_code(&app, &sign_in_token, (factor_id, channel)).await.map_err(problem)?;
    accepted(&CodeSent { sign_in_token, delivery: Delivery::of(&app, channel, &number) })
}

/// Complete a sign-in.
///
/// A completed sign-in is answered once: the flow and the code are used up.
#[utoipa::path(
    tag = "sign-in", operation_id = "complete_sign_in", request_body = SecondFactorRequest,
    responses((
        status = 201, description = "Signed in", body = TokenSet,
        headers(("Set-Cookie" = String, description = "The refresh token, with `token_delivery` `cookie`")),
    )),
    extensions(
        ("x-problems" = json!([
            "sign_in_expired", "wrong_step", "factor_carried_reset", "invalid_code", "invalid_credential", "too_many_attempts",
            "origin_not_allowed", "overloaded",
        ])),
        ("x-limit" = json!("second_factor")),
    ),
)]
#[post("/v1/sign-ins/second-factor")]
pub(super) async fn complete(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Json<SecondFactorRequest>,
) -> Reply {
    let SecondFactorRequest { sign_in_token, method, factor_id, code, recovery_code, credential, token_delivery } =
        body.0;
    let delivery = TokenDelivery::admitted(token_delivery, &request)?;
    let given = Given { method, factor: factor_id, code, recovery_code, credential }.read()?;
    let done = service::complete(&app, &sign_in_token, &given, &caller).await.map_err(problem);
    app.metrics.sign_in("second_factor", outcome(&done));
    let done = done?;
    let answer = Answer { delivery, device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}
