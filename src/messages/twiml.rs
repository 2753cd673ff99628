//! What a call says, as Twilio reads it (`TwiML`): first who calls, and the code once a key was pressed.
//!
//! The code travels to its second half in the URL of the first, sealed and bound to the message, because nothing of a
//! message is kept once it has left.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::crypto::MasterKeys;
use crate::crypto::SealPurpose;
use crate::ids::MessageId;
use crate::internal::Internal;
use crate::text::Language;
use crate::text::escape;
use crate::text::text;

/// Seconds that a person has to press a key, each time they are asked.
const PATIENCE_SECS: u8 = 8;

/// What is said after a key was pressed.
#[derive(Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) language: String,
    pub(super) lines: String,
    pub(super) expires_at: DateTime<Utc>,
}

impl Script {
    /// For a URL.
    pub(super) fn seal(&self, keys: &MasterKeys, id: MessageId) -> Result<String, Internal> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(self)?);
        Ok(URL_SAFE_NO_PAD.encode(keys.seal(SealPurpose::Outbox, &place(id), &plain)))
    }
}

fn place(id: MessageId) -> Vec<u8> {
    [b"call".as_slice(), id.uuid().as_bytes()].concat()
}

/// The second half of a call; nothing when it was not sealed here for this message. An expired code is not said.
pub fn open_script(keys: &MasterKeys, id: MessageId, sealed: &str, now: DateTime<Utc>) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = keys.open(SealPurpose::Outbox, &place(id), &sealed).ok()?;
    let script: Script = serde_json::from_slice(&plain).ok()?;
    let language = Language::of(&script.language);
    let expired = text(language, "message-call-expired", &[]);
    let lines = if now < script.expires_at { &script.lines } else { &expired };
    Some(document(&said(language, lines)))
}

/// The first half: says who calls, asks twice for a key, and gives up.
pub(super) fn ask_for_key(language: Language, greeting: &str, next: &str) -> String {
    let prompt = text(language, "message-call-prompt", &[]);
    let ask = |lines: &str| {
        format!(
            "<Gather action=\"{}\" method=\"POST\" numDigits=\"1\" timeout=\"{PATIENCE_SECS}\">{}</Gather>",
            escape(next),
            said(language, lines)
        )
    };
    let closing = text(language, "message-call-closing", &[]);
    document(&format!("{}{}{}", ask(&format!("{greeting}\n{prompt}")), ask(&prompt), said(language, &closing)))
}

fn said(language: Language, lines: &str) -> String {
    let voice = text(language, "message-call-voice", &[]);
    let said = lines.lines().map(|line| format!("<Say language=\"{}\">{}</Say>", escape(&voice), escape(line)));
    said.collect::<Vec<_>>().join("<Pause length=\"1\"/>")
}

fn document(verbs: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_said_cannot_become_a_verb() {
        let script = document(&said(Language::DEFAULT, "<Dial>\"A & B\"</Dial>\n1, 2"));
        assert_eq!(
            script,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\
             <Say language=\"en-US\">&lt;Dial&gt;&quot;A &amp; B&quot;&lt;/Dial&gt;</Say><Pause length=\"1\"/>\
             <Say language=\"en-US\">1, 2</Say></Response>"
        );
    }

    #[test]
    fn a_script_opens_for_its_message_and_is_said_in_its_time() {
        let keys = MasterKeys::throw_away();
        let (id, other) = (MessageId::from(uuid::Uuid::from_u128(1)), MessageId::from(uuid::Uuid::from_u128(2)));
        let now = DateTime::UNIX_EPOCH;
        let script =
            Script { language: "en".to_owned(), lines: "1, 2".to_owned(), expires_at: now + TimeDelta::minutes(10) };
        let sealed = script.seal(&keys, id).unwrap();
        assert!(open_script(&keys, id, &sealed, now).unwrap().contains(">1, 2<"));
        let late = open_script(&keys, id, &sealed, now + TimeDelta::minutes(10)).unwrap();
        assert!(!late.contains("1, 2") && late.contains("<Say"), "{late}");
        assert_eq!(open_script(&keys, other, &sealed, now), None);
        assert_eq!(open_script(&MasterKeys::throw_away(), id, &sealed, now), None);
        for damaged in ["", "AAAA", &sealed[1..], &sealed.to_uppercase()] {
            assert_eq!(open_script(&keys, id, damaged, now), None, "{damaged}");
        }
    }
}
