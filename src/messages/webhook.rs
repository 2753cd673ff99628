//! Messages through any HTTP service: a JSON body, signed.
//!
//! `Sekisho-Signature` is ours ([`signature`]); `Idempotency-Key` is the message's id: the same for every attempt.

use std::time::Duration;

use chrono::DateTime;
use chrono::Utc;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde::Serialize;

use crate::config::WebhookConfig;
use crate::ids::MessageId;
use crate::messages::attempt::Failure;
use crate::messages::attempt::Outgoing;
use crate::messages::model::Channel;
use crate::messages::post;
use crate::messages::signatures::WEBHOOK_SIGNATURE;
use crate::messages::signatures::signature;

/// A configured service.
pub(super) struct Webhook {
    client: Client,
    url: String,
    secret: SecretString,
}

/// A message as it is handed over.
#[derive(Serialize)]
struct Body<'a> {
    message_id: MessageId,
    channel: Channel,
    to: &'a str,
    language: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    text: &'a str,
    expires_at: DateTime<Utc>,
}

impl Webhook {
    pub(super) fn new(config: &WebhookConfig, timeout: Duration) -> reqwest::Result<Self> {
        Ok(Self { client: post::client(timeout)?, url: config.url.clone(), secret: config.secret.clone() })
    }

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Result<(), Failure> {
        let message = &outgoing.claimed.message;
        let body = serde_json::to_vec(&Body {
            message_id: outgoing.claimed.id,
            channel: message.content.channel,
            to: &message.content.address,
            language: message.content.language.tag(),
            subject: &outgoing.rendered.subject,
            text: &outgoing.rendered.text,
            expires_at: message.expires_at,
        });
        let body = body.map_err(|_| Failure::Permanent("cannot be written".to_owned()))?;
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", outgoing.claimed.id.to_string())
            .header(WEBHOOK_SIGNATURE, signature(&self.secret, outgoing.now, &body));
        post::post(request.body(body)).await?.verdict()
    }
}
