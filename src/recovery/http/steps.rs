//! What a recovery goes through, and how its owner ends it.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::model::ProofKind;
use super::super::service;
use super::RecoveryState;
use super::problem;
use crate::accounts::destination;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::no_content;
use crate::http::ok;
use crate::http::outcome;

/// The code that went to the contact.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerifyContactRequest {
    /// The recovery.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
    /// Eight digits.
    #[schema(example = "12345678")]
    code: String,
}

/// Where a code shall go.
#[derive(Deserialize, ToSchema)]
pub(super) struct RecoveryCodeRequest {
    /// The recovery.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
    /// Until the contact is proved: the contact. Afterwards: an identifier or phone of the account, typed in full.
    #[schema(example = "taro@example.jp")]
    destination: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
}

/// Something that the owner of the account knows or has.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "recovery_token": "rec_3kVh9x…", "kind": "recovery_code", "value": "7K2M-9QXR-4TVB-H3ND" }))]
pub(super) struct ProofRequest {
    /// The recovery.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
    /// What it is.
    #[schema(inline, example = "recovery_code")]
    kind: ProofKind,
    /// The password, the recovery code, what the authenticator app shows, or the code that was sent.
    #[schema(example = "7K2M-9QXR-4TVB-H3ND")]
    value: String,
}

/// A recovery by its token.
#[derive(Deserialize, ToSchema)]
pub(super) struct InspectRecoveryRequest {
    /// The recovery.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
}

/// The token of a notice.
#[derive(Deserialize, ToSchema)]
pub(super) struct CancelRequest {
    /// As the notice shows it.
    #[schema(example = "rcc_Zt3yq0…")]
    cancel_token: String,
}

/// Take the code of the contact back: the wait of 72 hours begins, and the owner of the account is told.
#[utoipa::path(
    tag = "recovery", operation_id = "verify_recovery_contact", request_body = VerifyContactRequest,
    responses((status = 200, description = "Where the recovery stands", body = RecoveryState)),
    extensions(
        ("x-problems" = json!(["recovery_token_invalid", "wrong_step", "invalid_code", "too_many_attempts"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/recoveries/verify-contact")]
pub(super) async fn verify_contact(app: Data<App>, caller: Caller, body: Json<VerifyContactRequest>) -> Reply {
    let verified = service::verify_contact(&app, &body.0.recovery_token, &body.0.code, &caller).await.map_err(problem);
    app.metrics.recovery("verify_contact", outcome(&verified));
    ok(&RecoveryState::of(&app, &verified?))
}

/// Send a code: another one to the contact, or one that proves a destination of the account.
///
/// The code before is void. It only leaves if the destination belongs to the account, was not declared lost and is not too
/// new; the answer is the same if not.
#[utoipa::path(
    tag = "recovery", operation_id = "send_recovery_code", request_body = RecoveryCodeRequest,
    responses((status = 202, description = "The code may be on its way", body = RecoveryState)),
    extensions(
        ("x-problems" = json!(["recovery_token_invalid", "wrong_step", "message_limit_reached"])),
        ("x-limit" = json!("resend")),
    ),
)]
#[post("/v1/recoveries/codes")]
pub(super) async fn send_code(app: Data<App>, caller: Caller, body: Json<RecoveryCodeRequest>) -> Reply {
    let body = body.0;
    let to = destination(&app, ("/destination", &body.destination), body.country.as_deref())?;
    let channel = app.channels.choose(to.value(), None)?;
    let sent = service::send_code(&app, &body.recovery_token, (&to, channel), &caller).await.map_err(problem)?;
    accepted(&RecoveryState::of(&app, &sent))
}

/// Prove something.
///
/// Two proofs of different kinds are needed. The second one leaves the owner of the account a day to stop it: given later than
/// 24 hours before `opens_at`, or after it, it moves `opens_at` to 24 hours from now, and the state is `waiting`. What was
/// declared lost is refused (`/kind`). The code of an authenticator app and a recovery code are used up. Password, recovery
/// code and app that were proved before are not looked at again: nothing is used up, and the answer is where the recovery
/// stands. Five wrong codes of an app end the tries at the app, twenty wrong proofs end all; an operator can still decide.
#[utoipa::path(
    tag = "recovery", operation_id = "prove_recovery", request_body = ProofRequest,
    responses((status = 200, description = "It was right, or this kind is proved already; where the recovery stands", body = RecoveryState)),
    extensions(
        ("x-problems" = json!(["recovery_token_invalid", "wrong_step", "invalid_code", "too_many_attempts", "overloaded"])),
        ("x-limit" = json!("password")),
    ),
)]
#[post("/v1/recoveries/proofs")]
pub(super) async fn prove(app: Data<App>, caller: Caller, body: Json<ProofRequest>) -> Reply {
    let ProofRequest { recovery_token, kind, value } = body.0;
    let proved = service::prove(&app, &recovery_token, (kind, &value), &caller).await.map_err(problem);
    app.metrics.recovery("proof", outcome(&proved));
    ok(&RecoveryState::of(&app, &proved?))
}

/// See where a recovery stands.
#[utoipa::path(
    tag = "recovery", operation_id = "inspect_recovery", request_body = InspectRecoveryRequest,
    responses((status = 200, description = "Where the recovery stands", body = RecoveryState)),
    extensions(("x-problems" = json!(["recovery_token_invalid"])), ("x-limit" = json!("code"))),
)]
#[post("/v1/recoveries/inspect")]
pub(super) async fn inspect(app: Data<App>, body: Json<InspectRecoveryRequest>) -> Reply {
    let recovery = service::inspect(&app, &body.0.recovery_token).await.map_err(problem)?;
    ok(&RecoveryState::of(&app, &recovery))
}

/// End the recoveries of an account that stood when a notice was sent, with its token.
#[utoipa::path(
    tag = "recovery", operation_id = "cancel_recovery", request_body = CancelRequest,
    responses((status = 204, description = "Nothing will change")),
    extensions(("x-problems" = json!(["cancel_token_invalid"])), ("x-limit" = json!("code"))),
)]
#[post("/v1/recoveries/cancel")]
pub(super) async fn cancel(app: Data<App>, caller: Caller, body: Json<CancelRequest>) -> Reply {
    let cancelled = service::cancel(&app, &body.0.cancel_token, &caller).await.map_err(problem);
    app.metrics.recovery("cancel", outcome(&cancelled));
    cancelled?;
    Ok(no_content())
}
