//! What holds of every text that somebody else wrote, each property beside the parser that it is about.
//!
//! `cargo test` tries each on thousands of texts, `make fuzz` on as many as ten minutes hold (tests/fuzz). No part of
//! the service: it is compiled for these two alone.

pub use crate::accounts::identifier_property as identifier;
pub use crate::crypto::opaque_token_property as opaque_token;
pub use crate::crypto::stored_hash_property as stored_hash;
pub use crate::factors::code_property as code;
pub use crate::factors::credential_property as credential;
pub use crate::http::accept_property as accept;
pub use crate::http::cursor_property as cursor;
pub use crate::http::forwarded_property as forwarded;
pub use crate::http::json_property as json;
pub use crate::http::query_property as query;
pub use crate::imports::import_line_property as import_line;
pub use crate::sessions::refresh_token_property as refresh_token;
pub use crate::text::language_property as language;
pub use crate::tokens::access_token_property as access_token;

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::prop_oneof;
    use proptest::string::string_regex;
    use proptest::test_runner::Config;
    use proptest::test_runner::TestRunner;

    /// Tries a property on texts of any kind, and on those that are nearly right.
    fn holds(nearly: &str, property: impl Fn(&str)) {
        let texts = prop_oneof![any::<String>(), string_regex(nearly).unwrap()];
        let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
        let tried = TestRunner::new(config).run(&texts, |text| {
            property(&text);
            Ok(())
        });
        tried.unwrap_or_else(|counterexample| panic!("{counterexample}"));
    }

    #[test]
    fn identifiers() {
        holds(
            "[ 　]?[a-zA-Z.+ıſK＠ａ０太-]{0,20}[@＠]{0,2}[a-z0-9.。例ß-]{0,20}\\.(jp|JP|みんな|com|1)[ .]?",
            super::identifier,
        );
        holds("[+＋(]?[0-9０-９() .-]{0,20}", super::identifier);
    }

    #[test]
    fn opaque_tokens() {
        holds("(apl_)?[A-Za-z0-9_=-]{0,44}", super::opaque_token);
    }

    #[test]
    fn refresh_tokens() {
        holds("(srt_)?[A-Za-z0-9_=-]{0,6}", super::refresh_token);
    }

    #[test]
    fn access_tokens() {
        holds("[A-Za-z0-9_=.-]{0,6}", super::access_token);
    }

    #[test]
    fn cursors() {
        holds("[A-Za-z0-9_=-]{0,6}", super::cursor);
    }

    #[test]
    fn forwarded_headers() {
        holds(r#"((For|for|by)="?\[?[0-9a-f:.]{0,8}\]?\\?"?[,;] ?){0,3}"#, super::forwarded);
    }

    #[test]
    fn json() {
        holds(
            r#"\{("[ab]": ?(\[|\]|\{|null|-?1e?4?0?|"\\u[d0][8c]00"|"a\\u0000"|true),? ?){0,4}[\]\}]{0,3}"#,
            super::json,
        );
    }

    #[test]
    fn queries() {
        holds("([ab%&=+]|%[0-9a-fA-F]{2}){0,12}", super::query);
    }

    #[test]
    fn accept_headers() {
        holds(r"((text|\*|application)/(html|\*|json) ?(; ?[qQ]=(1|0|0\.5|-1|nan|inf|1e3|2))?, ?){0,4}", super::accept);
    }

    #[test]
    fn languages() {
        holds("((ja|en|JA-jp|x|\\*) ?(;q=(1|0|0.5|nan|-1|inf))?, ?){0,4}[！-～　]{0,3}", super::language);
    }

    #[test]
    fn codes() {
        holds("[0-9A-Za-z０-９ -]{0,24}", super::code);
    }

    /// The head of an attestation object and of its authenticator data, with the hash of the right rp id, then anything.
    #[test]
    fn credentials() {
        holds(
            "(a363666d74(646e6f6e65|667061636b6564|6374706d)6761747453746d74(a0|[0-9a-f]{2,40})6861757468446174615(8[0-9a-f]{2}|9[0-9a-f]{4})\
             (49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d9763)?[0-9a-f]{2,400})",
            super::credential,
        );
    }

    #[test]
    fn import_lines() {
        holds(
            r#"\{"external_id":"[a ]{0,2}","identifiers":\[(\{"kind":"(email|phone)","value":"([a-c]@[a-c]\.jp|\+8190123456[0-9]{2})"(,"primary":(true|false))?(,"verified_at":"20[0-9]{2}-01-0[0-9]T00:00:00Z")?\},?){0,2}\](,"legacy_login":"[a@.Ａ ]{0,4}")?(,"totp":\[\{"secret":"[A-Z2-7 =]{20,40}"\}\])?(,"password_hash":"[a-f0-9]{32}")?(,"roles":\["[a,]"\])?\}"#,
            super::import_line,
        );
    }

    #[test]
    fn stored_hashes() {
        holds(
            r"\$(2[abxy]|5|6|P|H|scrypt|fbscrypt|pbkdf2(-sha(256|512))?|wrapped)?\$((v=1,)?(ln|n|rounds)=[0-9]{1,10}(,r=[0-9]{1,10},p=[0-9]{1,10})?\$)?([0-9]{1,10}\$)?[A-Za-z0-9./=]{0,60}(\$[A-Za-z0-9./+=]{20,60})?",
            super::stored_hash,
        );
        holds(
            r"(\{(SSHA|SMD5|SHA|MD5|CRYPT|SSHA512)\}|(pbkdf2_sha256|pbkdf2_sha1|scrypt|bcrypt|bcrypt_sha256|md5|sha1)\$)?[0-9]{0,10}\$?[a-f0-9A-F.+/=]{0,88}(\$[0-9]{1,10}\$[0-9]{1,10})?(\$[A-Za-z0-9+/]{22,44}=?)?",
            super::stored_hash,
        );
        holds(
            r"\$argon2(id|i|d)\$(v=(16|19|99)\$)?m=[0-9]{1,7},t=[0-9]{1,4},p=[0-9]{1,4}\$[A-Za-z0-9+/]{10,30}\$[A-Za-z0-9+/]{10,50}",
            super::stored_hash,
        );
    }
}
