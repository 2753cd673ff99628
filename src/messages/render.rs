//! Messages in words.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;

use crate::messages::attempt::Rendered;
use crate::messages::model::Channel;
use crate::messages::model::Message;
use crate::text::Args;
use crate::text::Language;
use crate::text::text;

/// Who speaks.
pub struct Letterhead {
    service: String,
    site: String,
}

impl Letterhead {
    /// Of a service by this name, whose pages are at this origin.
    pub fn new(service: &str, origin: &str) -> Self {
        let host = origin.rsplit('/').next().unwrap_or_default();
        let site = host.split(':').next().unwrap_or_default().to_owned();
        Self { service: one_line(service), site }
    }
}

/// Renders a message in the language of its recipient.
pub fn render(letterhead: &Letterhead, message: &Message, now: DateTime<Utc>) -> Rendered {
    let content = &message.content;
    let language = content.language;
    let id = format!("message-{}", content.kind.name().replace('_', "-"));
    let minutes = minutes_left(message.expires_at - now).to_string();
    let at = local_time(language, message.happened_at, content.time_zone);
    let shown = |name: &str, value: &str| match value.parse::<DateTime<Utc>>() {
        Ok(time) if name.ends_with("_at") => local_time(language, time, content.time_zone),
        _ => one_line(value),
    };
    let values: Vec<(&str, String)> =
        message.values.iter().map(|(name, value)| (name.as_str(), shown(name, value))).collect();
    let mut args = vec![("service", letterhead.service.as_str()), ("at", at.as_str()), ("minutes", minutes.as_str())];
    args.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
    args.extend(message.code.as_deref().map(|code| ("code", code)));
    args.extend(message.link.as_deref().map(|link| ("link", link)));
    let (subject, text) = match content.channel {
        Channel::Email => (text(language, &format!("{id}.subject"), &args), mail(message, &id, &args)),
        Channel::Sms => (String::new(), sms(letterhead, message, &id, &args)),
        Channel::Voice => (String::new(), call(message, &args)),
    };
    let code = message.code.as_ref().or_else(|| message.values.get("token")).cloned();
    // Nothing but a mail has room for a link.
    let link = message.link.clone().filter(|_| content.channel == Channel::Email);
    Rendered { subject: one_line(&subject), text, code, link }
}

fn mail(message: &Message, id: &str, args: &Args<'_>) -> String {
    let content = &message.content;
    let language = content.language;
    // Whoever asked for a code may have written somebody else's address, and any name beside it.
    let name = content.display_name.as_deref().filter(|_| !content.kind.carries_code()).map(one_line);
    let greeting = match name.as_deref().filter(|name| !name.trim().is_empty()) {
        Some(name) => text(language, "message-greeting", &[("name", name)]),
        None => text(language, "message-greeting-unnamed", &[]),
    };
    // There may be no page to lead to: a mail with a link says so in words of its own.
    let part = if message.link.is_some() { "link" } else { "body" };
    let body = text(language, &format!("{id}.{part}"), args);
    let closing = text(language, "message-closing", args);
    format!("{greeting}\n\n{body}\n\n{closing}\n")
}

/// The last line lets a phone offer the code on that site alone ("Origin-bound one-time codes delivered via SMS").
fn sms(letterhead: &Letterhead, message: &Message, id: &str, args: &Args<'_>) -> String {
    let words = text(message.content.language, &format!("{id}.sms"), args);
    match message.code.as_deref().filter(|_| message.content.kind.carries_digits()) {
        Some(code) => format!("{words}\n\n@{} #{code}", letterhead.site),
        None => words,
    }
}

/// What a voice reads: nothing but the code, three times.
fn call(message: &Message, args: &Args<'_>) -> String {
    let language = message.content.language;
    let digits: Vec<String> = message.code.as_deref().unwrap_or_default().chars().map(String::from).collect();
    let code = text(language, "message-call-code", &[("digits", &digits.join(", "))]);
    let greeting = text(language, "message-call-greeting", args);
    let closing = text(language, "message-call-closing", &[]);
    format!("{greeting}\n{code}\n{code}\n{code}\n{closing}")
}

/// Whole minutes, rounded up: what is sent at once shows the full time.
fn minutes_left(left: TimeDelta) -> i64 {
    left.num_seconds().saturating_add(59).max(60) / 60
}

/// The parts are handed over one by one, since languages order them differently.
fn local_time(language: Language, at: DateTime<Utc>, zone: Tz) -> String {
    let at = at.with_timezone(&zone);
    let part = |format: &str| at.format(format).to_string();
    let (year, month, day, hour, minute) = (part("%Y"), part("%m"), part("%d"), part("%H"), part("%M"));
    let args = [
        ("year", year.as_str()),
        ("month", month.as_str()),
        ("day", day.as_str()),
        ("hour", hour.as_str()),
        ("minute", minute.as_str()),
        ("zone", zone.name()),
    ];
    text(language, "message-time", &args)
}

/// A value that cannot begin a line of its own.
fn one_line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::messages::kind::MessageKind;
    use crate::messages::model::NewContent;

    fn now() -> DateTime<Utc> {
        "2026-11-22T15:04:05Z".parse().unwrap()
    }

    fn letterhead() -> Letterhead {
        Letterhead::new("Example", "https://www.example.com:8443")
    }

    fn value(name: &str) -> String {
        if name.ends_with("_at") { now().to_rfc3339() } else { format!("<{name}>") }
    }

    fn message(kind: MessageKind, language: Language) -> Message {
        let content = NewContent {
            kind,
            channel: Channel::Email,
            address: "taro@example.jp".to_owned(),
            lookup_key: "taro@example.jp".to_owned(),
            language,
            display_name: Some("Taro".to_owned()),
            time_zone: Tz::Asia__Tokyo,
        };
        Message {
            content,
            code: kind.carries_code().then(|| "012345".to_owned()),
            link: None,
            values: kind.values().iter().map(|name| ((*name).to_owned(), value(name))).collect::<BTreeMap<_, _>>(),
            happened_at: now(),
            expires_at: now() + TimeDelta::minutes(10),
        }
    }

    fn every() -> impl Iterator<Item = Message> {
        Language::all().flat_map(|language| MessageKind::ALL.iter().map(move |kind| message(*kind, language)))
    }

    /// And once more with a link, where there may be one.
    fn every_mail() -> impl Iterator<Item = Message> {
        every().flat_map(|message| {
            let link = message.content.kind.may_link().then(|| "https://www.example.com/page#token".to_owned());
            let linked = link.map(|link| Message { link: Some(link), ..message.clone() });
            std::iter::once(message).chain(linked)
        })
    }

    #[test]
    fn every_kind_has_its_text_in_every_language_with_nothing_left_open() {
        for message in every_mail() {
            let (kind, tag) = (message.content.kind, message.content.language.tag());
            let Rendered { subject, text, .. } = render(&letterhead(), &message, now());
            for shown in [&subject, &text] {
                assert!(!shown.contains(['{', '}', '$']) && !shown.contains("message-"), "{kind:?} {tag}: {shown}");
            }
            assert!(subject.contains("Example"), "{kind:?} {tag}: {subject}");
            // 15:04 UTC in Tokyo.
            let filled = |name: &&str| if name.ends_with("_at") { "00:04".to_owned() } else { value(name) };
            let shown = [&message.code, &message.link].into_iter().flatten().cloned();
            for needed in kind.values().iter().map(filled).chain(shown) {
                assert!(text.contains(&needed), "{kind:?} {tag} lacks {needed}: {text}");
            }
            assert!(!subject.contains("012345"), "a code in the subject shows on a locked screen");
        }
    }

    #[test]
    fn a_notice_greets_by_name_and_shows_the_time_where_the_person_is() {
        for message in every().filter(|message| !message.content.kind.carries_code()) {
            let text = render(&letterhead(), &message, now()).text;
            assert!(text.contains("Taro"), "{text}");
            // 15:04 UTC is past midnight in Tokyo.
            assert!(text.contains("23") && text.contains("00:04"), "{text}");
        }
        let mut nameless = message(MessageKind::SignUpNotice, Language::DEFAULT);
        nameless.content.display_name = Some("\n".to_owned());
        assert!(render(&letterhead(), &nameless, now()).text.starts_with("Hello,\n\n"));
    }

    /// design.md §5.9: nothing that a request brought along reaches an unproven address.
    #[test]
    fn a_code_shows_service_code_and_minutes_only() {
        for mut message in every().filter(|message| message.content.kind.carries_code()) {
            let plain = render(&letterhead(), &message, now()).text;
            // The token of a recovery is good for as long as the recovery.
            let tells_minutes = message.content.kind != MessageKind::RecoveryToken;
            assert!(plain.contains("10") || !tells_minutes, "{plain}");
            message.content.display_name = Some("Win a prize at evil.example".to_owned());
            message.values.insert("label".to_owned(), "evil.example".to_owned());
            message.content.address = "other@evil.example".to_owned();
            assert_eq!(render(&letterhead(), &message, now()).text, plain);
        }
    }

    /// design.md §5.14: an SMS of more than 70 UTF-16 units is two, or none.
    #[test]
    fn an_sms_is_one_and_binds_its_code_to_the_site() {
        for mut message in every() {
            message.content.channel = Channel::Sms;
            let kind = message.content.kind;
            if message.values.contains_key("token") {
                message.values.insert("token".to_owned(), format!("cct_{}", "x".repeat(43)));
            }
            if kind.carries_code() && !kind.carries_digits() {
                message.code = Some(format!("tok_{}", "x".repeat(43)));
            }
            message.link = Some("https://www.example.com/page#token".to_owned());
            let rendered = render(&letterhead(), &message, now());
            assert!(rendered.link.is_none() && !rendered.text.contains("https:"), "{kind:?}: {}", rendered.text);
            assert!(rendered.text.encode_utf16().count() <= 70, "{kind:?}: {}", rendered.text);
            assert!(rendered.subject.is_empty() && !rendered.text.contains("message-"), "{kind:?}: {}", rendered.text);
            assert!(message.code.is_none_or(|code| rendered.text.contains(&code)), "{kind:?}: {}", rendered.text);
            let bound = rendered.text.ends_with("\n\n@www.example.com #012345");
            assert_eq!(bound, kind.carries_digits(), "{kind:?}: {}", rendered.text);
        }
    }

    #[test]
    fn a_call_reads_the_digits_one_by_one_three_times() {
        for mut message in every().filter(|message| message.content.kind.carries_digits()) {
            message.content.channel = Channel::Voice;
            let text = render(&letterhead(), &message, now()).text;
            assert_eq!(text.matches("0, 1, 2, 3, 4, 5").count(), 3, "{text}");
            assert!(text.contains("Example") && !text.contains("message-"), "{text}");
        }
    }

    #[test]
    fn values_stay_on_their_line() {
        let mut message = message(MessageKind::FactorEnrolledNotice, Language::DEFAULT);
        message.values.insert("label".to_owned(), "a\r\nb\u{2028}c".to_owned());
        message.content.display_name = Some("x\ny".to_owned());
        let rendered = render(&Letterhead::new("Ex\r\nBcc: a@b", ""), &message, now());
        assert!(!rendered.subject.contains(['\r', '\n']));
        assert!(rendered.text.contains("a  b c") && rendered.text.contains("x y"));
    }

    #[test]
    fn minutes_are_rounded_up_and_never_zero() {
        for (seconds, minutes) in [(600, 10), (599, 10), (541, 10), (540, 9), (1, 1), (-5, 1)] {
            assert_eq!(minutes_left(TimeDelta::seconds(seconds)), minutes, "{seconds}");
        }
    }
}
