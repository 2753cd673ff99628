//! An example for every body that has none, made of the examples of its members.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Schemas that refer to themselves end here.
const MAX_DEPTH: usize = 8;

/// Adds the examples.
pub(super) fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for (_, operation) in super::operations_mut(document) {
        let (body, responses): (Vec<_>, Vec<_>) =
            operation.as_object_mut().into_iter().flatten().partition(|(name, _)| *name == "requestBody");
        let responses = responses.into_iter().filter(|(name, _)| *name == "responses");
        let responses = responses.flat_map(|(_, all)| all.as_object_mut().into_iter().flatten().map(|(_, one)| one));
        for holder in body.into_iter().map(|(_, body)| body).chain(responses) {
            let contents = holder.get_mut("content").and_then(Value::as_object_mut);
            for (media_type, content) in contents.into_iter().flatten() {
                if media_type.contains("json") && content.get("example").is_none() && content.get("examples").is_none()
                {
                    content["example"] = example(&content["schema"], &schemas, 0);
                }
            }
        }
    }
}

fn example(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let own = ["example", "default", "const"].iter().find_map(|name| schema.get(*name)).cloned();
    let listed = ["examples", "enum"].iter().find_map(|name| schema.get(*name)?.get(0)).cloned();
    if let Some(example) = own.or(listed) {
        return example;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return if depth < MAX_DEPTH { example(&schemas[name], schemas, depth + 1) } else { json!({}) };
    }
    match schema["type"].as_str() {
        Some("object") => members(schema, schemas, depth),
        Some("array") => json!([example(&schema["items"], schemas, depth)]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("string") => json!(match schema["format"].as_str() {
            Some("uuid") => "01932c5e-7a10-7000-8000-000000000001",
            Some("date-time") => "2026-11-22T09:30:00Z",
            Some("uri") => "https://app.example.com/",
            _ => "text",
        }),
        _ => json!({}),
    }
}

/// What is required, and what is optional but has an example of its own.
fn members(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let shown = schema["properties"].as_object().into_iter().flatten().filter(|(name, member)| {
        required.iter().any(|known| known == name.as_str())
            || member.get("example").or(member.get("examples")).is_some()
    });
    Value::Object(shown.map(|(name, member)| (name.clone(), example(member, schemas, depth))).collect::<Map<_, _>>())
}
