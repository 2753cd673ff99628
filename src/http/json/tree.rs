//! From text to a tree, by `serde_json`'s parser, with stricter rules than its own.
//!
//! The way to the value under way is kept while parsing, so that also a fault of the parser itself (half of a
//! surrogate pair, a missing bracket) is told with its place. The parser's message is never used.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use super::JsonFault;
use super::Segment;
use crate::http::error_code::FieldCode;

/// The member that holds what a browser or a library made, in whose members `null` counts as absent.
const CREDENTIAL: &str = "credential";

/// Bodies nested deeper than this are refused.
const MAX_DEPTH: usize = 32;

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    Text(String),
    /// A query parameter: text that may stand for a number or a truth value.
    Parameter(String),
    List(Vec<Node>),
    Members(Vec<(String, Node)>),
}

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Node, JsonFault> {
    let progress = Progress::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    let parsed = Seed(&progress).deserialize(&mut parser).and_then(|node| parser.end().map(|()| node));
    let parsed = parsed.map_err(|_| {
        let code = progress.fault.take().unwrap_or(FieldCode::Malformed);
        progress.path.take().into_iter().rev().fold(JsonFault::new(code), JsonFault::at)
    });
    parsed?.ok_or_else(|| JsonFault::new(FieldCode::NullNotAllowed))
}

#[derive(Default)]
struct Progress {
    /// The way to the value being read; left as it is when a fault ends the parsing.
    path: RefCell<Vec<Segment>>,
    /// A fault that is ours and not the parser's.
    fault: RefCell<Option<FieldCode>>,
}

impl Progress {
    fn refuse<E: Error>(&self, code: FieldCode) -> E {
        *self.fault.borrow_mut() = Some(code);
        E::custom("refused")
    }

    fn enter<E: Error>(&self, segment: Segment) -> Result<(), E> {
        let depth = {
            let mut path = self.path.borrow_mut();
            path.push(segment);
            path.len()
        };
        if depth > MAX_DEPTH { Err(self.refuse(FieldCode::TooDeep)) } else { Ok(()) }
    }

    fn leave(&self) {
        self.path.borrow_mut().pop();
    }

    /// Whether the value under way is a member of something inside of a credential.
    fn is_in_credential(&self) -> bool {
        let path = self.path.borrow();
        let is_member = |segment: Option<&Segment>| matches!(segment, Some(Segment::Member(_)));
        path.len() > 1 && path[0] == Segment::Member(CREDENTIAL.to_owned()) && is_member(path.last())
    }
}

/// Reads a value; none where `null` counts as absent.
struct Seed<'a>(&'a Progress);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Option<Node>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Option<Node>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Option<Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<Node>, E> {
        Ok(Some(Node::Bool(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Node>, E> {
        Ok(Some(Node::Unsigned(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Node>, E> {
        Ok(Some(Node::Negative(value)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<Node>, E> {
        Ok(Some(Node::Float(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Node>, E> {
        if self.0.is_in_credential() { Ok(None) } else { Err(self.0.refuse(FieldCode::NullNotAllowed)) }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<Node>, E> {
        if value.contains('\0') {
            return Err(self.0.refuse(FieldCode::Malformed));
        }
        Ok(Some(Node::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Node>, A::Error> {
        let mut list = Vec::new();
        self.0.enter(Segment::Item(0))?;
        while let Some(item) = items.next_element_seed(Seed(self.0))? {
            list.extend(item);
            self.0.leave();
            self.0.enter(Segment::Item(list.len()))?;
        }
        self.0.leave();
        Ok(Some(Node::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Node>, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.0.enter(Segment::Member(name.clone()))?;
            if name.contains('\0') {
                return Err(self.0.refuse(FieldCode::Malformed));
            }
            if !names.insert(name.clone()) {
                return Err(self.0.refuse(FieldCode::Duplicate));
            }
            let value = entries.next_value_seed(Seed(self.0))?;
            members.extend(value.map(|value| (name, value)));
            self.0.leave();
        }
        Ok(Some(Node::Members(members)))
    }
}
