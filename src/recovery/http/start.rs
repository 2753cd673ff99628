//! Beginning a recovery, and coming back to one.

use actix_web::HttpResponse;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::Lost;
use super::super::model::NewRecovery;
use super::super::service;
use super::problem;
use crate::accounts::Delivery;
use crate::accounts::Faults;
use crate::accounts::destination;
use crate::accounts::read_client;
use crate::accounts::read_destination;
use crate::accounts::read_identifier;
use crate::app::App;
use crate::audit::Caller;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::outcome;

/// Longest message to an operator, in characters.
const MESSAGE_MAX: usize = 1000;

/// A recovery to begin.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "identifier": "taro@example.jp", "contact": "taro.new@example.jp", "lost": ["email", "password"] }))]
pub(super) struct RecoveryRequest {
    /// The e-mail address of the account, or its mobile number with the country code.
    #[schema(example = "taro@example.jp")]
    identifier: String,
    /// For numbers in their national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// Where the person can be reached now: an address or number that is theirs. It gets a code.
    #[schema(example = "taro.new@example.jp")]
    contact: String,
    /// What is lost; it will count for no proof. `email` means every address of the account and `phone` every number, those
    /// that still work included. Once the recovery is completed lost second factors are gone, and all these addresses and
    /// numbers leave after 72 hours, unless nothing else would stay.
    #[schema(inline, example = json!(["email", "password"]))]
    lost: Vec<Lost>,
    /// For the operator, should one have to decide; at most 1000 characters.
    #[schema(example = "My provider closed last week.", max_length = 1000)]
    message: Option<String>,
    /// The client; the first-party one when absent.
    #[schema(example = "first-party")]
    client_id: Option<String>,
}

/// A recovery under way.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryStarted {
    /// Names the recovery for the one who began it. Keep it: the recovery takes days.
    #[schema(example = "rec_3kVh9x…")]
    recovery_token: String,
    /// Where the code went.
    #[schema(inline)]
    delivery: Delivery,
}

/// Where the person can be reached.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResumeRequest {
    /// The contact that the recovery began with.
    #[schema(example = "taro.new@example.jp")]
    contact: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
}

fn read_lost(mut lost: Vec<Lost>) -> Result<Vec<Lost>, FieldCode> {
    lost.sort_unstable();
    lost.dedup();
    if lost.is_empty() { Err(FieldCode::Required) } else { Ok(lost) }
}

fn read_message(typed: &str) -> Result<String, FieldCode> {
    if typed.chars().count() > MESSAGE_MAX { Err(FieldCode::TooLong) } else { Ok(typed.trim().to_owned()) }
}

fn read(app: &App, body: RecoveryRequest) -> Result<NewRecovery, Problem> {
    let mut faults = Faults::default();
    let country = body.country.as_deref();
    let identifier = read_identifier(&mut faults, &body.identifier, country);
    let contact = read_destination(app, &mut faults, ("/contact", &body.contact), country);
    let lost = faults.note("/lost", read_lost(body.lost));
    let message = faults.note("/message", body.message.as_deref().map(read_message).transpose());
    let client = faults.note("/client_id", read_client(app, body.client_id.as_deref()));
    match (identifier, contact, lost, message, client) {
        (Some(identifier), Some(contact), Some(lost), Some(message), Some(client)) => Ok(NewRecovery {
            identifier,
            channel: app.channels.choose(contact.value(), None)?,
            contact,
            lost,
            message: message.filter(|message| !message.is_empty()),
            client_id: client.to_owned(),
        }),
        _ => Err(faults.into_problem()),
    }
}

/// Begin the recovery of an account.
///
/// For someone who has lost mailbox, phone or second factor and cannot sign in or reset the password. A code goes to the
/// contact. The answer is the same whether or not anybody has the identifier.
#[utoipa::path(
    tag = "recovery", operation_id = "start_recovery", request_body = RecoveryRequest,
    responses((status = 202, description = "The code is on its way", body = RecoveryStarted)),
    extensions(("x-problems" = json!(["message_limit_reached"])), ("x-limit" = json!("recovery"))),
)]
#[post("/v1/recoveries")]
pub(super) async fn start(app: Data<App>, caller: Caller, body: Json<RecoveryRequest>) -> Reply {
    let new = read(&app, body.0)?;
    let started = service::start(&app, &new, &caller).await.map_err(problem);
    app.metrics.recovery("start", outcome(&started));
    let delivery = Delivery::of(&app, new.channel, new.contact.value());
    accepted(&RecoveryStarted { recovery_token: started?, delivery })
}

/// Come back to a recovery whose token was lost.
///
/// If a recovery began with this contact and proved it, another token is sent there. The answer is the same if not.
#[utoipa::path(
    tag = "recovery", operation_id = "resume_recovery", request_body = ResumeRequest,
    responses((status = 202, description = "If the contact has a recovery, a message is on its way")),
    extensions(("x-problems" = json!(["message_limit_reached"])), ("x-limit" = json!("recovery"))),
)]
#[post("/v1/recoveries/resume")]
pub(super) async fn resume(app: Data<App>, caller: Caller, body: Json<ResumeRequest>) -> Reply {
    let contact = destination(&app, ("/contact", &body.0.contact), body.0.country.as_deref())?;
    let channel = app.channels.choose(contact.value(), None)?;
    service::resume(&app, (&contact, channel), &caller).await.map_err(problem)?;
    Ok(HttpResponse::Accepted().finish())
}
