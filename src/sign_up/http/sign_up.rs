//! Sign-up, resend, verify.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::NewSignUp;
use super::super::service;
use super::problem;
use crate::accounts::Delivery;
use crate::accounts::Faults;
use crate::accounts::Identifier;
use crate::accounts::read_client;
use crate::accounts::read_destination;
use crate::accounts::read_display_name;
use crate::accounts::read_locale;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::messages::Channel;
use crate::password_policy::AcceptedPassword;
use crate::password_policy::PasswordContext;
use crate::password_policy::PasswordRefusal;
use crate::sign_in::SignInFlow;
use crate::sign_in::sign_in_flow;
use crate::text::Language;

/// What a person may think of when no code comes; the same for every identifier.
const ALREADY_REGISTERED: &str = "already_registered";

/// A sign-up.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "identifier": "taro@example.jp", "password": "correct horse battery", "display_name": "Taro" }))]
pub(super) struct SignUpRequest {
    /// An e-mail address, or a mobile number with its country code.
    #[schema(example = "taro@example.jp")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// 8 to 128 characters; see `POST /v1/passwords/check`.
    #[schema(example = "correct horse battery")]
    password: String,
    /// The language of messages; the answer's when absent.
    #[schema(example = "en")]
    locale: Option<String>,
    /// What messages call the person, at most 100 characters.
    #[schema(example = "Taro", max_length = 100)]
    display_name: Option<String>,
    /// The client; the first-party one when absent.
    #[schema(example = "first-party")]
    client_id: Option<String>,
}

/// A sign-up under way.
#[derive(Serialize, ToSchema)]
pub(super) struct SignUpStarted {
    /// Names the sign-up until its code is given back; good for 24 hours.
    #[schema(example = "sup_3kVh9x…")]
    sign_up_token: String,
    /// Where the code went.
    #[schema(inline)]
    delivery: Delivery,
}

/// Another code.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResendRequest {
    /// The sign-up.
    #[schema(example = "sup_3kVh9x…")]
    sign_up_token: String,
    /// `email` for an e-mail address; `sms`, or when asked for `voice`, for a number.
    #[schema(inline)]
    channel: Option<Channel>,
}

/// The code of a sign-up.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerifyRequest {
    /// The sign-up.
    #[schema(example = "sup_3kVh9x…")]
    sign_up_token: String,
    /// Six digits.
    #[schema(example = "123456")]
    code: String,
}

fn read_password(
    app: &App,
    identifier: Option<&Identifier>,
    body: &SignUpRequest,
) -> Result<AcceptedPassword, PasswordRefusal> {
    let identifiers = identifier.map(Identifier::value);
    let context = PasswordContext { identifiers: identifiers.as_slice(), display_name: body.display_name.as_deref() };
    app.password_policy.accept(&body.password, context)
}

fn read(app: &App, language: Language, body: &SignUpRequest) -> Result<NewSignUp, Problem> {
    let mut faults = Faults::default();
    let identifier = read_destination(app, &mut faults, ("/identifier", &body.identifier), body.country.as_deref());
    let password = match read_password(app, identifier.as_ref(), body) {
        Ok(password) => Some(password),
        Err(PasswordRefusal::Faults(found)) => faults.note_all("/password", Err(found)),
        Err(PasswordRefusal::Internal(error)) => return Err(error.into()),
    };
    let locale = faults.note("/locale", body.locale.as_deref().map_or(Ok(language.tag()), read_locale));
    let display_name = faults.note("/display_name", body.display_name.as_deref().map(read_display_name).transpose());
    let client = faults.note("/client_id", read_client(app, body.client_id.as_deref()));
    match (identifier, password, locale, display_name, client) {
        (Some(identifier), Some(password), Some(locale), Some(display_name), Some(client)) => Ok(NewSignUp {
            channel: app.channels.choose(identifier.value(), None)?,
            identifier,
            password,
            display_name,
            locale: locale.to_owned(),
            client_id: client.to_owned(),
        }),
        _ => Err(faults.into_problem()),
    }
}

/// Begin a sign-up.
///
/// A code goes to the address. A taken address is answered alike; its owner gets a notice instead of a code.
#[utoipa::path(
    tag = "sign-up", operation_id = "start_sign_up", request_body = SignUpRequest,
    responses((status = 202, description = "The code is on its way", body = SignUpStarted)),
    extensions(("x-problems" = json!(["message_limit_reached", "overloaded"])), ("x-limit" = json!("sign_up"))),
)]
#[post("/v1/sign-ups")]
pub(super) async fn start(app: Data<App>, caller: Caller, body: Json<SignUpRequest>) -> Reply {
    let new = read(&app, caller.language, &body.0)?;
    let sign_up_token = service::start(&app, &new, &caller).await.map_err(problem)?;
    let delivery = Delivery::of(&app, new.channel, new.identifier.value()).hint(ALREADY_REGISTERED);
    accepted(&SignUpStarted { sign_up_token, delivery })
}

/// Send another code; the one before is void.
#[utoipa::path(
    tag = "sign-up", operation_id = "resend_sign_up_code", request_body = ResendRequest,
    responses((status = 202, description = "The code is on its way", body = Delivery)),
    extensions(("x-problems" = json!(["sign_up_expired", "message_limit_reached", "channel_unavailable"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/sign-ups/resend")]
pub(super) async fn resend(app: Data<App>, caller: Caller, body: Json<ResendRequest>) -> Reply {
    let ResendRequest { sign_up_token, channel } = body.0;
    let (channel, address) = service::resend(&app, &sign_up_token, channel, &caller).await.map_err(problem)?;
    accepted(&Delivery::of(&app, channel, &address).hint(ALREADY_REGISTERED))
}

/// Take the code back: the account exists, and a second factor is next.
///
/// After a hundred wrong codes in a row for one identifier, over all sign-ups, no more is judged for a day from that network.
#[utoipa::path(
    tag = "sign-up", operation_id = "verify_sign_up", request_body = VerifyRequest,
    responses((status = 200, description = "What comes next", body = SignInFlow, example = json!({
            "sign_in_token": "sit_Zt3yq0…", "expires_in": 600, "next": "enrol_second_factor",
            "identifiers": [], "factors": [], "enrollable": ["totp"],
        }))),
    extensions(
        ("x-problems" = json!(["sign_up_expired", "invalid_code", "too_many_attempts"])),
        ("x-limit" = json!("code")),
    ),
)]
#[post("/v1/sign-ups/verify")]
pub(super) async fn verify(app: Data<App>, caller: Caller, body: Json<VerifyRequest>) -> Reply {
    let flow = service::verify(&app, &body.0.sign_up_token, &body.0.code, &caller).await.map_err(problem)?;
    ok(&sign_in_flow(&app, flow))
}
