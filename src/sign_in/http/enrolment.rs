//! The first factor of an account.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::problem;
use crate::accounts::read_label;
use crate::app::App;
use crate::factors::FactorKind;
use crate::factors::TotpCode;
use crate::http::Client;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::created;
use crate::http::outcome;
use crate::ids::FactorId;
use crate::sessions::Answer;
use crate::sessions::TokenDelivery;
use crate::sessions::TokenSet;
use crate::sessions::token_set;

const DEFAULT_LABEL: &str = "Authenticator app";

/// What can be enrolled inside a sign-in.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum EnrolmentKind {
    /// An authenticator app.
    Totp,
}

/// How an enrolment is confirmed.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConfirmMethod {
    /// A code, in `code`.
    Code,
}

/// An enrolment to begin.
#[derive(Deserialize, ToSchema)]
pub(super) struct EnrolmentRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's `enrollable`.
    #[schema(inline, example = "totp")]
    #[expect(dead_code, reason = "there is one kind today; the contract names it all the same")]
    kind: EnrolmentKind,
    /// What its owner calls it, at most 100 characters.
    #[schema(nullable = false, example = "My phone", max_length = 100)]
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

/// What to set up; shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrolment {
    /// The factor that the first code confirms.
    factor_id: FactorId,
    /// What kind it is.
    #[schema(inline)]
    kind: FactorKind,
    /// For an authenticator app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline, nullable = false)]
    totp: Option<TotpSetup>,
    /// Seconds until it must be confirmed.
    #[schema(example = 600)]
    expires_in: u64,
}

/// The shared secret, three times.
#[derive(Serialize, ToSchema)]
pub(super) struct TotpSetup {
    /// To type in (base32).
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: String,
    /// To open on the same device.
    #[schema(
        example = "otpauth://totp/Sekisho:taro%40example.jp?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Sekisho"
    )]
    otpauth_uri: String,
    /// To scan: an SVG image.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>")]
    qr_svg: String,
}

/// The first code of an enrolment.
#[derive(Deserialize, ToSchema)]
pub(super) struct ConfirmEnrolmentRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// The factor.
    factor_id: FactorId,
    /// Which of the members below counts.
    #[schema(inline, example = "code")]
    #[expect(dead_code, reason = "there is one method today; the contract names it all the same")]
    method: ConfirmMethod,
    /// Six digits.
    #[schema(nullable = false, example = "123456")]
    code: Option<String>,
    /// `cookie` keeps the refresh token out of the body.
    #[schema(nullable = false, inline)]
    token_delivery: Option<TokenDelivery>,
}

/// Begin the enrolment of a second factor.
#[utoipa::path(
    tag = "sign-in", operation_id = "start_enrolment", request_body = EnrolmentRequest,
    responses((status = 201, description = "What to set up", body = EnrolmentStarted)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step"])), ("x-limit" = json!("enrolment"))),
)]
#[post("/v1/sign-ins/enrolments")]
pub(super) async fn begin(app: web::Data<App>, body: Json<EnrolmentRequest>) -> Result<HttpResponse, Problem> {
    let label =
        read_label(body.0.label.as_deref().unwrap_or(DEFAULT_LABEL)).map_err(|code| Problem::field("/label", code))?;
    let totp = service::begin_enrolment(&app, &body.0.sign_in_token, &label).await.map_err(problem)?;
    created(&EnrolmentStarted {
        sign_in_token: body.0.sign_in_token,
        enrolment: Enrolment {
            factor_id: totp.factor,
            kind: FactorKind::Totp,
            totp: Some(TotpSetup { secret: totp.secret, otpauth_uri: totp.otpauth_uri, qr_svg: totp.qr_svg }),
            expires_in: 600,
        },
    })
}

/// Confirm the enrolment with its first code, and complete the sign-in.
///
/// The answer shows ten recovery codes, this once.
#[utoipa::path(
    tag = "sign-in", operation_id = "confirm_enrolment", request_body = ConfirmEnrolmentRequest,
    responses((status = 201, description = "Signed in, with recovery codes", body = TokenSet)),
    extensions(
        ("x-problems" = json!(["sign_in_expired", "wrong_step", "invalid_code", "too_many_attempts", "origin_not_allowed", "overloaded"])),
        ("x-limit" = json!("second_factor")),
    ),
)]
#[post("/v1/sign-ins/enrolments/confirm")]
pub(super) async fn confirm(
    app: web::Data<App>,
    request: HttpRequest,
    client: Client,
    body: Json<ConfirmEnrolmentRequest>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let delivery = TokenDelivery::admitted(body.token_delivery, &request)?;
    let typed = body.code.ok_or_else(|| Problem::field("/code", FieldCode::Required))?;
    let code = TotpCode::parse(&typed);
    let confirmed = service::confirm_enrolment(&app, &body.sign_in_token, (body.factor_id, code.as_ref()), &client)
        .await
        .map_err(problem);
    app.metrics.sign_in("enrolment", outcome(&confirmed));
    let (done, codes) = confirmed?;
    let answer =
        Answer { delivery, recovery_codes: Some(codes.texts), device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}
