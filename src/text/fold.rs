//! Characters that are not what they seem: full-width forms, as Japanese keyboards produce them, and unseen ones.

/// Folds U+FF01–FF5E (`！`–`～`, `＠` and `．` among them) and U+3000 to ASCII, and nothing else.
///
/// For addresses, numbers and codes; never for passwords or names.
pub fn fold_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

/// Whether a character shows nothing, or turns the order of others: controls, soft hyphen, zero-width and bidirectional
/// marks, line and paragraph separators, tags. No name or address needs one.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::fold_width;

    #[test]
    fn only_the_full_width_forms_of_ascii_are_folded() {
        assert_eq!(fold_width("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ　１２３"), "taro@example.jp 123");
        for kept in ["ﾀﾛｳ", "太郎", "K", "ı", "٣", "｟"] {
            assert_eq!(fold_width(kept), kept);
        }
    }
}
