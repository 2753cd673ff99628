//! Forgotten passwords.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::Proof;
use super::super::model::Wanted;
use super::super::service;
use super::problem;
use crate::accounts::Delivery;
use crate::accounts::Faults;
use crate::accounts::identifier_hint;
use crate::accounts::read_client;
use crate::accounts::read_destination;
use crate::app::App;
use crate::audit::Caller;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::no_content;
use crate::http::ok;
use crate::http::outcome;

/// A wish for a reset.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "identifier": "taro@example.jp" }))]
pub(super) struct PasswordResetRequest {
    /// The e-mail address, or the mobile number with its country code, that the message goes to.
    #[schema(example = "taro@example.jp")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// The client; the first-party one when absent.
    #[schema(example = "first-party")]
    client_id: Option<String>,
}

/// A reset under way, if there is an account.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordResetRequested {
    /// To be given back with the code of the message.
    #[schema(example = "prt_Zt3yq0…")]
    password_reset_token: String,
    /// Where the message goes.
    #[schema(inline)]
    delivery: Delivery,
}

/// The token of a link.
#[derive(Deserialize, ToSchema)]
pub(super) struct InspectResetRequest {
    /// What stands behind the `#` of the link.
    #[schema(example = "rst_Zt3yq0…")]
    reset_token: String,
}

/// What a link is good for.
#[derive(Serialize, ToSchema)]
pub(super) struct Inspection {
    /// Enough of the identifier to recognise it.
    #[schema(example = "t•••@example.jp")]
    identifier_hint: String,
    /// Seconds until the link is void.
    #[schema(example = 540)]
    expires_in: u64,
}

/// How somebody shows that the message reached them.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResetMethod {
    /// By its link: `reset_token`.
    Link,
    /// By its code: `password_reset_token` and `code`.
    Code,
}

/// A new password in the place of a forgotten one.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "method": "link", "reset_token": "rst_Zt3yq0…", "new_password": "tidal mango ledger vowel" }))]
pub(super) struct ResetConfirmation {
    /// Which of the members below count.
    #[schema(inline, example = "link")]
    method: ResetMethod,
    /// What stands behind the `#` of the link, with method `link`.
    #[schema(example = "rst_Zt3yq0…")]
    reset_token: Option<String>,
    /// What the request was answered with, with method `code`.
    #[schema(example = "prt_Zt3yq0…")]
    password_reset_token: Option<String>,
    /// The eight digits of the message, with method `code`.
    #[schema(example = "12345678")]
    code: Option<String>,
    /// 8 to 128 characters; see `POST /v1/passwords/check`.
    #[schema(example = "tidal mango ledger vowel")]
    new_password: String,
}

/// Ask for a new password, when the old one is forgotten.
///
/// A message with a code, and where there is a page for it with a link, goes to the identifier if an account has it. The
/// answer is the same for every identifier. A newer message replaces the one before. Beyond ten an hour none leaves, without a
/// word: a code goes with the token of the request that sent it, which stays good.
#[utoipa::path(
    tag = "sign-in", operation_id = "request_password_reset", request_body = PasswordResetRequest,
    responses((
        status = 202, description = "If the identifier has an account, a message is on its way",
        body = PasswordResetRequested,
    )),
    extensions(("x-problems" = json!([])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/password-resets")]
pub(super) async fn request(app: Data<App>, caller: Caller, body: Json<PasswordResetRequest>) -> Reply {
    let mut faults = Faults::default();
    let identifier =
        read_destination(&app, &mut faults, ("/identifier", &body.0.identifier), body.0.country.as_deref());
    let client_id = faults.note("/client_id", read_client(&app, body.0.client_id.as_deref()));
    let (Some(identifier), Some(client_id)) = (identifier, client_id) else { return Err(faults.into_problem()) };
    let channel = app.channels.choose(identifier.value(), None)?;
    let delivery = Delivery::of(&app, channel, identifier.value());
    let token = service::request(&app, &Wanted { identifier, channel, client_id }, &caller).await?;
    accepted(&PasswordResetRequested { password_reset_token: token, delivery })
}

/// Look at the link of a message.
///
/// Changes nothing: the link is as good afterwards as before.
#[utoipa::path(
    tag = "sign-in", operation_id = "inspect_password_reset", request_body = InspectResetRequest,
    responses((status = 200, description = "What it is good for", body = Inspection)),
    extensions(("x-problems" = json!(["reset_token_invalid"])), ("x-limit" = json!("code"))),
)]
#[post("/v1/password-resets/inspect")]
pub(super) async fn inspect(app: Data<App>, body: Json<InspectResetRequest>) -> Reply {
    let inspected = service::inspect(&app, &body.0.reset_token).await.map_err(problem)?;
    ok(&Inspection { identifier_hint: identifier_hint(&inspected.identifier), expires_in: inspected.expires_in })
}

/// Set a new password by the link or the code of a message.
///
/// Every session ends, and nobody is signed in: the next sign-in asks for the second factor, and not for one at the
/// destination that got the message.
#[utoipa::path(
    tag = "sign-in", operation_id = "confirm_password_reset", request_body = ResetConfirmation,
    responses((status = 204, description = "The new password counts; every session has ended")),
    extensions(
        ("x-problems" = json!(["reset_token_invalid", "invalid_code", "too_many_attempts", "overloaded"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/password-resets/confirm")]
pub(super) async fn confirm(app: Data<App>, caller: Caller, body: Json<ResetConfirmation>) -> Reply {
    let new_password = body.0.new_password.clone();
    let proof = read_proof(body.0)?;
    let done = service::confirm(&app, &proof, &new_password, &caller).await.map_err(problem);
    app.metrics.password_change(proof.name(), outcome(&done));
    done?;
    Ok(no_content())
}

/// Reads the members that the method calls for; the others must be absent.
fn read_proof(body: ResetConfirmation) -> Result<Proof, Problem> {
    let required = |pointer, member: Option<String>| member.ok_or_else(|| Problem::field(pointer, FieldCode::Required));
    let surplus = |pointer, member: &Option<String>| match member {
        Some(_) => Err(Problem::field(pointer, FieldCode::NotSupported)),
        None => Ok(()),
    };
    match body.method {
        ResetMethod::Link => {
            surplus("/password_reset_token", &body.password_reset_token)?;
            surplus("/code", &body.code)?;
            Ok(Proof::Link { token: required("/reset_token", body.reset_token)? })
        }
        ResetMethod::Code => {
            surplus("/reset_token", &body.reset_token)?;
            let token = required("/password_reset_token", body.password_reset_token)?;
            Ok(Proof::Code { token, code: required("/code", body.code)? })
        }
    }
}
