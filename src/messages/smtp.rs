//! Mail by SMTP.
//!
//! One connection a mail, ended after `messages.timeout_ms` whatever the server does. What the server says is kept as its
//! reply code alone, since its words often repeat the address.

use std::time::Duration;
use std::time::SystemTime;

use chrono::DateTime;
use chrono::Utc;
use lettre::Address;
use lettre::AsyncSmtpTransport;
use lettre::AsyncTransport;
use lettre::Message as Mail;
use lettre::Tokio1Executor;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::SinglePart;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;
use lettre::transport::smtp::Error as SmtpError;
use secrecy::ExposeSecret;
use secrecy::SecretString;

use crate::ids::MessageId;
use crate::messages::attempt::Failure;
use crate::messages::attempt::Outgoing;
use crate::messages::attempt::Rendered;
use crate::messages::transport::TransportFault;

/// A configured SMTP server and the sender of every mail.
pub(super) struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Smtp {
    pub(super) fn new(url: &SecretString, from: &str, timeout: Duration) -> Result<Self, TransportFault> {
        // The parser's own message may repeat parts of the URL, which holds a password.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| TransportFault::Url)?
            .timeout(Some(timeout))
            .build();
        Ok(Self { server, from: from.parse().map_err(|_| TransportFault::From)?, timeout })
    }

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Result<(), Failure> {
        let Outgoing { claimed, rendered, now } = outgoing;
        let mail = self.mail(claimed.id, &claimed.message.content.address, rendered, *now)?;
        match tokio::time::timeout(self.timeout, self.server.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::Unclear("timeout".to_owned())),
        }
    }

    fn mail(&self, id: MessageId, to: &str, rendered: &Rendered, now: DateTime<Utc>) -> Result<Mail, Failure> {
        let refused = |what: &str| Failure::Permanent(what.to_owned());
        let to = address(to).ok_or_else(|| refused("the address cannot be written"))?;
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(|_| refused("no envelope"))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Mail::builder()
            .envelope(envelope)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(rendered.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .singlepart(SinglePart::plain(rendered.text.clone()))
            .map_err(|_| refused("the mail cannot be written"))
    }
}

/// The address as RFC 5321 §4.1.2 wants it: a local part that is not a dot-string (`a..b`, `ab.`, as carriers once
/// gave out) is quoted, a domain is ASCII. `None` for what cannot be written even so, line breaks included.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    let written_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    if written_quoted || local.split('.').all(|atom| !atom.is_empty()) && Address::new(local, &domain).is_ok() {
        return Address::new(local, &domain).ok();
    }
    let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
    Address::new(format!("\"{escaped}\""), domain).ok()
}

fn failure(error: &SmtpError) -> Failure {
    match error.status().map(u16::from) {
        // Our own credentials were refused, not this mail: 530, 534, 535 and 538 are answers to AUTH (RFC 4954 §6).
        Some(code @ (530 | 534 | 535 | 538)) => Failure::Transient(format!("smtp {code}")),
        Some(code) if error.is_permanent() => Failure::Permanent(format!("smtp {code}")),
        // The mailbox is busy, full, or not yet known to be there (RFC 5321 §4.2.3): it is about this one.
        Some(code @ (450 | 452)) => Failure::Deferred(format!("smtp {code}")),
        Some(code) => Failure::Transient(format!("smtp {code}")),
        None if error.is_timeout() => Failure::Unclear("timeout".to_owned()),
        None if error.is_tls() => Failure::Transient("no TLS".to_owned()),
        None if error.is_client() => Failure::Transient("the server lacks what is needed".to_owned()),
        None => Failure::Transient("no connection".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(url: &str, from: &str) -> Result<Smtp, TransportFault> {
        Smtp::new(&SecretString::from(url), from, Duration::from_secs(10))
    }

    #[test]
    fn carrier_addresses_are_quoted_and_others_are_not() {
        for (written, sent) in [
            ("taro@example.jp", "taro@example.jp"),
            ("taro+tag@example.jp", "taro+tag@example.jp"),
            ("a..b@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
            ("ab.@ezweb.ne.jp", "\"ab.\"@ezweb.ne.jp"),
            (".ab@ezweb.ne.jp", "\".ab\"@ezweb.ne.jp"),
            ("\"a..b\"@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
            ("taro@日本.jp", "taro@xn--wgv71a.jp"),
        ] {
            assert_eq!(address(written).map(|a| a.to_string()).as_deref(), Some(sent), "{written}");
        }
    }

    #[test]
    fn an_address_cannot_carry_a_command_or_a_header() {
        for bad in [
            "a\r\nRCPT TO:<b@c.jp>@d.jp",
            "a\nb@c.jp",
            "a@b.jp\r\nBcc: c",
            "\"a\r\n\"@b.jp",
            "a\0@b.jp",
            "@b.jp",
            "a@",
            "a",
        ] {
            if let Some(address) = address(bad) {
                panic!("{bad:?} became {address}");
            }
        }
    }

    #[test]
    fn a_mail_says_who_sent_it_and_that_a_machine_did() {
        let smtp = smtp("smtp://127.0.0.1:25", "例 <no-reply@example.com>").unwrap();
        let rendered = Rendered {
            subject: "件名\r\nBcc: evil@example.net".to_owned(),
            text: "コード\n.\nend".to_owned(),
            code: None,
            link: None,
        };
        let now = "2026-11-22T15:04:05Z".parse().unwrap();
        let id = MessageId::from(uuid::Uuid::nil());
        let mail = smtp.mail(id, "ab.@ezweb.ne.jp", &rendered, now).unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "To: \"ab.\"@ezweb.ne.jp",
            "Message-ID: <00000000-0000-0000-0000-000000000000@example.com>",
            "Date: Sun, 22 Nov 2026 15:04:05 +0000",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} in {head}");
        }
        assert!(!head.contains("\nBcc"), "{head}");
        assert!(text.is_ascii());
        assert_eq!(mail.envelope().to()[0].to_string(), "\"ab.\"@ezweb.ne.jp");
    }

    #[test]
    fn an_unusable_configuration_is_refused_without_repeating_it() {
        assert_eq!(smtp("hunter2@host", "a@b.jp").err(), Some(TransportFault::Url));
        assert_eq!(smtp("ftp://u:hunter2@host", "a@b.jp").err(), Some(TransportFault::Url));
        assert_eq!(smtp("smtp://host", "nobody").err(), Some(TransportFault::From));
    }
}
