//! Who speaks, and what they may change.

use super::model::NotHeard;
use super::model::Protocol;
use super::model::Sent;
use crate::app::App;
use crate::config::CarrierConfig;
use crate::ids::MessageId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Receipt;

/// Checks who speaks.
pub(super) fn hear(app: &App, sent: &Sent<'_>) -> Result<Protocol, NotHeard> {
    let provider = app.config.messages.provider(sent.provider).ok_or(NotHeard::Unknown)?;
    let (signed, protocol) = match &provider.carrier {
        CarrierConfig::Smtp(_) => return Err(NotHeard::Unknown),
        CarrierConfig::Twilio(twilio) => {
            // As the provider was given it: our public address, whatever the request says of itself.
            let url = format!("{}{}", app.config.issuer, sent.target);
            let signed = messages::is_signed_by_twilio(&twilio.token, &url, sent.fields, sent.twilio_signature);
            (signed, Protocol::Twilio)
        }
        CarrierConfig::Webhook(webhook) => {
            let signed = messages::is_signed(&webhook.secret, sent.webhook_signature, (sent.bytes, app.clock.now()));
            (signed, Protocol::Webhook)
        }
    };
    if signed { Ok(protocol) } else { Err(NotHeard::Unsigned) }
}

/// Writes a receipt to its message.
pub(super) async fn record(app: &App, provider: &str, id: MessageId, receipt: &Receipt) -> Result<(), Internal> {
    let mut conn = app.db.acquire().await?;
    let recorded = messages::record_receipt(&mut conn, (provider, id), receipt, app.clock.now()).await?;
    if let Some(channel) = recorded {
        app.metrics.message(channel.name(), provider, receipt.name());
        tracing::info!(message_id = %id, provider, receipt = receipt.name(), "a receipt");
    }
    Ok(())
}
