//! Passkeys: asking one in a sign-in, and signing in with nothing else.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::get;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::service;
use super::problem;
use crate::accounts::read_client;
use crate::app::App;
use crate::audit::Caller;
use crate::factors::passkeys_are_here;
use crate::factors::read_credential;
use crate::http::ErrorCode;
use crate::http::Json;
use crate::http::OptionalJson;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::ok;
use crate::http::outcome;
use crate::ids::FactorId;
use crate::sessions::Answer;
use crate::sessions::TokenDelivery;
use crate::sessions::TokenSet;
use crate::sessions::token_set;

/// Which passkey is asked.
#[derive(Deserialize, ToSchema)]
pub(super) struct PasskeyOptionsRequest {
    /// The flow.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// One of the flow's passkeys; may be left out when there is one alone.
    factor_id: Option<FactorId>,
}

/// A challenge to a passkey.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "sign_in_token": "sit_Zt3yq0…",
    "public_key": {
        "challenge": "3yPzT0p3mHsD6Zc5xw2pXb0hQz1m8rJt4vKq9aLeUYo", "timeout": 300_000, "rpId": "auth.example.com",
        "allowCredentials": [{ "type": "public-key", "id": "tY5q0X3b9vQ" }], "userVerification": "required",
    },
}))]
pub(super) struct PasskeyOptions {
    /// The flow, unchanged.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes (WebAuthn Level 3).
    #[schema(value_type = Object)]
    public_key: Value,
}

/// For which client.
#[derive(Deserialize, ToSchema)]
pub(super) struct PasskeySignInOptionsRequest {
    /// The client; the first-party one when absent.
    #[schema(example = "first-party")]
    client_id: Option<String>,
}

/// A challenge to whichever passkey the person has.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "flow_token": "pks_Zt3yq0…",
    "public_key": {
        "challenge": "3yPzT0p3mHsD6Zc5xw2pXb0hQz1m8rJt4vKq9aLeUYo", "timeout": 300_000, "rpId": "auth.example.com",
        "allowCredentials": [], "userVerification": "required",
    },
}))]
pub(super) struct PasskeySignInOptions {
    /// To be given back with the passkey's answer.
    #[schema(example = "pks_Zt3yq0…")]
    flow_token: String,
    /// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes (WebAuthn Level 3). The same for everybody but for
    /// the challenge.
    #[schema(value_type = Object)]
    public_key: Value,
}

/// The answer of a passkey.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "flow_token": "pks_Zt3yq0…",
    "credential": {
        "id": "tY5q0X3b9vQ", "rawId": "tY5q0X3b9vQ", "type": "public-key", "clientExtensionResults": {},
        "response": {
            "authenticatorData": "PGlk7…", "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0Iiwi…",
            "signature": "MEUCIQ…", "userHandle": "PhZ2qvQ3S9eQm6c1yXb0hQ",
        },
    },
}))]
pub(super) struct PasskeySignInRequest {
    /// The flow.
    #[schema(example = "pks_Zt3yq0…")]
    flow_token: String,
    /// What the browser's `credential.toJSON()` gives (WebAuthn Level 3).
    #[schema(value_type = Object)]
    credential: Map<String, Value>,
    /// `cookie` keeps the refresh token out of the body.
    #[schema(inline)]
    token_delivery: Option<TokenDelivery>,
}

/// The pages that may use the passkeys of this domain.
#[derive(Serialize, ToSchema)]
pub(super) struct RelatedOrigins {
    /// Their origins.
    #[schema(example = json!(["https://www.example.com"]))]
    origins: Vec<String>,
}

/// Ask a passkey of the account, as second factor.
///
/// The challenge is good once and for ten minutes; asking again voids the one before.
#[utoipa::path(
    tag = "sign-in", operation_id = "start_passkey_factor", request_body = PasskeyOptionsRequest,
    responses((status = 200, description = "What the browser asks the passkey", body = PasskeyOptions)),
    extensions(("x-problems" = json!(["sign_in_expired", "wrong_step"])), ("x-limit" = json!("second_factor"))),
)]
#[post("/v1/sign-ins/passkey-options")]
pub(super) async fn ask(app: Data<App>, body: Json<PasskeyOptionsRequest>) -> Reply {
    let PasskeyOptionsRequest { sign_in_token, factor_id } = body.0;
    let public_key = service::ask_passkey(&app, &sign_in_token, factor_id).await.map_err(problem)?;
    ok(&PasskeyOptions { sign_in_token, public_key })
}

/// Begin a sign-in with a passkey and nothing else.
///
/// No identifier is asked for: the person chooses among the passkeys that the device or the password manager has.
#[utoipa::path(
    tag = "sign-in", operation_id = "start_passkey_sign_in", request_body = Option<PasskeySignInOptionsRequest>,
    responses((status = 200, description = "What the browser asks for", body = PasskeySignInOptions)),
    extensions(("x-problems" = json!(["not_found"])), ("x-limit" = json!("passkey"))),
)]
#[post("/v1/passkey-sign-ins/options")]
pub(super) async fn options(app: Data<App>, body: OptionalJson<PasskeySignInOptionsRequest>) -> Reply {
    if !passkeys_are_here(&app) {
        return Err(Problem::new(ErrorCode::NotFound));
    }
    let client_id =
        read_client(&app, body.0.client_id.as_deref()).map_err(|code| Problem::field("/client_id", code))?;
    let (flow_token, public_key) = service::passkey_sign_in_options(&app, client_id).await.map_err(problem)?;
    ok(&PasskeySignInOptions { flow_token, public_key })
}

/// Sign in with a passkey and nothing else.
///
/// The passkey has verified the person (PIN, finger, face), so it is both factors. It also opens the usual way in again
/// after too many wrong passwords. One that was added in the 72 hours before a reset of the password, a recovery or a cancelled
/// change is a second factor after the password from then on, and is refused here.
#[utoipa::path(
    tag = "sign-in", operation_id = "complete_passkey_sign_in", request_body = PasskeySignInRequest,
    responses((
        status = 201, description = "Signed in", body = TokenSet,
        headers(("Set-Cookie" = String, description = "The refresh token, with `token_delivery` `cookie`")),
    )),
    extensions(
        ("x-problems" = json!([
            "sign_in_expired", "invalid_credential", "too_many_attempts", "account_closed", "account_suspended", "origin_not_allowed",
        ])),
        ("x-limit" = json!("second_factor")),
    ),
)]
#[post("/v1/passkey-sign-ins")]
pub(super) async fn sign_in(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Json<PasskeySignInRequest>,
) -> Reply {
    let body = body.0;
    let delivery = TokenDelivery::admitted(body.token_delivery, &request)?;
    let given = read_credential(Some(body.credential))?;
    let done = service::sign_in_by_passkey(&app, &body.flow_token, given, &caller).await.map_err(problem);
    app.metrics.sign_in("passkey", outcome(&done));
    let done = done?;
    let answer = Answer { delivery, device_token: done.device_token, ..Answer::default() };
    token_set(&app, StatusCode::CREATED, done.opened, answer)
}

/// The pages that may use the passkeys of this domain.
///
/// Browsers ask for it when a page on another domain wants to (WebAuthn Level 3, related origins).
#[utoipa::path(
    tag = "sign-in", operation_id = "get_webauthn",
    responses((status = 200, description = "Their origins", body = RelatedOrigins)),
    extensions(("x-limit" = json!("public"))),
)]
#[get("/.well-known/webauthn")]
pub(super) async fn related_origins(app: Data<App>) -> HttpResponse {
    let origins = app.config.client.origins.clone();
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(RelatedOrigins { origins })
}
