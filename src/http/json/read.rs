//! From a tree to a type.

use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::EnumAccess;
use serde::de::Error;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::VariantAccess;
use serde::de::Visitor;
use serde::de::value::StringDeserializer;
use serde::forward_to_deserialize_any;

use super::JsonFault;
use super::Node;
use super::Segment;
use crate::http::error_code::FieldCode;
use crate::text::is_unseen;

/// Members whose characters are judged by the password policy alone.
const PASSWORDS: [&str; 3] = ["password", "new_password", "current_password"];

/// Reads a tree as a `T`.
pub(crate) fn read<T: DeserializeOwned>(node: Node) -> Result<T, JsonFault> {
    T::deserialize(Reader { node, any_character: false })
}

struct Reader {
    node: Node,
    any_character: bool,
}

impl Reader {
    fn wrong_type(&self) -> JsonFault {
        // A parameter is text whatever it stands for: its type cannot be wrong, only its form.
        JsonFault::new(if matches!(self.node, Node::Parameter(_)) {
            FieldCode::InvalidFormat
        } else {
            FieldCode::WrongType
        })
    }

    fn text(self) -> Result<String, JsonFault> {
        match self.node {
            Node::Text(text) | Node::Parameter(text) if self.any_character || !text.contains(is_unseen) => Ok(text),
            Node::Text(_) | Node::Parameter(_) => Err(JsonFault::new(FieldCode::InvalidCharacters)),
            _ => Err(self.wrong_type()),
        }
    }

    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        visitor.visit_string(self.text()?)
    }

    /// JSON has one kind of number: 5.0 is a whole one.
    fn visit_whole_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        let digits = match &self.node {
            Node::Unsigned(number) => return visitor.visit_u64(*number),
            Node::Negative(number) => return visitor.visit_i64(*number),
            Node::Float(number) if number.fract() == 0.0 => format!("{number:.0}"),
            Node::Parameter(text) if is_whole_number(text) => text.clone(),
            _ => return Err(self.wrong_type()),
        };
        if let Ok(number) = digits.parse() {
            return visitor.visit_u64(number);
        }
        visitor.visit_i64(digits.parse().map_err(|_| JsonFault::new(FieldCode::OutOfRange))?)
    }

    fn visit_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        match &self.node {
            Node::Float(number) => visitor.visit_f64(*number),
            Node::Parameter(text) => visitor.visit_f64(
                text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| self.wrong_type())?,
            ),
            _ => self.visit_whole_number(visitor),
        }
    }

    fn visit_bool<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        match &self.node {
            Node::Bool(flag) => visitor.visit_bool(*flag),
            Node::Parameter(text) => visitor.visit_bool(text.parse().map_err(|_| self.wrong_type())?),
            _ => Err(self.wrong_type()),
        }
    }
}

fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

macro_rules! forward {
    ($visit:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
            self.$visit(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader {
    type Error = JsonFault;

    forward! { visit_whole_number: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 }
    forward! { visit_number: deserialize_f32 deserialize_f64 }
    forward! { visit_bool: deserialize_bool }
    forward! { visit_text: deserialize_str deserialize_string deserialize_char deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        match self.node {
            Node::Bool(flag) => visitor.visit_bool(flag),
            Node::Unsigned(number) => visitor.visit_u64(number),
            Node::Negative(number) => visitor.visit_i64(number),
            Node::Float(number) => visitor.visit_f64(number),
            Node::Text(_) | Node::Parameter(_) => self.visit_text(visitor),
            Node::List(items) => visitor.visit_seq(Items { items: items.into_iter(), next: 0 }),
            Node::Members(members) => visitor.visit_map(Members { members: members.into_iter(), value: None }),
        }
    }

    /// `null` was refused before, so whatever is there is something.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, JsonFault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonFault> {
        let Node::Members(members) = &self.node else { return Err(self.wrong_type()) };
        match members.iter().find(|(name, _)| !fields.contains(&name.as_str())) {
            Some((name, _)) => Err(JsonFault::unknown_field(name, fields)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonFault> {
        visitor.visit_enum(Variant(self.text()?))
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct seq tuple tuple_struct map ignored_any }
}

struct Items {
    items: std::vec::IntoIter<Node>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = JsonFault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, JsonFault> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Reader { node, any_character: false })
            .map(Some)
            .map_err(|fault| fault.at(Segment::Item(index)))
    }
}

struct Members {
    members: std::vec::IntoIter<(String, Node)>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = JsonFault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonFault> {
        let Some((name, node)) = self.members.next() else { return Ok(None) };
        let key: StringDeserializer<JsonFault> = name.clone().into_deserializer();
        self.value = Some((name, node));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonFault> {
        let (name, node) = self.value.take().ok_or_else(|| JsonFault::new(FieldCode::Malformed))?;
        let any_character = PASSWORDS.contains(&name.as_str());
        seed.deserialize(Reader { node, any_character }).map_err(|fault| fault.at(Segment::Member(name)))
    }
}

/// Enums of bodies are plain words.
struct Variant(String);

impl<'de> EnumAccess<'de> for Variant {
    type Error = JsonFault;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), JsonFault> {
        let name: StringDeserializer<JsonFault> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = JsonFault;

    fn unit_variant(self) -> Result<(), JsonFault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, JsonFault> {
        Err(JsonFault::new(FieldCode::WrongType))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, JsonFault> {
        Err(JsonFault::new(FieldCode::WrongType))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, JsonFault> {
        Err(JsonFault::new(FieldCode::WrongType))
    }
}
