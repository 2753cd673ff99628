//! What a call says, as Twilio reads it (`TwiML`).

use crate::text::Language;
use crate::text::text;

/// Reads lines aloud, with a pause between two.
pub(super) fn speech(language: Language, lines: &str) -> String {
    document(&said(language, lines))
}

fn said(language: Language, lines: &str) -> String {
    let voice = text(language, "message-call-voice", &[]);
    let said = lines.lines().map(|line| format!("<Say language=\"{}\">{}</Say>", escaped(&voice), escaped(line)));
    said.collect::<Vec<_>>().join("<Pause length=\"1\"/>")
}

fn document(verbs: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_cannot_become_a_verb() {
        let script = speech(Language::DEFAULT, "<Dial>\"A & B\"</Dial>\n1, 2");
        assert_eq!(
            script,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\
             <Say language=\"en-US\">&lt;Dial&gt;&quot;A &amp; B&quot;&lt;/Dial&gt;</Say><Pause length=\"1\"/>\
             <Say language=\"en-US\">1, 2</Say></Response>"
        );
    }
}
