//! Everything the service says to people, by language.
//!
//! Each file `languages/<tag>.ftl` (Fluent) is a language; adding a file adds the language and touches no code.
//! English is the language of last resort: a text that another file lacks is taken from it.

mod fold;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::FluentArgs;
use fluent_bundle::FluentResource;
use fluent_bundle::FluentValue;
use fluent_bundle::concurrent::FluentBundle;
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

pub use fold::fold_width;
pub use fold::is_unseen;

/// The language of last resort.
const DEFAULT: &str = "en";

#[derive(RustEmbed)]
#[folder = "src/text/languages"]
#[include = "*.ftl"]
struct Files;

static BUNDLES: LazyLock<BTreeMap<String, FluentBundle<FluentResource>>> = LazyLock::new(|| {
    Files::iter().filter_map(|name| Some((name.strip_suffix(".ftl")?.to_owned(), bundle(&name)?))).collect()
});

fn bundle(name: &str) -> Option<FluentBundle<FluentResource>> {
    let text = String::from_utf8(Files::get(name)?.data.into_owned()).ok()?;
    let language: LanguageIdentifier = name.strip_suffix(".ftl")?.parse().ok()?;
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks would end up inside codes and links.
    bundle.set_use_isolating(false);
    // A faulty entry is left out and its language falls back; a test reads every file strictly.
    let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource(resource).ok()?;
    Some(bundle)
}

/// A language that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(&'static str);

impl Language {
    /// The language of last resort.
    pub const DEFAULT: Self = Self(DEFAULT);

    /// All languages, in the order of their tags.
    pub fn all() -> impl Iterator<Item = Self> {
        BUNDLES.keys().map(|tag| Self(tag))
    }

    /// The language with exactly this tag, or with its primary subtag (`ja-JP` → `ja`).
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?.to_ascii_lowercase();
        BUNDLES.get_key_value(&primary).map(|(tag, _)| Self(tag))
    }

    /// The language that was written down for somebody; English when it is not spoken any more.
    pub fn of(tag: &str) -> Self {
        Self::parse(tag).unwrap_or(Self::DEFAULT)
    }

    /// The best language for an `Accept-Language` header (RFC 9110 §12.5.4); English when none fits.
    pub fn negotiate(header: &str) -> Self {
        let mut wishes: Vec<(f32, &str)> = header.split(',').take(20).filter_map(wish).collect();
        // The sort is stable: of equal weights the first one named wins.
        wishes.sort_by(|a, b| b.0.total_cmp(&a.0));
        wishes.iter().find_map(|(_, tag)| Self::parse(tag)).unwrap_or(Self::DEFAULT)
    }

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        self.0
    }
}

fn wish(item: &str) -> Option<(f32, &str)> {
    let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok().filter(|q| *q > 0.0 && *q <= 1.0)?;
    Some((weight, tag.trim()))
}

/// The values that a text is filled with.
pub type Args<'a> = [(&'a str, &'a str)];

/// The text `id` (or `id.attribute`) in `language`; the id itself when no language has it, which a test refuses.
pub fn text(language: Language, id: &str, args: &Args<'_>) -> String {
    find(language, id, args).unwrap_or_else(|| id.to_owned())
}

/// The same, or `None` when no language has it.
pub fn find(language: Language, id: &str, args: &Args<'_>) -> Option<String> {
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set(*name, FluentValue::from(*value));
    }
    let (message, attribute) = id.split_once('.').map_or((id, None), |(message, attribute)| (message, Some(attribute)));
    [language.tag(), DEFAULT].iter().find_map(|tag| {
        let bundle = BUNDLES.get(*tag)?;
        let message = bundle.get_message(message)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        Some(bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned())
    })
}

/// A text as HTML and XML write it, in elements and attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whatever is asked for, the answer is a language that is spoken, and folding lengthens nothing and is done once.
#[cfg(any(test, fuzzing))]
pub fn language_property(text: &str) {
    assert!(Language::all().any(|language| language == Language::negotiate(text)), "{text}");
    let folded = fold_width(text);
    assert!(folded.len() <= text.len() && fold_width(&folded) == folded, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_valid_fluent() {
        for name in Files::iter() {
            let text = String::from_utf8(Files::get(&name).unwrap().data.into_owned()).unwrap();
            if let Err((_, errors)) = FluentResource::try_new(text) {
                panic!("{name}: {errors:?}");
            }
        }
        assert!(Language::all().any(|language| language == Language::DEFAULT));
    }

    #[test]
    fn a_language_is_negotiated_and_english_is_the_last_resort() {
        for header in ["", "fr", "xx;q=1, en;q=0.1", "en-GB", "*", "en;q=nonsense", ",,,;;;"] {
            assert_eq!(Language::negotiate(header), Language::DEFAULT, "{header}");
        }
    }

    #[test]
    fn a_missing_text_shows_its_id() {
        assert_eq!(text(Language::DEFAULT, "no-such-text", &[]), "no-such-text");
        assert_eq!(find(Language::DEFAULT, "no-such-text", &[]), None);
    }
}
