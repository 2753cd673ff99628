//! Messages in words.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;

use crate::messages::model::Message;
use crate::messages::model::Rendered;
use crate::text::Language;
use crate::text::text;

/// Renders a message in the language of its recipient. `service` is what the service calls itself.
#[must_use]
pub fn render(service: &str, message: &Message, now: DateTime<Utc>) -> Rendered {
    let content = &message.content;
    let language = content.language;
    let id = format!("message-{}", content.kind.name().replace('_', "-"));
    let minutes = minutes_left(message.expires_at - now).to_string();
    let at = local_time(language, message.happened_at, content.time_zone);
    let service = one_line(service);
    let values: Vec<(&str, String)> =
        message.values.iter().map(|(name, value)| (name.as_str(), one_line(value))).collect();
    let mut args = vec![("service", service.as_str()), ("at", at.as_str()), ("minutes", minutes.as_str())];
    args.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
    args.extend(message.code.as_deref().map(|code| ("code", code)));
    args.extend(message.link.as_deref().map(|link| ("link", link)));
    // Whoever asked for a code may have written somebody else's address, and any name beside it.
    let name = content.display_name.as_deref().filter(|_| !content.kind.carries_code()).map(one_line);
    let greeting = match name.as_deref().filter(|name| !name.trim().is_empty()) {
        Some(name) => text(language, "message-greeting", &[("name", name)]),
        None => text(language, "message-greeting-unnamed", &[]),
    };
    let body = text(language, &format!("{id}.body"), &args);
    let closing = text(language, "message-closing", &args);
    Rendered {
        subject: one_line(&text(language, &format!("{id}.subject"), &args)),
        text: format!("{greeting}\n\n{body}\n\n{closing}\n"),
        code: message.code.clone(),
        link: message.link.clone(),
    }
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
    use crate::messages::model::MessageKind;
    use crate::messages::model::NewContent;

    fn now() -> DateTime<Utc> {
        "2026-11-22T15:04:05Z".parse().unwrap()
    }

    fn message(kind: MessageKind, language: Language) -> Message {
        let content = NewContent {
            kind,
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
            values: kind
                .values()
                .iter()
                .map(|name| ((*name).to_owned(), format!("<{name}>")))
                .collect::<BTreeMap<_, _>>(),
            happened_at: now(),
            expires_at: now() + TimeDelta::minutes(10),
        }
    }

    fn every() -> impl Iterator<Item = Message> {
        Language::all().flat_map(|language| MessageKind::ALL.into_iter().map(move |kind| message(kind, language)))
    }

    #[test]
    fn every_kind_has_its_text_in_every_language_with_nothing_left_open() {
        for message in every() {
            let (kind, tag) = (message.content.kind, message.content.language.tag());
            let Rendered { subject, text, .. } = render("Example", &message, now());
            for shown in [&subject, &text] {
                assert!(!shown.contains(['{', '}', '$']) && !shown.contains("message-"), "{kind:?} {tag}: {shown}");
            }
            assert!(subject.contains("Example"), "{kind:?} {tag}: {subject}");
            for needed in kind.values().iter().map(|name| format!("<{name}>")).chain(message.code.clone()) {
                assert!(text.contains(&needed), "{kind:?} {tag} lacks {needed}: {text}");
            }
            assert!(!subject.contains("012345"), "a code in the subject shows on a locked screen");
        }
    }

    #[test]
    fn a_notice_greets_by_name_and_shows_the_time_where_the_person_is() {
        for message in every().filter(|message| !message.content.kind.carries_code()) {
            let text = render("Example", &message, now()).text;
            assert!(text.contains("Taro"), "{text}");
            // 15:04 UTC is past midnight in Tokyo.
            assert!(text.contains("23") && text.contains("00:04"), "{text}");
        }
        let mut nameless = message(MessageKind::SignUpNotice, Language::DEFAULT);
        nameless.content.display_name = Some("\n".to_owned());
        assert!(render("Example", &nameless, now()).text.starts_with("Hello,\n\n"));
    }

    /// design.md §5.9: nothing that a request brought along reaches an unproven address.
    #[test]
    fn a_code_shows_service_code_and_minutes_only() {
        for mut message in every().filter(|message| message.content.kind.carries_code()) {
            let plain = render("Example", &message, now()).text;
            assert!(plain.contains("10"), "{plain}");
            message.content.display_name = Some("Win a prize at evil.example".to_owned());
            message.values.insert("label".to_owned(), "evil.example".to_owned());
            message.content.address = "other@evil.example".to_owned();
            assert_eq!(render("Example", &message, now()).text, plain);
        }
    }

    #[test]
    fn values_stay_on_their_line() {
        let mut message = message(MessageKind::FactorEnrolledNotice, Language::DEFAULT);
        message.values.insert("label".to_owned(), "a\r\nb\u{2028}c".to_owned());
        message.content.display_name = Some("x\ny".to_owned());
        let rendered = render("Ex\r\nBcc: a@b", &message, now());
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
