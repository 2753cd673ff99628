//! The endpoints of providers.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::NotHeard;
use super::model::Protocol;
use super::model::Sent;
use super::service;
use crate::app::App;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Raw;
use crate::http::Reply;
use crate::http::no_content;
use crate::ids::MessageId;
use crate::messages;
use crate::messages::Receipt;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(receive).service(continue_call);
}

/// Which message is meant, where the body does not say it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// The message, in the URL that a provider was given with it.
    #[param(example = "01932c5e-7a10-7000-8000-000000000001")]
    message: Option<uuid::Uuid>,
}

/// What became of a message.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It arrived.
    Delivered,
    /// It never will.
    Undelivered,
}

/// A receipt of a webhook.
#[derive(Deserialize, ToSchema)]
struct ProviderReceipt {
    /// The message, as it was handed over.
    #[schema(example = "01932c5e-7a10-7000-8000-000000000001")]
    message_id: uuid::Uuid,
    /// What became of it.
    #[schema(inline)]
    status: Status,
    /// Why it did not arrive: one word of letters, digits, `_` and `-`, kept for operators.
    #[schema(example = "blocked", max_length = 64)]
    reason: Option<String>,
}

/// Checks the signature before anything is believed.
fn hear(app: &App, request: &HttpRequest, provider: &str, body: &Raw) -> Result<Heard, Problem> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = body.form()?;
    let sent = Sent {
        provider,
        target: request.uri().path_and_query().map_or("", |target| target.as_str()),
        twilio_signature: header(messages::TWILIO_SIGNATURE),
        webhook_signature: header(messages::WEBHOOK_SIGNATURE),
        fields: &fields,
        bytes: body.bytes(),
    };
    match service::hear(app, &sent) {
        Ok(protocol) => Ok(Heard { protocol, fields }),
        Err(NotHeard::Unknown) => Err(Problem::new(ErrorCode::NotFound)),
        Err(NotHeard::Unsigned) => Err(Problem::new(ErrorCode::Forbidden)),
    }
}

/// What was said, by a provider that is known.
struct Heard {
    protocol: Protocol,
    fields: Vec<(String, String)>,
}

/// Take a receipt of a provider.
///
/// For the companies that carry messages. A webhook signs it as it is signed to
/// (`Sekisho-Signature: t=…,v1=…`), Twilio in its own way (`X-Twilio-Signature`).
#[utoipa::path(
    tag = "providers", operation_id = "receive_provider_event",
    params(("provider" = String, Path, description = "A provider's name in the settings", example = "backup"), EventQuery),
    request_body(content(
        (ProviderReceipt = "application/json"),
        (Object = "application/x-www-form-urlencoded", example = json!({ "MessageStatus": "delivered" })),
    )),
    responses((status = 204, description = "Taken")),
    extensions(("x-problems" = json!(["forbidden", "not_found"])), ("x-limit" = json!("provider_event"))),
)]
#[post("/v1/provider-events/{provider}")]
async fn receive(
    app: Data<App>,
    request: HttpRequest,
    provider: web::Path<String>,
    query: Query<EventQuery>,
    body: Raw,
) -> Reply {
    let heard = hear(&app, &request, &provider, &body)?;
    let (message, receipt) = match heard.protocol {
        Protocol::Twilio => (query.0.message, messages::twilio_receipt(&heard.fields)),
        Protocol::Webhook => {
            let ProviderReceipt { message_id, status, reason } = body.json()?;
            let receipt = match status {
                Status::Delivered => Receipt::Delivered,
                Status::Undelivered => Receipt::undelivered(reason.as_deref().unwrap_or_default()),
            };
            (Some(message_id), Some(receipt))
        }
    };
    if let Some((message, receipt)) = message.zip(receipt) {
        service::record(&app, &provider, MessageId::from(message), &receipt).await?;
    }
    Ok(no_content())
}

/// What a call goes on with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallQuery {
    /// The message.
    #[param(example = "01932c5e-7a10-7000-8000-000000000001")]
    message: Option<uuid::Uuid>,
    /// What is to be said, sealed.
    #[param(example = "AAAAAQ")]
    script: Option<String>,
}

/// Say the code of a call, after a key was pressed.
///
/// For services that speak as Twilio does: the URL stands in what they were told to say first.
#[utoipa::path(
    tag = "providers", operation_id = "continue_call",
    params(("provider" = String, Path, description = "A provider's name in the settings", example = "tokyo"), CallQuery),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded", example = json!({ "CallStatus": "in-progress" })),
    responses((
        status = 200, description = "What to say (TwiML)", body = String, content_type = "text/xml",
        example = json!("<Response><Say language=\"en-US\">Your code is: 1, 2, 3, 4, 5, 6.</Say></Response>"),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found"])), ("x-limit" = json!("provider_event"))),
)]
#[post("/v1/provider-events/{provider}/calls")]
async fn continue_call(
    app: Data<App>,
    request: HttpRequest,
    provider: web::Path<String>,
    query: Query<CallQuery>,
    body: Raw,
) -> Reply {
    if hear(&app, &request, &provider, &body)?.protocol != Protocol::Twilio {
        return Err(Problem::new(ErrorCode::NotFound));
    }
    let missing = |name: &str| Problem::new(ErrorCode::InvalidFields).parameter_fault(name, FieldCode::Required);
    let id = MessageId::from(query.0.message.ok_or_else(|| missing("message"))?);
    let sealed = query.0.script.ok_or_else(|| missing("script"))?;
    let script = messages::open_script(&app.config.master_keys, id, &sealed, app.clock.now());
    let wrong = || Problem::new(ErrorCode::InvalidFields).parameter_fault("script", FieldCode::InvalidFormat);
    Ok(HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(script.ok_or_else(wrong)?))
}
