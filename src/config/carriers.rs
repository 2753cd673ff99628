//! The URL of a provider, which holds its credentials too.

use reqwest::Url;
use secrecy::SecretString;

use super::Mode;
use super::values::is_loopback;

/// How a provider is reached.
pub enum CarrierConfig {
    /// `smtp://`, `smtps://`, with user and password where needed, `?tls=required` as lettre reads it.
    Smtp(SecretString),
    /// A service that speaks as Twilio does.
    Twilio(TwilioConfig),
    /// An HTTP service that takes messages as JSON.
    Webhook(WebhookConfig),
}

/// A service that speaks as Twilio does.
pub struct TwilioConfig {
    /// What stands before `/2010-04-01`.
    pub base: String,
    /// The account (`AC…`).
    pub account: String,
    /// Its token: the password of our requests, and the key of the signatures of theirs.
    pub token: SecretString,
    /// The sender: a number, a messaging service (`MG…`) or a name.
    pub from: String,
}

impl CarrierConfig {
    pub(super) fn carries_mail(&self) -> bool {
        !matches!(self, Self::Twilio(_))
    }

    pub(super) fn carries_sms(&self) -> bool {
        !matches!(self, Self::Smtp(_))
    }

    /// A call comes from a number.
    pub(super) fn calls(&self) -> bool {
        match self {
            Self::Smtp(_) => false,
            Self::Twilio(twilio) => twilio.from.starts_with('+'),
            Self::Webhook(_) => true,
        }
    }
}

/// An HTTP service that takes messages as JSON.
pub struct WebhookConfig {
    /// Where messages are sent.
    pub url: String,
    /// The key of the signatures, ours and theirs.
    pub secret: SecretString,
}

/// What a URL must be like.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) mode: Mode,
    /// Whether mail may leave unencrypted.
    pub(super) plaintext_mail: bool,
}

impl Rules {
    /// Reads a provider's URL. A fault does not repeat it, since it holds a secret.
    pub(super) fn carrier(self, text: &str) -> Result<CarrierConfig, String> {
        if text.starts_with("smtp://") || text.starts_with("smtps://") {
            let encrypted = text.starts_with("smtps://") || text.contains("tls=required");
            if self.mode == Mode::Production && !encrypted && !self.plaintext_mail {
                return Err("sends codes in clear: use smtps:// or ?tls=required, or set `mail.allow_plaintext`".into());
            }
            return Ok(CarrierConfig::Smtp(text.to_owned().into()));
        }
        let (kind, address) = text.split_once('+').ok_or_else(shape)?;
        let mut url = Url::parse(address).map_err(|_| shape())?;
        self.check_address(&url)?;
        let (user, password) = (decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
        let query = url.query().map(str::to_owned);
        url.set_query(None);
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        let url = stripped.map(|()| url.as_str().trim_end_matches('/').to_owned()).map_err(|()| shape())?;
        match (kind, query.as_deref().and_then(|query| query.strip_prefix("from="))) {
            ("twilio", Some(from)) if !user.is_empty() && !password.is_empty() => {
                let from = sender(&decoded(from)?)?;
                Ok(CarrierConfig::Twilio(TwilioConfig { base: url, account: user, token: password.into(), from }))
            }
            ("webhook", None) if query.is_none() && user.is_empty() => {
                if password.len() < 16 {
                    return Err("needs a secret of 16 characters or more: webhook+https://:secret@host/path".to_owned());
                }
                Ok(CarrierConfig::Webhook(WebhookConfig { url, secret: password.into() }))
            }
            _ => Err(shape()),
        }
    }

    /// Codes and credentials travel encrypted, except where nobody can listen.
    fn check_address(self, url: &Url) -> Result<(), String> {
        match url.scheme() {
            "https" if url.has_host() => Ok(()),
            "http" if self.mode == Mode::Development || is_loopback(url) => Ok(()),
            "http" => Err("sends codes in clear: use https://".to_owned()),
            _ => Err(shape()),
        }
    }
}

fn shape() -> String {
    "must look like smtps://user:password@host, twilio+https://account:token@host?from=+81… or \
     webhook+https://:secret@host/path"
        .to_owned()
}

/// A number, a messaging service, or a name as phones show it.
fn sender(text: &str) -> Result<String, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('+').is_some_and(|rest| (7..=15).contains(&rest.len()) && digits(rest));
    let name = text.len() <= 11 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    let service = text.starts_with("MG") && text.len() == 34;
    if !text.is_empty() && (number || name || service) {
        return Ok(text.to_owned());
    }
    Err("has a `from` that is no number (+81…), no messaging service (MG…) and no name of 1 to 11 letters".to_owned())
}

/// Percent-decoding (RFC 3986 §2.1); a plus stays one.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        out.push(match byte {
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
                _ => return Err(shape()),
            },
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| shape())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const PRODUCTION: Rules = Rules { mode: Mode::Production, plaintext_mail: false };

    #[test]
    fn a_url_holds_all_that_a_provider_needs() {
        let Ok(CarrierConfig::Twilio(twilio)) =
            PRODUCTION.carrier("twilio+https://AC1:to%2Cken%40@api.example.com/base/?from=+815012345678")
        else {
            panic!("no Twilio");
        };
        assert_eq!(twilio.base, "https://api.example.com/base");
        assert_eq!((twilio.account.as_str(), twilio.token.expose_secret()), ("AC1", "to,ken@"));
        assert_eq!(twilio.from, "+815012345678");
        let webhook = "webhook+http://:0123456789abcdef@127.0.0.1:9000/messages";
        let Ok(CarrierConfig::Webhook(webhook)) = PRODUCTION.carrier(webhook) else { panic!("no webhook") };
        assert_eq!(webhook.url, "http://127.0.0.1:9000/messages");
        assert_eq!(webhook.secret.expose_secret(), "0123456789abcdef");
    }

    #[test]
    fn an_unusable_url_is_refused_without_repeating_it() {
        for url in [
            "hunter2",
            "ftp://u:hunter2@host",
            "https://u:hunter2@host",
            "twilio+https://AC1:hunter2@host",
            "twilio+https://AC1@host?from=+815012345678",
            "twilio+https://:hunter2@host?from=+815012345678",
            "twilio+https://AC1:hunter2@host?from=nobody@example.com",
            "twilio+http://AC1:hunter2@sms.example.com?from=+815012345678",
            "webhook+https://:hunter2@host/path",
            "webhook+https://host/path",
            "webhook+http://:hunter2hunter2hunter2@gateway.example.com/path",
            "webhook+https://:hunter2hunter2%zz@host/path",
            "smtp://u:hunter2@mail.example.com",
        ] {
            let fault = PRODUCTION.carrier(url).err().unwrap_or_else(|| panic!("{url} was taken"));
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
