//! Lists in pages: `?limit=&cursor=`, newest first.
//!
//! Every listed thing has a UUID version 7, so the last id shown is the place to go on from. The cursor carries it with
//! a keyed digest over the id and the name of the list (which names its owner, `sessions/<account id>`): a
//! cursor that was made up, damaged or taken from another list is 400 `invalid_cursor`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::Error;
use serde::de::Unexpected;
use serde::de::Visitor;
use utoipa::IntoParams;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::http::error_code::ErrorCode;
use crate::http::error_code::FieldCode;
use crate::http::problem::Problem;

const DEFAULT_LIMIT: u8 = 20;
const MAX_LIMIT: u8 = 100;
const UUID_BYTES: usize = 16;

/// The parameters of a list without others: `Query<Page>`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many entries, at most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A limit from 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u8);

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items<T> {
    /// The entries, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Page {
    /// For lists that have other parameters as well.
    pub fn new(limit: Option<Limit>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    fn limit(&self) -> u8 {
        self.limit.map_or(DEFAULT_LIMIT, |limit| limit.0)
    }

    /// How many rows to fetch: one more than is shown tells whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit()) + 1
    }

    /// The id to go on after (`id < after`), if this is not the first page.
    ///
    /// # Errors
    /// 400 `invalid_cursor`.
    pub fn after(&self, keys: &MasterKeys, list: &str) -> Result<Option<Uuid>, Problem> {
        self.cursor.as_deref().map(|cursor| open(keys, list, cursor).ok_or_else(refused)).transpose()
    }

    /// Makes a page of up to [`Page::rows`] rows.
    pub fn fill<T>(&self, mut rows: Vec<T>, keys: &MasterKeys, list: &str, id: impl Fn(&T) -> Uuid) -> Items<T> {
        let limit = usize::from(self.limit());
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| cursor_behind(keys, list, id(row)));
        Items { items: rows, next_cursor }
    }
}

fn refused() -> Problem {
    Problem::new(ErrorCode::InvalidCursor).parameter_fault("cursor", FieldCode::InvalidFormat)
}

/// Where a list goes on behind this id.
pub fn cursor_behind(keys: &MasterKeys, list: &str, shown: Uuid) -> String {
    let mut cursor = shown.as_bytes().to_vec();
    cursor.extend_from_slice(&keys.mac(MacPurpose::Cursor, &[list.as_bytes(), shown.as_bytes()]));
    URL_SAFE_NO_PAD.encode(cursor)
}

fn open(keys: &MasterKeys, list: &str, cursor: &str) -> Option<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (shown, mac) = bytes.split_at_checked(UUID_BYTES)?;
    let genuine = keys.verify_mac(MacPurpose::Cursor, &[list.as_bytes(), shown], mac);
    Uuid::from_slice(shown).ok().filter(|_| genuine)
}

/// A cursor in which anything was changed leads nowhere.
#[cfg(any(test, fuzzing))]
pub fn cursor_property(text: &str) {
    let keys = MasterKeys::throw_away();
    let shown = Uuid::from_u128(7);
    let good = cursor_behind(&keys, "sessions/1", shown);
    assert_eq!(open(&keys, "sessions/1", &good), Some(shown));
    assert_eq!(open(&keys, text, &good).is_some(), text == "sessions/1");
    for read in crate::crypto::damaged(&good, text) {
        assert_eq!(open(&keys, "sessions/1", &read), None, "{read}");
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(LimitVisitor)
    }
}

struct LimitVisitor;

impl Visitor<'_> for LimitVisitor {
    type Value = Limit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 1 to 100")
    }

    fn visit_u64<E: Error>(self, limit: u64) -> Result<Limit, E> {
        let valid = u8::try_from(limit).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        valid.map(Limit).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(limit), &self))
    }

    fn visit_i64<E: Error>(self, limit: i64) -> Result<Limit, E> {
        Err(E::invalid_value(Unexpected::Signed(limit), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::query;

    #[test]
    fn pages_follow_each_other_and_end() {
        let keys = MasterKeys::throw_away();
        let ids: Vec<Uuid> = (0..5).rev().map(Uuid::from_u128).collect();
        let mut page = Page::new(Some(Limit(2)), None);
        let mut seen = Vec::new();
        loop {
            let after = page.after(&keys, "x/1").unwrap();
            let rows = ids.iter().copied().filter(|id| after.is_none_or(|after| *id < after)).take(3).collect();
            let items = page.fill(rows, &keys, "x/1", |id| *id);
            seen.extend(items.items);
            let Some(cursor) = items.next_cursor else { break };
            assert!(Page::new(None, Some(cursor.clone())).after(&keys, "x/2").is_err());
            page.cursor = Some(cursor);
        }
        assert_eq!(seen, ids);
        for cursor in ["", "AAAA", "****", &URL_SAFE_NO_PAD.encode([0; 48])] {
            let refusal = Page::new(None, Some(cursor.to_owned())).after(&keys, "x/1").unwrap_err();
            assert_eq!(refusal.code(), ErrorCode::InvalidCursor);
        }
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        for query in ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=300"] {
            assert_eq!(query::parse::<Page>(query).unwrap_err().code(), ErrorCode::InvalidFields, "{query}");
        }
        assert_eq!(query::parse::<Page>("limit=100").unwrap().rows(), 101);
        assert_eq!(query::parse::<Page>("").unwrap().rows(), 21);
    }
}
