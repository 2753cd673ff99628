//! What settings are read, refused, and told in the README.

use super::Config;
use super::ConfigFaults;
use super::Mode;
use super::Settings;
use super::settings::Reader;
use crate::crypto::MasterKeys;

#[test]
fn the_readme_lists_every_setting_and_no_other() {
    let mut read = Reader::new(Settings::default());
    Config::read(Mode::Production, &mut read);
    let names = read.known().map(|name| {
        let variable = name.to_uppercase().replacen('.', "__", 1);
        format!("| `{name}` | `SEKISHO_{variable}` |")
    });
    let readme = include_str!("../../README.md");
    let rows = readme.lines().filter(|line| line.contains("` | `SEKISHO_"));
    let mut rows: Vec<_> = rows.map(|row| row.split_inclusive('|').take(3).collect::<String>()).collect();
    rows.sort_unstable();
    assert_eq!(rows, names.collect::<Vec<_>>());
}

fn production() -> Settings {
    Settings::default()
        .with("service.issuer", "https://auth.example.com")
        .with("database.url", "postgres://sekisho:x@db/sekisho")
        .with("redis.url", "redis://:pw@cache:6379/")
        .with("keys.master", MasterKeys::generate().as_str())
        .with("mail.smtp_url", "smtps://u:p@mail.example.com")
        .with("mail.from", "no-reply@example.com")
}

#[test]
fn the_least_production_configuration_is_enough() {
    let config = Config::from_settings(Mode::Production, production()).map_err(|f| f.to_string()).ok().unwrap();
    assert_eq!(config.client.origins, ["https://auth.example.com"]);
    assert!(config.limits && !config.docs);
}

#[test]
fn nothing_starts_without_its_secrets_and_every_fault_is_told_at_once() {
    let ConfigFaults(faults) = Config::from_settings(Mode::Production, Settings::default()).err().unwrap();
    for name in ["service.issuer", "database.url", "redis.url", "keys.master", "mail.smtp_url", "mail.from"] {
        assert!(faults.iter().any(|fault| fault.contains(name)), "{name} in {faults:?}");
    }
}

#[test]
fn unsafe_values_are_refused() {
    for (name, value) in [
        ("service.issuer", "http://auth.example.com"),
        ("service.issuer", "https://auth.example.com/path"),
        ("redis.url", "redis://cache:6379/"),
        ("redis.url", "http://cache"),
        ("keys.master", "1:short"),
        ("limits.enabled", "false"),
        ("password.memory_kib", "8"),
        ("http.listen", "8080"),
        ("http.trusted_proxies", "everyone"),
        ("http.trusted_proxies", "0.0.0.0/0"),
        ("http.trusted_proxies", "::/0"),
        ("http.forwarded_header", "x-real-ip"),
        ("database.url", "mysql://db/sekisho"),
        ("password.passes", "1"),
        ("sign_in.failure_step_ms", "0"),
        ("mail.smtp_url", "smtp://mail.example.com"),
        ("mail.smtp_url", "smtp://mail.example.com?tls=opportunistic"),
        ("mail.providers", "smtp,nobody"),
        ("sms.providers", "smtp"),
        ("voice.providers", "nobody"),
        ("providers.unused", "webhook+https://:0123456789abcdef@gateway.example.com/messages"),
        ("messages.timeout_ms", "60000"),
        ("client.origins", "http://app.example.com"),
        ("client.origins", "https://app.example.com/path"),
        ("pages.password_reset", "https://elsewhere.example.net/reset"),
        ("pages.password_reset", "https://auth.example.com.example.net/reset"),
        ("pages.password_reset", "https://auth.example.com"),
        ("pages.change_password", "https://auth.example.com/page#top"),
        ("pages.change_password", "//auth.example.com/page"),
        ("tokens.typ", "JWE"),
        ("tokens.acess_lifetime_secs", "300"),
    ] {
        let ConfigFaults(faults) =
            Config::from_settings(Mode::Production, production().with(name, value)).err().unwrap();
        assert_eq!(faults.len(), 1, "{name} = {value}: {faults:?}");
        assert!(faults[0].contains(name), "{faults:?}");
    }
}

#[test]
fn a_redis_on_this_host_may_go_without_a_password() {
    let settings = production().with("redis.url", "redis://127.0.0.1:6379/");
    assert!(Config::from_settings(Mode::Production, settings).is_ok());
}

/// The relying party of passkeys, or what is told instead.
fn rp_id(settings: Settings) -> Result<Option<String>, String> {
    let config = Config::from_settings(Mode::Production, settings).map_err(|faults| faults.to_string())?;
    Ok(config.passkeys.map(|passkeys| passkeys.rp_id))
}

#[test]
fn passkeys_belong_to_the_domain_of_the_issuer_or_of_a_page() {
    let found = |name: &str, value: &str| rp_id(production().with(name, value)).map(Option::unwrap_or_default);
    assert_eq!(found("log.json", "true").unwrap(), "auth.example.com");
    // A page elsewhere uses them as a related origin.
    assert_eq!(found("client.origins", "https://www.example.org").unwrap(), "auth.example.com");
    for fine in ["auth.example.com", "example.com"] {
        assert_eq!(found("passkey.rp_id", fine).unwrap(), fine);
    }
    for wrong in ["com", "example.org", "xample.com", "https://auth.example.com", "login.auth.example.com"] {
        assert!(found("passkey.rp_id", wrong).unwrap_err().contains("passkey.rp_id"), "{wrong}");
    }
    let pages = production().with("client.origins", "https://www.example.org,https://shop.example.net");
    assert_eq!(rp_id(pages.with("passkey.rp_id", "example.net")).unwrap().unwrap(), "example.net");
    assert_eq!(rp_id(production().with("service.issuer", "https://192.0.2.7")).unwrap(), None);
}

#[test]
fn a_link_leads_to_the_configured_page_with_its_token_in_the_fragment() {
    let settings = production().with("pages.password_reset", "https://auth.example.com/reset?lang=en");
    let config = Config::from_settings(Mode::Production, settings).map_err(|f| f.to_string()).ok().unwrap();
    let page = config.pages.password_reset.unwrap();
    assert_eq!(page.link("rst_x"), "https://auth.example.com/reset?lang=en#rst_x");
    assert_eq!(config.pages.change_password, None, "production pretends nothing");
    let off = production().with("pages.password_reset", "off");
    assert!(Config::from_settings(Mode::Production, off).is_ok_and(|config| config.pages.password_reset.is_none()));
}

/// One secret may carry several channels, and a channel may have several.
#[test]
fn providers_are_named_once_and_listed_in_order() {
    let settings = production()
        .with("providers.tokyo", "twilio+https://AC1:token@api.example.com?from=+815012345678")
        .with("providers.backup", "webhook+https://:0123456789abcdef@gateway.example.com/messages")
        .with("mail.providers", "smtp,backup")
        .with("sms.providers", "tokyo,backup")
        .with("voice.providers", "tokyo");
    let config = Config::from_settings(Mode::Production, settings.clone()).map_err(|f| f.to_string()).ok().unwrap();
    assert_eq!(config.messages.sms, ["tokyo", "backup"]);
    for (name, value, told) in [
        ("providers.tokyo", "twilio+https://AC1:hunter2@api.example.com?from=Example", "voice.providers"),
        ("providers.tokyo", "twilio+https://AC1:hunter2@api.example.com", "providers.tokyo"),
        ("providers.smtp", "smtps://u:hunter2@mail.example.com", "mail.smtp_url"),
        ("providers.Tokyo", "smtps://u:hunter2@mail.example.com", "providers.Tokyo"),
        ("providers.inbox", "smtps://u:hunter2@mail.example.com", "providers.inbox"),
    ] {
        let ConfigFaults(faults) =
            Config::from_settings(Mode::Production, settings.clone().with(name, value)).err().unwrap();
        assert_eq!(faults.len(), 1, "{name} = {value}: {faults:?}");
        assert!(faults[0].contains(told) && !faults[0].contains("hunter2"), "{faults:?}");
    }
}
