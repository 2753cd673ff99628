//! Asking for a reminder.

use actix_web::HttpResponse;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service;
use crate::accounts::destination;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Reply;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(remind);
}

/// A request for a reminder.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReminderRequest {
    /// An e-mail address, or a mobile number with its country code, that the account has proved.
    #[schema(example = "taro@example.jp")]
    contact: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
}

/// Ask by message which addresses and numbers an account signs in with.
///
/// The message shows enough of each to recognise it. The answer is the same for every contact. An e-mail address without
/// an account is told so; nothing goes to a number without one.
#[utoipa::path(
    tag = "sign-in", operation_id = "remind_identifiers", request_body = ReminderRequest,
    responses((status = 202, description = "A message is on its way to an e-mail address, and to a number that has an account")),
    extensions(("x-problems" = json!(["message_limit_reached"])), ("x-limit" = json!("resend"))),
)]
#[post("/v1/identifier-reminders")]
pub(super) async fn remind(app: Data<App>, caller: Caller, body: Json<ReminderRequest>) -> Reply {
    let contact = destination(&app, ("/contact", &body.0.contact), body.0.country.as_deref())?;
    service::remind(&app, &contact, &caller).await?;
    Ok(HttpResponse::Accepted().finish())
}
