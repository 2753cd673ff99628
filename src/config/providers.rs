//! Who carries messages, and in which order they are tried.
//!
//! A provider is one URL under a name of the operator's choice (`providers.tokyo`), so that its credentials are one
//! secret; a channel lists the names that it tries (`sms.providers = "tokyo,backup"`). One mail server is the usual
//! case, so `mail.smtp_url` is short for a provider called `smtp` that carries mail.

use std::collections::BTreeSet;
use std::time::Duration;

use super::CarrierConfig;
use super::Mode;
use super::carriers::Rules;
use super::settings::Reader;

/// What the short form is called.
const SMTP: &str = "smtp";
/// What metrics and log lines say where no provider was at work.
const TAKEN: [&str; 2] = ["inbox", "none"];
const MAX_NAME: usize = 32;

/// What leaves, and by whom.
pub struct MessagesConfig {
    /// The sender of every mail, `Name <address>` or an address; none when no mail leaves.
    pub mail_from: Option<String>,
    /// All providers.
    pub providers: Vec<ProviderConfig>,
    /// The names of those that carry mail, in the order in which they are tried.
    pub email: Vec<String>,
    /// Of those that carry short messages.
    pub sms: Vec<String>,
    /// Of those that call.
    pub voice: Vec<String>,
    /// How long a provider may take for one message.
    pub timeout: Duration,
}

/// A provider under its name.
pub struct ProviderConfig {
    /// Names it in the settings, in metrics and in the path of its events.
    pub name: String,
    /// How to reach it.
    pub carrier: CarrierConfig,
}

pub(super) fn messages(read: &mut Reader, mode: Mode) -> MessagesConfig {
    let mut listed: Vec<(String, String)> = read.section("providers");
    let short = read.text("mail.smtp_url");
    let mut email = read.list("mail.providers");
    if email.is_empty() && (short.is_some() || mode == Mode::Production) {
        email.push(SMTP.to_owned());
    }
    let mail_leaves = !email.is_empty();
    if short.is_none() && email == [SMTP] && !read.is_set("providers.smtp") {
        read.required("mail.smtp_url", "smtps://user:password@host, or name other `mail.providers`");
        email.clear();
    }
    listed.extend(short.map(|url| (SMTP.to_owned(), url)));
    let rules = Rules { mode, plaintext_mail: read.flag("mail.allow_plaintext", false) };
    let providers = providers(read, rules, listed);
    let mail_from = if mail_leaves {
        Some(read.required("mail.from", "the sender of every mail, e.g. Example <no-reply@example.com>"))
    } else {
        read.text("mail.from")
    };
    let (sms, voice) = (read.list("sms.providers"), read.list("voice.providers"));
    // Two attempts must fit into the lease of a claim. Only the tests have less patience.
    let patience = if mode == Mode::Production { 1000..=15_000 } else { 100..=15_000 };
    let timeout = read.millis("messages.timeout_ms", 10_000, patience);
    let config = MessagesConfig { mail_from, providers, email, sms, voice, timeout };
    config.check(read);
    config
}

fn providers(read: &mut Reader, rules: Rules, listed: Vec<(String, String)>) -> Vec<ProviderConfig> {
    let mut names = BTreeSet::new();
    let mut providers = Vec::new();
    for (name, url) in listed {
        let read_url = if names.insert(name.clone()) {
            check_name(&name).and_then(|()| rules.carrier(&url))
        } else {
            Err("is set twice: as `mail.smtp_url` too".to_owned())
        };
        match read_url {
            Ok(carrier) => providers.push(ProviderConfig { name, carrier }),
            // The URL holds a secret and is not repeated.
            Err(fault) if name == SMTP => read.fault(format!("`mail.smtp_url` {fault}")),
            Err(fault) => read.fault(format!("`providers.{name}` {fault}")),
        }
    }
    providers
}

fn check_name(name: &str) -> Result<(), String> {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !letters || name.len() > MAX_NAME || name.ends_with("_file") || TAKEN.contains(&name) {
        return Err(format!("needs another name: at most {MAX_NAME} of a to z, 0 to 9 and _, and none of {TAKEN:?}"));
    }
    Ok(())
}

impl MessagesConfig {
    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Option<&ProviderConfig> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// Every channel names providers that exist and carry it; every provider has a channel.
    fn check(&self, read: &mut Reader) {
        let channels = [
            ("mail.providers", &self.email, CarrierConfig::carries_mail as fn(&CarrierConfig) -> bool),
            ("sms.providers", &self.sms, CarrierConfig::carries_sms),
            ("voice.providers", &self.voice, CarrierConfig::calls),
        ];
        let mut used = BTreeSet::new();
        for (setting, names, carries) in channels {
            for name in names {
                used.insert(name.as_str());
                // One with a fault of its own was told already.
                let told = read.is_set(&format!("providers.{name}")) || name == SMTP && read.is_set("mail.smtp_url");
                match self.provider(name) {
                    Some(provider) if !carries(&provider.carrier) => {
                        read.fault(format!("`{setting}`: {name:?} cannot carry these messages"));
                    }
                    None if !told => read.fault(format!("`{setting}`: there is no `providers.{name}`")),
                    _ => {}
                }
            }
        }
        for provider in self.providers.iter().filter(|provider| !used.contains(provider.name.as_str())) {
            let name = &provider.name;
            read.fault(format!(
                "`providers.{name}` is listed by none of mail.providers, sms.providers, voice.providers"
            ));
        }
    }
}
