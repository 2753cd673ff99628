//! The numbers are those of the security checklist.

use std::fmt::Write;

use strum::VariantArray;

use crate::clock::Stopwatch;
use crate::crypto;
use crate::text;

use super::*;

const HANAKO: PasswordContext<'static> = PasswordContext {
    identifiers: &["hanako.tanaka@mail.shueisha.example.jp", "+819012345678"],
    display_name: Some("田中 花子"),
};

fn policy() -> PasswordPolicy {
    PasswordPolicy::new("Portal Sakura", None).expect("no file to open")
}

fn faults(candidate: &str, context: PasswordContext<'_>) -> Vec<FieldCode> {
    match policy().accept(candidate, context) {
        Ok(_) => Vec::new(),
        Err(PasswordRefusal::Faults(faults)) => faults,
        Err(PasswordRefusal::Internal(internal)) => panic!("{internal}"),
    }
}

fn is_accepted(candidate: &str) -> bool {
    faults(candidate, PasswordContext::default()).is_empty()
}

/// security.md 10 (ASVS 6.2.1): seven code points are refused, eight accepted, whatever their width.
#[test]
fn length_is_counted_in_code_points() {
    for eight in ["zq8-vKp2", "        ", "😀😁😂🤣😃😄😅😆", "😀😀😀😀😀😀😀😀", "東の道は山の中だ"]
    {
        assert!(is_accepted(eight), "{eight}");
        let seven: String = eight.chars().take(7).collect();
        assert_eq!(faults(&seven, PasswordContext::default()), [FieldCode::PasswordTooShort], "{eight}");
    }
    // Eight that are four once composed, as they are hashed.
    assert_eq!(faults(&"e\u{301}".repeat(4), PasswordContext::default()), [FieldCode::PasswordTooShort]);
}

/// security.md 11 (ASVS 6.2.9): 64 and 128 characters with spaces and Unicode are accepted, 129 are not.
#[test]
fn long_passwords_are_accepted_up_to_a_bound() {
    let long: String = "a phrase of my own 関所 é 😀 ".chars().cycle().take(128).collect();
    assert!(is_accepted(&long));
    assert!(is_accepted(&long.chars().take(64).collect::<String>()));
    assert_eq!(faults(&format!("{long}!"), PasswordContext::default()), [FieldCode::PasswordTooLong]);
    assert!(!policy().check(&"x".repeat(1 << 20), PasswordContext::default()).unwrap().acceptable);
}

/// security.md 12 (ASVS 6.2.8): nothing is trimmed, cut or brought to one case.
#[test]
fn the_whole_password_counts() {
    let long = format!("  {}Z  ", "mixed Case ".repeat(7));
    assert_eq!(policy().accept(&long, PasswordContext::default()).ok().unwrap().normalised().expose(), long);
}

/// 13 (NIST, NFKC): two ways to type a letter are one password.
#[test]
fn a_password_is_normalised() {
    let secret =
        |text| policy().accept(text, PasswordContext::default()).ok().unwrap().normalised().expose().to_owned();
    assert_eq!(secret("caf\u{e9} au lait"), secret("cafe\u{301} au lait"));
}

/// security.md 14 (ASVS 6.2.4): the commonest are refused, whatever their case and width.
#[test]
fn common_passwords_are_refused() {
    for common in ["password1", "PassWord1", "ｐａｓｓｗｏｒｄ１", "123456789", "qwertyuiop", "iloveyou", "1q2w3e4r5t"]
    {
        assert_eq!(faults(common, PasswordContext::default()), [FieldCode::PasswordTooCommon], "{common}");
    }
    assert!(is_accepted("password1 is only a part of this"));
}

/// security.md 14 (ASVS 6.2.11): what rests on the person's or the service's name is refused, a phrase that has it is not.
#[test]
fn passwords_that_rest_on_known_words_are_refused() {
    for known in [
        "hanako.tanaka@mail.shueisha.example.jp",
        "Hanako1990",
        "t.a.n.a.k.a-2026",
        "Shueisha!!!!!!!!!!",
        "tanaka-password1",
        "09012345678",
        "+81 90-1234-5678",
        "田中花子田中花子",
        "sekisho123",
        "Sekisho2026!",
        "sakura-portal",
    ] {
        assert!(faults(known, HANAKO).contains(&FieldCode::PasswordContainsContext), "{known}");
    }
    for phrase in ["tanaka buys nine green lamps", "the portal to winter 2044", "zq8-vKp2"] {
        assert!(faults(phrase, HANAKO).is_empty(), "{phrase}");
    }
    assert!(is_accepted("hanako1990"), "without the address it is no context");
}

/// 3: passwords refuse control characters and nothing else.
#[test]
fn control_characters_are_refused_and_nothing_else_is() {
    for control in ['\0', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}', '\n', '\t'] {
        assert_eq!(faults(&format!("zq8-vKp2{control}"), PasswordContext::default()), [FieldCode::InvalidCharacters]);
    }
    for odd in ['\u{202e}', '\u{200b}', '\u{feff}', '\u{e000}', '\u{10ffff}', ' '] {
        assert!(is_accepted(&format!("zq8-vKp2{odd}")), "{odd:?}");
    }
}

/// security.md 15 (ASVS 6.2.5): a phrase of twenty small letters is accepted, whatever its score.
#[test]
fn there_are_no_rules_of_composition() {
    assert!(is_accepted("mellowotterspaintsky"));
    assert!(is_accepted("aaaaaaaaaabbbbbbbbbb"));
    let report = policy().check("aaaaaaaaaabbbbbbbbbb", PasswordContext::default()).unwrap();
    assert!(report.acceptable && report.score < 3, "{report:?}");
}

#[test]
fn the_report_explains_and_scores() {
    let report = policy().check("password1", PasswordContext::default()).unwrap();
    assert_eq!((report.acceptable, report.score), (false, 0));
    assert_eq!(
        report.suggestions,
        [Suggestion::LongerIsStronger, Suggestion::AvoidCommonPasswords, Suggestion::AddMoreWords]
    );
    let report = policy().check("mellow otters paint the sky", PasswordContext::default()).unwrap();
    assert_eq!(report, PasswordReport { acceptable: true, score: 4, faults: vec![], suggestions: vec![] });
    assert_eq!(policy().check("", PasswordContext::default()).unwrap().faults, [FieldCode::PasswordTooShort]);
}

#[test]
fn every_suggestion_has_its_text() {
    for suggestion in Suggestion::VARIANTS {
        let id = format!("password-suggestion-{}", suggestion.code().replace('_', "-"));
        assert!(text::find(text::Language::DEFAULT, &id, &[]).is_some(), "{id}");
    }
}

/// 17: what is made to be slow to estimate is not.
#[test]
fn a_hostile_candidate_is_bounded() {
    let policy = policy();
    let watch = Stopwatch::start();
    policy.check(&"4@8({[<3!1|05$7+%2".repeat(7), HANAKO).unwrap();
    // A build without optimisation is some twenty times slower than what runs in production.
    assert!(watch.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn the_compiled_in_list_is_in_the_form_that_is_compared() {
    let list = include_str!("common_passwords.txt");
    assert!(list.lines().count() > 8_000);
    for line in list.lines() {
        let normal = NormalisedPassword::for_verification(line).unwrap();
        assert!(normal.code_points() >= MIN_PASSWORD_CODE_POINTS && normal.expose().to_lowercase() == line, "{line}");
    }
}

/// A list on disk, removed with its owner.
struct ListFile(std::path::PathBuf);

impl ListFile {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir()
            .join(format!("sekisho-breached-{}", data_encoding::HEXLOWER.encode(&crypto::random_bytes::<8>())));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn policy(&self) -> Result<PasswordPolicy, BreachedFileError> {
        PasswordPolicy::new("", Some(&self.0))
    }
}

impl Drop for ListFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn sha1_lines(passwords: impl Iterator<Item = String>) -> Vec<String> {
    let sha1 = |text: String| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let mut lines: Vec<_> = passwords.map(|text| data_encoding::HEXUPPER.encode(sha1(text).as_ref())).collect();
    lines.sort();
    lines
}

/// security.md 14 (ASVS 6.2.12): every entry of the operator's list is found, in every form such a list has, and nothing else.
#[test]
fn breached_passwords_are_refused() {
    let breached = |n: usize| format!("breached phrase {n}");
    for count in [1, 2, 3, 500] {
        for (separator, with_counts, ended) in
            [("\n", true, true), ("\r\n", true, false), ("\n", false, false), ("\r\n", false, true)]
        {
            let mut text = String::new();
            for (n, line) in sha1_lines((0..count).map(breached)).iter().enumerate() {
                let number = if with_counts { format!(":{}", n * n * 977) } else { String::new() };
                write!(text, "{line}{number}{separator}").unwrap();
            }
            let file = ListFile::new(if ended { &text } else { text.trim_end() });
            let policy = file.policy().unwrap();
            for n in 0..count {
                let report = policy.accept(&breached(n), PasswordContext::default());
                assert!(
                    matches!(report, Err(PasswordRefusal::Faults(faults)) if faults == [FieldCode::PasswordBreached]),
                    "{n} of {count}"
                );
                assert!(policy.accept(&breached(n + count), PasswordContext::default()).is_ok());
            }
        }
    }
}

#[test]
fn a_file_that_is_no_sorted_list_is_refused_at_the_start() {
    let mut lines = sha1_lines((0..100).map(|n| n.to_string()));
    lines.reverse();
    let digest = &lines[0];
    for text in [
        "",
        "password1\n",
        &lines.join("\n"),
        &digest.to_lowercase(),
        &format!("{digest}{}", "1".repeat(200)),
        &format!("{digest}x\n"),
    ] {
        assert!(ListFile::new(text).policy().is_err(), "{text}");
    }
    assert!(PasswordPolicy::new("", Some(Path::new("/nowhere/list"))).is_err());
}
