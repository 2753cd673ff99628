//! A small judge of JSON by the schemas of the document; it refuses keywords that it does not know.

use serde_json::Value;

/// What the judge looks at, or need not.
const KNOWN: [&str; 19] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "format",
    "$ref",
    "description",
    "example",
    "examples",
    "default",
    "propertyNames",
    "title",
    "pattern",
];

/// Everything that is wrong with `value`, each with its place.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    judge(document, schema, value, "", &mut found);
    found
}

fn judge(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {name}"));
        return judge(document, target, value, place, found);
    }
    let keywords = schema.as_object().into_iter().flatten().map(|(name, _)| name);
    for keyword in keywords.filter(|name| !KNOWN.contains(&name.as_str()) && !name.starts_with("x-")) {
        found.push(format!("{place}: unknown keyword {keyword}"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("{place}: type {other}"),
        None => true,
    };
    if !fits {
        found.push(format!("{place}: {value} is not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        found.push(format!("{place}: {value} is not among {}", schema["enum"]));
    }
    judge_size(schema, value, place, found);
    judge_format(schema, value, place, found);
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        judge(document, &schema["items"], item, &format!("{place}/{index}"), found);
    }
    if value.is_object() {
        judge_members(document, schema, value, place, found);
    }
}

fn judge_size(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let length = value.as_str().map(|text| f64::from(u32::try_from(text.chars().count()).unwrap()));
    for (size, least, most) in [(value.as_f64(), "minimum", "maximum"), (length, "minLength", "maxLength")] {
        let Some(size) = size else { continue };
        if schema[least].as_f64().is_some_and(|bound| size < bound)
            || schema[most].as_f64().is_some_and(|bound| size > bound)
        {
            found.push(format!("{place}: {value} is out of range"));
        }
    }
}

fn judge_format(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let Some(text) = value.as_str() else { return };
    let fits = match schema["format"].as_str() {
        Some("uuid") => uuid::Uuid::parse_str(text).is_ok(),
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        Some("uri") => text.starts_with("https://") || text.starts_with("http://"),
        _ => true,
    };
    if !fits {
        found.push(format!("{place}: {value} is not a {}", schema["format"]));
    }
}

fn judge_members(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, member) in value.as_object().unwrap() {
        match schema["properties"].get(name) {
            Some(known) => judge(document, known, member, &format!("{place}/{name}"), found),
            None if schema["additionalProperties"] == false => found.push(format!("{place}: {name} is not a member")),
            None => {}
        }
    }
}

/// The judge is itself judged.
#[test]
fn a_wrong_value_is_found() {
    use serde_json::json;
    let document = json!({ "s": { "type": "object", "required": ["a"], "additionalProperties": false, "properties": {
        "a": { "type": "integer", "minimum": 1 }, "b": { "type": "array", "items": { "type": "string", "enum": ["x"] } },
        "c": { "type": "string", "format": "uuid", "maxLength": 36 },
    } } });
    let count = |value: Value| faults(&document, &json!({ "$ref": "#/s" }), &value).len();
    assert_eq!(count(json!({ "a": 1, "b": ["x"], "c": "01932c5e-7a10-7000-8000-000000000001" })), 0);
    for wrong in [
        json!([]),
        json!({}),
        json!({ "a": 0 }),
        json!({ "a": "1" }),
        json!({ "a": 1, "b": ["y"] }),
        json!({ "a": 1, "z": 1 }),
        json!({ "a": 1, "c": "x" }),
        json!({ "a": null }),
    ] {
        assert!(count(wrong.clone()) > 0, "{wrong}");
    }
    assert_eq!(faults(&document, &json!({ "oneOf": [] }), &json!(1)).len(), 1);
}
