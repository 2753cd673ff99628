//! How messages leave: each provider by its own protocol, or into the development inbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::PgPool;

use crate::config::CarrierConfig;
use crate::config::Config;
use crate::internal::Internal;
use crate::messages::attempt::Failure;
use crate::messages::attempt::Outgoing;
use crate::messages::channels::INBOX;
use crate::messages::smtp::Smtp;
use crate::messages::store::inbox;
use crate::messages::twilio::Callbacks;
use crate::messages::twilio::Twilio;
use crate::messages::webhook::Webhook;

/// Why messages cannot be sent with this configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// The address of a mail server.
    #[error("a mail server is written smtps://user:password@host or smtp://user:password@host?tls=required")]
    Url,
    /// The sender.
    #[error("`mail.from` must be an address, or a name with an address in angle brackets")]
    From,
    /// No root certificates, or no cipher.
    #[error("HTTP providers cannot be reached: TLS cannot be set up")]
    Tls,
}

/// The ways out of this process, by the provider's name.
pub struct Transport(BTreeMap<String, Carrier>);

enum Carrier {
    Smtp(Box<Smtp>),
    Twilio(Box<Twilio>),
    Webhook(Box<Webhook>),
    Inbox,
}

impl Transport {
    /// The providers as configured, and the development inbox.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(config: &Config) -> Result<Self, TransportFault> {
        let messages = &config.messages;
        let from = messages.mail_from.as_deref().unwrap_or_default();
        let mut carriers = BTreeMap::from([(INBOX.to_owned(), Carrier::Inbox)]);
        for provider in &messages.providers {
            let carrier = match &provider.carrier {
                CarrierConfig::Smtp(url) => Carrier::Smtp(Box::new(Smtp::new(url, from, messages.timeout)?)),
                CarrierConfig::Twilio(twilio) => {
                    let url = format!("{}/v1/provider-events/{}", config.issuer, provider.name);
                    let callbacks = Callbacks { url, keys: Arc::clone(&config.master_keys) };
                    Carrier::Twilio(Box::new(
                        Twilio::new(twilio, messages.timeout, callbacks).map_err(|_| TransportFault::Tls)?,
                    ))
                }
                CarrierConfig::Webhook(webhook) => Carrier::Webhook(Box::new(
                    Webhook::new(webhook, messages.timeout).map_err(|_| TransportFault::Tls)?,
                )),
            };
            carriers.insert(provider.name.clone(), carrier);
        }
        Ok(Self(carriers))
    }

    /// Lets a message leave through a provider; bounded in time. Answers the provider's own name for it, if it has one.
    ///
    /// # Errors
    /// The inner one: it did not leave. The outer one: our own database did not answer.
    pub async fn send(
        &self,
        pool: &PgPool,
        provider: &str,
        outgoing: &Outgoing<'_>,
    ) -> Result<Result<Option<String>, Failure>, Internal> {
        Ok(match self.0.get(provider) {
            Some(Carrier::Smtp(smtp)) => smtp.send(outgoing).await.map(|()| None),
            Some(Carrier::Twilio(twilio)) => twilio.send(outgoing).await,
            Some(Carrier::Webhook(webhook)) => webhook.send(outgoing).await.map(|()| None),
            Some(Carrier::Inbox) => {
                inbox::put(pool, outgoing.claimed, outgoing.rendered, outgoing.now).await?;
                Ok(None)
            }
            None => return Err(Internal::bug(format!("no provider is called {provider}"))),
        })
    }
}
