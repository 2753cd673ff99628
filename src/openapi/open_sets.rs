//! Members whose values are an open set: they stay strings for generators, and what is known today is told in words.

use serde_json::Value;
use serde_json::json;

use crate::audit::EventKind;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::HINTS;
use crate::internal::Internal;

/// What a member calls its set by.
const EXTENSION: &str = "x-open-set";

/// Writes the known values into the description of every such member.
///
/// # Errors
/// A member names a set that does not exist.
pub(super) fn tell(document: &mut Value) -> Result<(), Internal> {
    match document {
        Value::Array(items) => items.iter_mut().try_for_each(tell),
        Value::Object(members) => {
            if let Some(set) = members.remove(EXTENSION) {
                let known = set.as_str().and_then(known);
                let known = known.ok_or_else(|| Internal::bug(format!("the open set {set} does not exist")))?;
                let words = members.get("description").and_then(Value::as_str).unwrap_or_default();
                let words = format!("{words} Known today: `{}`.", known.join("`, `"));
                members.insert("description".to_owned(), json!(words));
            }
            members.values_mut().try_for_each(tell)
        }
        _ => Ok(()),
    }
}

fn known(set: &str) -> Option<Vec<&'static str>> {
    Some(match set {
        "problems" => ErrorCode::ALL.iter().map(|code| code.code()).collect(),
        "faults" => FieldCode::ALL.iter().map(|code| code.code()).collect(),
        "hints" => HINTS.to_vec(),
        "events" => EventKind::ALL.iter().filter(|kind| kind.is_for_owners()).map(|kind| kind.name()).collect(),
        _ => return None,
    })
}
