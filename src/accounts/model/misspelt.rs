//! Slips of the finger in addresses that are none.

use super::identifier::Identifier;
use crate::text::fold_width;

/// Domains that many people have their mailbox at.
const COMMON: [&str; 11] = [
    "gmail.com",
    "yahoo.co.jp",
    "docomo.ne.jp",
    "icloud.com",
    "outlook.com",
    "outlook.jp",
    "hotmail.com",
    "ezweb.ne.jp",
    "softbank.ne.jp",
    "i.softbank.jp",
    "au.com",
];
/// More slips than this make another domain.
const MAX_SLIPS: usize = 2;

/// The address that was probably meant by one that was refused, such as `taro@gmail` or `taro@gmail,com`.
pub(crate) fn probably_meant(typed: &str) -> Option<String> {
    let folded = fold_width(typed).to_ascii_lowercase();
    let (local, domain) = folded.trim().split_once('@').filter(|(_, domain)| domain.len() < 50)?;
    let slips = |known: &str| match known.strip_prefix(domain) {
        // Only the rest is missing.
        Some(rest) if rest.starts_with('.') => 0,
        _ => strsim::levenshtein(domain, known),
    };
    let nearest = COMMON.into_iter().min_by_key(|known| slips(known)).filter(|known| slips(known) <= MAX_SLIPS)?;
    Identifier::parse(&format!("{local}@{nearest}"), None).ok().map(|meant| meant.value().to_owned())
}

#[cfg(test)]
mod tests {
    use super::probably_meant;

    #[test]
    fn a_slip_at_a_common_domain_is_guessed_and_nothing_else() {
        for (typed, meant) in [
            ("Taro@gmail", Some("taro@gmail.com")),
            ("taro@gmail,com", Some("taro@gmail.com")),
            ("\u{FF54}aro\u{FF20}gmail.com.", Some("taro@gmail.com")),
            ("taro@@gmail.com", Some("taro@gmail.com")),
            ("taro@docomo", Some("taro@docomo.ne.jp")),
            ("taro@yaho.co,jp", Some("taro@yahoo.co.jp")),
            ("taro@au", Some("taro@au.com")),
            ("taro@outlook", Some("taro@outlook.com")),
            ("ta ro@gmail", None),
            ("@gmail", None),
            ("taro@b", None),
            ("taro@example..jp", None),
            ("taro", None),
            ("", None),
        ] {
            assert_eq!(probably_meant(typed).as_deref(), meant, "{typed}");
        }
    }
}
