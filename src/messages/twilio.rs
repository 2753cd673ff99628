//! Short messages and calls through a service that speaks as Twilio does: Programmable Messaging and Voice of the API
//! 2010-04-01, form-encoded, with Basic authentication.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use serde::Deserialize;

use crate::config::TwilioConfig;
use crate::crypto::MasterKeys;
use crate::messages::attempt::Failure;
use crate::messages::attempt::Outgoing;
use crate::messages::model::Channel;
use crate::messages::post;
use crate::messages::post::Answer;
use crate::messages::twiml;
use crate::messages::twiml::Script;

/// Seconds that a phone rings before nobody is at home.
const RING_SECS: &str = "30";
const MAX_REFERENCE: usize = 64;

/// A configured account.
pub(super) struct Twilio {
    client: Client,
    /// Where requests go, up to the kind of message.
    account_url: String,
    account: String,
    token: SecretString,
    from: String,
    callbacks: Callbacks,
}

/// Where the service tells us what became of a message.
pub(super) struct Callbacks {
    /// Our public address of this provider's events.
    pub(super) url: String,
    /// What is said later is sealed with them.
    pub(super) keys: Arc<MasterKeys>,
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Told {
    sid: Option<String>,
    code: Option<u32>,
}

impl Twilio {
    pub(super) fn new(config: &TwilioConfig, timeout: Duration, callbacks: Callbacks) -> reqwest::Result<Self> {
        Ok(Self {
            client: post::client(timeout)?,
            account_url: format!("{}/2010-04-01/Accounts/{}", config.base, config.account),
            account: config.account.clone(),
            token: config.token.clone(),
            from: config.from.clone(),
            callbacks,
        })
    }

    /// Answers the service's own name for the message.
    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Result<Option<String>, Failure> {
        let content = &outgoing.claimed.message.content;
        let id = outgoing.claimed.id;
        let callback = format!("{}?message={id}", self.callbacks.url);
        let mut form = vec![("To", content.address.clone()), ("StatusCallback", callback)];
        let list = match content.channel {
            Channel::Email => return Err(Failure::Permanent("carries no mail".to_owned())),
            Channel::Sms => {
                let sender = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
                form.extend([(sender, self.from.clone()), ("Body", outgoing.rendered.text.clone())]);
                "Messages"
            }
            Channel::Voice => {
                let script = self.script(outgoing)?;
                form.extend([("From", self.from.clone()), ("Twiml", script), ("Timeout", RING_SECS.to_owned())]);
                "Calls"
            }
        };
        let request = self
            .client
            .post(format!("{}/{list}.json", self.account_url))
            .basic_auth(&self.account, Some(self.token.expose_secret()))
            .header("Idempotency-Key", id.to_string())
            .form(&form);
        let answer = post::post(request).await?;
        let told = told(&answer);
        match (answer.verdict(), told.code) {
            (Ok(()), _) => Ok(told.sid.filter(|sid| is_reference(sid))),
            (Err(Failure::Permanent(reason)), Some(code)) => Err(Failure::Permanent(format!("{reason} {code}"))),
            (Err(failure), _) => Err(failure),
        }
    }

    /// Who calls; and, for the URL that is asked after a key was pressed, the code.
    fn script(&self, outgoing: &Outgoing<'_>) -> Result<String, Failure> {
        let (message, id) = (&outgoing.claimed.message, outgoing.claimed.id);
        let language = message.content.language;
        let (greeting, lines) = outgoing.rendered.text.split_once('\n').unwrap_or(("", &outgoing.rendered.text));
        let (language_tag, lines) = (language.tag().to_owned(), lines.to_owned());
        let script = Script { language: language_tag, lines, expires_at: message.expires_at };
        let sealed = script.seal(&self.callbacks.keys, id).map_err(|_| Failure::Permanent("no script".to_owned()))?;
        let next = format!("{}/calls?message={id}&script={sealed}", self.callbacks.url);
        Ok(twiml::ask_for_key(language, greeting, &next))
    }
}

/// An answer that cannot be read tells nothing.
fn told(answer: &Answer) -> Told {
    serde_json::from_slice(&answer.body).unwrap_or(Told { sid: None, code: None })
}

/// Whether a provider's name for a message can be kept and shown.
fn is_reference(text: &str) -> bool {
    (1..=MAX_REFERENCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
