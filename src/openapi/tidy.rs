//! Removes what client generators stumble over, and closes the bodies that the server closes.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use crate::internal::Internal;

const ALTERNATIVES: [&str; 3] = ["oneOf", "anyOf", "allOf"];

/// Tidies the whole document.
///
/// # Errors
/// A schema is a choice of several, which client generators cannot handle.
pub(super) fn tidy(document: &mut Value) -> Result<(), Internal> {
    remove_null(document);
    close_request_bodies(document);
    match leftover(document) {
        Some(name) => Err(Internal::bug(format!("the document keeps an {name}: write the schema flat"))),
        None => Ok(()),
    }
}

fn leftover(value: &Value) -> Option<&'static str> {
    match value {
        Value::Array(items) => items.iter().find_map(leftover),
        Value::Object(members) => {
            let own = ALTERNATIVES.into_iter().find(|name| members.contains_key(*name));
            own.or_else(|| members.values().find_map(leftover))
        }
        _ => None,
    }
}

fn remove_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        Value::Object(_) => {
            remove_null_type(value);
            for name in ALTERNATIVES {
                unwrap_alternative(value, name);
            }
            value.as_object_mut().into_iter().flatten().for_each(|(_, member)| remove_null(member));
        }
        _ => {}
    }
}

fn remove_null_type(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
}

/// A choice of one is no choice: its members move up. Beside it may stand null, and the words and the `object`
/// that utoipa adds to a schema that is described once more where it is used.
fn unwrap_alternative(schema: &mut Value, name: &str) {
    let Some(choices) = schema.get_mut(name).and_then(Value::as_array_mut) else { return };
    choices.retain(|choice| choice["type"] != "null");
    let (mut schemas, words): (Vec<Value>, Vec<Value>) =
        std::mem::take(choices).into_iter().partition(|choice| !only_words(choice));
    let (Some(Value::Object(only)), true) = (schemas.pop(), schemas.is_empty()) else { return };
    let Some(members) = schema.as_object_mut() else { return };
    members.remove(name);
    let description = words.iter().find_map(|words| words.get("description")).cloned();
    for (key, member) in description.map(|words| ("description".to_owned(), words)).into_iter().chain(only) {
        members.entry(key).or_insert(member);
    }
    remove_null_type(schema);
}

fn only_words(choice: &Value) -> bool {
    choice.as_object().is_some_and(|members| {
        members.iter().all(|(key, member)| key == "description" || (key == "type" && member == "object"))
    })
}

/// Unknown members of a body are refused, so the document says so too; answers stay open for new members.
fn close_request_bodies(document: &mut Value) {
    let mut waiting: Vec<String> = Vec::new();
    for (_, operation) in super::operations(document) {
        references(&operation["requestBody"], &mut waiting);
    }
    let mut closed = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        let Some(schema) = document["components"]["schemas"].get_mut(&name) else { continue };
        if closed.insert(name) {
            references(schema, &mut waiting);
            close(schema);
        }
    }
}

fn close(schema: &mut Value) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema["additionalProperties"] = json!(false);
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(members) => members.values_mut().for_each(close),
        _ => {}
    }
}

fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
                names.push(name.to_owned());
            }
            members.values().for_each(|member| references(member, names));
        }
        _ => {}
    }
}
