//! The end of a recovery, which is the beginning of a sign-in.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::service;
use super::SignInFlow;
use super::sign_in_flow;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Reply;
use crate::http::ok;
use crate::http::outcome;
use crate::recovery;

/// A recovery that is open.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "recovery_token": "rec_3kVh9x…", "new_password": "correct horse battery" }))]
pub(super) struct CompleteRecoveryRequest {
    /// The recovery.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
    /// Needed unless the old password was one of the proofs; 8 to 128 characters.
    #[schema(example = "correct horse battery")]
    new_password: Option<String>,
}

/// Complete a recovery that is open.
///
/// Every session ends, what was lost is removed (identifiers after 72 hours), and the contact becomes an identifier unless
/// somebody has it. The answer is a sign-in: it enrols a second factor, or asks for one that is left. A recovery is completed
/// once.
#[utoipa::path(
    tag = "recovery", operation_id = "complete_recovery", request_body = CompleteRecoveryRequest,
    responses((status = 200, description = "What comes next", body = SignInFlow, example = json!({
            "sign_in_token": "sit_Zt3yq0…", "expires_in": 600, "next": "enrol_second_factor",
            "identifiers": [], "factors": [], "enrollable": ["totp", "phone"],
        }))),
    extensions(
        ("x-problems" = json!(["recovery_token_invalid", "wrong_step", "account_closed", "account_suspended", "overloaded"])),
        ("x-limit" = json!("password")),
    ),
)]
#[post("/v1/recoveries/complete")]
pub(super) async fn complete(app: Data<App>, caller: Caller, body: Json<CompleteRecoveryRequest>) -> Reply {
    let CompleteRecoveryRequest { recovery_token, new_password } = body.0;
    let flow = service::complete_recovery(&app, &recovery_token, new_password.as_deref(), &caller).await;
    let flow = flow.map_err(recovery::problem);
    app.metrics.recovery("complete", outcome(&flow));
    ok(&sign_in_flow(&app, flow?))
}
