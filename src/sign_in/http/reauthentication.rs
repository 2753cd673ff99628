//! Password and second factor again.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::model::SignInError;
use super::super::reauthentication;
use super::problem;
use super::second_factor::FactorMethod;
use super::second_factor::Given;
use crate::accounts::AuthenticateError;
use crate::accounts::Delivery;
use crate::app::App;
use crate::audit::Caller;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::ids::FactorId;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::messages::Channel;
use crate::sessions::CurrentSession;
use crate::tokens;
use crate::tokens::AccessGrant;

/// A re-authentication.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "method": "code", "password": "correct horse battery", "code": "123456" }))]
pub(super) struct ReauthenticationRequest {
    /// Which of the codes below counts.
    #[schema(inline, example = "code")]
    method: FactorMethod,
    /// The password; may be absent with method `passkey` alone.
    #[schema(example = "correct horse battery")]
    password: Option<String>,
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
    /// With a code that was sent to a phone, or a passkey: what it was asked under.
    #[schema(example = "rat_Zt3yq0…")]
    reauthentication_token: Option<String>,
}

/// Which phone a code goes to, and how.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReauthenticationCodeRequest {
    /// A phone of the account; may be left out when there is one alone.
    factor_id: Option<FactorId>,
    /// `sms`, or when asked for `voice`.
    #[schema(inline, example = "sms")]
    channel: Channel,
}

/// A code on its way.
#[derive(Serialize, ToSchema)]
pub(super) struct ReauthenticationCodeSent {
    /// To be given back with the code.
    #[schema(example = "rat_Zt3yq0…")]
    reauthentication_token: String,
    /// Where it went.
    #[schema(inline)]
    delivery: Delivery,
}

/// Which passkey is asked.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReauthenticationPasskeyRequest {
    /// A passkey of the account; may be left out when there is one alone.
    factor_id: Option<FactorId>,
}

/// A challenge to a passkey.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "reauthentication_token": "rat_Zt3yq0…",
    "public_key": {
        "challenge": "3yPzT0p3mHsD6Zc5xw2pXb0hQz1m8rJt4vKq9aLeUYo", "timeout": 300_000, "rpId": "auth.example.com",
        "allowCredentials": [{ "type": "public-key", "id": "tY5q0X3b9vQ" }], "userVerification": "required",
    },
}))]
pub(super) struct ReauthenticationPasskey {
    /// To be given back with the passkey's answer.
    #[schema(example = "rat_Zt3yq0…")]
    reauthentication_token: String,
    /// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes (WebAuthn Level 3).
    #[schema(value_type = Object)]
    public_key: Value,
}

/// An access token with a fresh `auth_time`.
#[derive(Serialize, ToSchema)]
pub(super) struct ReauthenticationAnswer {
    /// For the sensitive act; a refresh goes back to the session's own `auth_time`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9…")]
    access_token: String,
    /// Seconds that it lives.
    #[schema(example = 300)]
    expires_in: u64,
}

/// Send a code to a phone of the account, to prove again who you are.
#[utoipa::path(
    tag = "sessions", operation_id = "send_reauthentication_code", request_body = ReauthenticationCodeRequest,
    responses((status = 202, description = "The code is on its way", body = ReauthenticationCodeSent)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["factor_carried_reset", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("reauthentication"))),
)]
#[post("/v1/reauthentications/codes")]
pub(super) async fn send_code(
    app: Data<App>,
    session: CurrentSession,
    body: Json<ReauthenticationCodeRequest>,
) -> Reply {
    let ReauthenticationCodeRequest { factor_id, channel } = body.0;
    let (token, number) = reauthentication::send_code(&app, &session, (factor_id, channel)).await.map_err(problem)?;
    let delivery = Delivery::of(&app, channel, &number);
    accepted(&ReauthenticationCodeSent { reauthentication_token: token, delivery })
}

/// Ask a passkey of the account, to prove again who you are.
#[utoipa::path(
    tag = "sessions", operation_id = "start_passkey_reauthentication", request_body = ReauthenticationPasskeyRequest,
    responses((status = 200, description = "What the browser asks the passkey", body = ReauthenticationPasskey)),
    security(("bearer" = [])),
    extensions(("x-limit" = json!("account"))),
)]
#[post("/v1/reauthentications/passkey-options")]
pub(super) async fn ask_passkey(
    app: Data<App>,
    session: CurrentSession,
    body: Json<ReauthenticationPasskeyRequest>,
) -> Reply {
    let asked = reauthentication::ask_passkey(&app, &session, body.0.factor_id).await.map_err(problem)?;
    let (reauthentication_token, public_key) = asked;
    ok(&ReauthenticationPasskey { reauthentication_token, public_key })
}

/// Prove again who you are, for a sensitive act.
#[utoipa::path(
    tag = "sessions", operation_id = "reauthenticate", request_body = ReauthenticationRequest,
    responses((status = 200, description = "An access token with a fresh `auth_time`", body = ReauthenticationAnswer)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["factor_carried_reset", "invalid_code", "invalid_credential", "too_many_attempts", "reauthentication_expired", "account_suspended", "account_closed", "overloaded"])),
        ("x-limit" = json!("reauthentication")),
    ),
)]
#[post("/v1/reauthentications")]
pub(super) async fn reauthenticate(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    body: Json<ReauthenticationRequest>,
) -> Reply {
    app.limits.admit(Policy::Reauthentication, Subject::Session(session.id)).await?;
    let body = body.0;
    if body.password.is_none() && body.method != FactorMethod::Passkey {
        return Err(Problem::field("/password", FieldCode::Required));
    }
    let ReauthenticationRequest { method, factor_id: factor, code, recovery_code, credential, .. } = body;
    let given = Given { method, factor, code, recovery_code, credential }.read()?;
    let proofs = (body.password.as_deref(), body.reauthentication_token.as_deref());
    let done =
        reauthentication::reauthenticate(&app, &session, proofs, &given, &caller).await.map_err(
            |error| match error {
                SignInError::Authenticate(AuthenticateError::Wrong { .. }) => {
                    Problem::field("/password", FieldCode::WrongPassword)
                }
                other => problem(other),
            },
        )?;
    let access = tokens::issue(
        &app,
        &AccessGrant {
            account: session.account,
            session: session.id,
            client_id: &session.client_id,
            auth_time: done.auth_time,
            amr: &done.amr,
            roles: &done.roles,
            audience: None,
        },
    )?;
    ok(&ReauthenticationAnswer { access_token: access.token, expires_in: access.expires_in })
}
