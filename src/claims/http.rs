//! Bodies and handlers of claims.

use actix_web::post;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::ClaimError;
use super::model::Claimed;
use super::service;
use crate::accounts::Delivery;
use crate::accounts::Faults;
use crate::accounts::IdentifierKind;
use crate::accounts::read_identifier;
use crate::accounts::served;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::messages::Channel;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(claim).service(confirm);
}

fn problem(error: ClaimError) -> Problem {
    match error {
        ClaimError::TokenInvalid => Problem::new(ErrorCode::ClaimTokenInvalid),
        ClaimError::Objected => Problem::new(ErrorCode::Conflict),
        ClaimError::Step(error) => error.into(),
    }
}

/// A number that somebody else had before.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClaimRequest {
    /// The mobile number with its country code.
    #[schema(example = "+819012345678")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// `sms`, or when asked for `voice`.
    #[schema(inline, example = "sms")]
    channel: Option<Channel>,
}

/// A claim under way.
#[derive(Serialize, ToSchema)]
pub(super) struct ClaimStarted {
    /// Names the claim until its code is given back; good for ten minutes.
    #[schema(example = "icl_Zt3yq0…")]
    claim_token: String,
    /// Where the code went.
    #[schema(inline)]
    delivery: Delivery,
}

/// The code of a claim.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClaimConfirmation {
    /// The claim.
    #[schema(example = "icl_Zt3yq0…")]
    claim_token: String,
    /// Six digits.
    #[schema(example = "123456")]
    code: String,
}

/// How a claim stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ClaimState {
    /// No account has the number: its holder may sign up with it.
    Free,
    /// An account has it, and its owner may object.
    Waiting,
}

/// What becomes of a claim.
#[derive(Serialize, ToSchema)]
pub(super) struct ClaimAnswer {
    /// How it stands.
    #[schema(inline, example = "waiting")]
    state: ClaimState,
    /// Of one that waits: when the number becomes free, unless its owner objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<DateTime<Utc>>,
}

/// Claim a number that somebody else had before.
///
/// A code goes to the number. The answer is the same for every number.
#[utoipa::path(
    tag = "sign-up", operation_id = "claim_identifier", request_body = ClaimRequest,
    responses((status = 202, description = "The code is on its way", body = ClaimStarted)),
    extensions(("x-problems" = json!(["message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/identifier-claims")]
pub(super) async fn claim(app: Data<App>, caller: Caller, body: Json<ClaimRequest>) -> Reply {
    let mut faults = Faults::default();
    let number = read_identifier(&mut faults, &body.0.identifier, body.0.country.as_deref());
    let number = number.and_then(|number| {
        let phone = number.kind() == IdentifierKind::Phone;
        faults.note("/identifier", if phone { served(&app, number) } else { Err(FieldCode::InvalidPhone) })
    });
    let Some(number) = number else { return Err(faults.into_problem()) };
    let channel = app.channels.choose(number.value(), body.0.channel)?;
    let claim_token = service::claim(&app, (&number, channel), &caller).await.map_err(problem)?;
    accepted(&ClaimStarted { claim_token, delivery: Delivery::of(&app, channel, number.value()) })
}

/// Take the code back: the number is free, or the owner of its account may object for thirty days.
#[utoipa::path(
    tag = "sign-up", operation_id = "confirm_identifier_claim", request_body = ClaimConfirmation,
    responses((status = 200, description = "How the claim stands", body = ClaimAnswer)),
    extensions(
        ("x-problems" = json!(["claim_token_invalid", "invalid_code", "too_many_attempts", "conflict"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/identifier-claims/confirm")]
pub(super) async fn confirm(app: Data<App>, caller: Caller, body: Json<ClaimConfirmation>) -> Reply {
    let ClaimConfirmation { claim_token, code } = body.0;
    let (state, effective_at) = match service::confirm(&app, &claim_token, &code, &caller).await.map_err(problem)? {
        Claimed::Free => (ClaimState::Free, None),
        Claimed::Waiting(until) => (ClaimState::Waiting, Some(until)),
    };
    ok(&ClaimAnswer { state, effective_at })
}
