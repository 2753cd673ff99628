//! A new password inside a sign-in, when the old one must be changed.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::service;
use super::SignInFlow;
use super::problem;
use super::sign_in_flow;
use crate::app::App;
use crate::http::Json;
use crate::http::Reply;
use crate::http::ok;
use crate::http::outcome;

/// A new password in the place of one that must be changed.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewPasswordRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// 8 to 128 characters, and not the old one; see `POST /v1/passwords/check`.
    #[schema(example = "tidal mango ledger vowel")]
    new_password: String,
}

/// Choose a new password, when `next` is `change_password`.
///
/// It counts once the sign-in is complete; until then the old one does. Every other session ends then, too.
#[utoipa::path(
    tag = "sign-in", operation_id = "stage_password", request_body = NewPasswordRequest,
    responses((status = 200, description = "What comes next, under the same token", body = SignInFlow, example = json!({
            "sign_in_token": "sit_Zt3yq0…", "expires_in": 590, "next": "second_factor", "identifiers": [],
            "factors": [{ "id": "01a2058a-b31d-7cb2-a08b-570ddc325ac8", "kind": "totp", "label": "My phone", "channels": [] }],
            "enrollable": [],
        }))),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step", "overloaded"])), ("x-limit" = json!("password"))),
)]
#[post("/v1/sign-ins/password")]
pub(super) async fn stage(app: Data<App>, body: Json<NewPasswordRequest>) -> Reply {
    let staged = service::stage(&app, &body.0.sign_in_token, &body.0.new_password).await.map_err(problem);
    app.metrics.sign_in("change_password", outcome(&staged));
    ok(&sign_in_flow(&app, staged?))
}
