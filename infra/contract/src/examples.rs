//! Examples: requests and answers that were seen in the tests, by operation. `examples` of the command takes them from a
//! record of a test run; a test holds them to the schemas.

use super::{ContractError, document, root};
use qutab::http::Group;
use serde_json::{Map, Value, json};
use std::path::Path;

const FILE: &str = "infra/contract/examples.json";
/// Longer ones show nothing more.
const MOST: usize = 6_000;

pub fn kept() -> Result<Value, ContractError> {
    let path = root().join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|e| ContractError::File(path.clone(), e))?;
    serde_json::from_str(&text).map_err(|e| ContractError::Json(path, e))
}

/// Puts the examples of an operation beside its schemas.
pub fn show(operation: &mut Value, examples: &Value) {
    if let Some(example) = examples.get("request")
        && let Some(body) = operation.pointer_mut("/requestBody/content/application~1json")
    {
        body["example"] = example.clone();
    }
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        if let Some(body) = answer.pointer_mut("/content/application~1json")
            && let Some(example) = examples.get(status)
        {
            body["example"] = example.clone();
        }
    }
}

/// Chooses examples from a record of exchanges (a JSON object a line, as `QUTAB_RECORD` writes them) and keeps them.
/// For each operation and status it is the one with the most to see.
pub fn choose(groups: &[Group], record: &Path) -> Result<(), ContractError> {
    let text = std::fs::read_to_string(record).map_err(|e| ContractError::File(record.into(), e))?;
    let document = document(groups)?;
    let mut chosen: Map<String, Value> = Map::new();
    for line in text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
        let (Some(route), Some(method), Some(status)) = (line["route"].as_str(), line["method"].as_str(), line["status"].as_u64()) else { continue };
        let Some(id) = document["paths"][route][method.to_lowercase()]["operationId"].as_str() else { continue };
        if !(200..300).contains(&status) {
            continue;
        }
        let own = chosen.entry(id).or_insert_with(|| json!({}));
        prefer(own, "request", &line["sent"]);
        prefer(own, &status.to_string(), &line["body"]);
    }
    chosen.sort_keys();
    let path = root().join(FILE);
    let text = serde_json::to_string_pretty(&redacted(Value::Object(chosen))).map_err(|e| ContractError::Json(path.clone(), e))?;
    std::fs::write(&path, text + "\n").map_err(|e| ContractError::File(path, e))
}

fn prefer(own: &mut Value, name: &str, seen: &Value) {
    let size = |v: &Value| v.to_string().len();
    let fits = seen.is_object() && size(seen) <= MOST && seen.as_object().is_some_and(|o| !o.is_empty());
    if fits && size(seen) > own.get(name).map_or(0, size) {
        own[name] = seen.clone();
    }
}

/// Tokens and signed addresses are cut: nothing that looks like a secret stays in a file.
fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("eyJ") => json!("eyJ..."),
        Value::String(text) if text.contains("X-Amz-Signature") => json!(text.split('?').next().unwrap_or_default()),
        Value::Array(members) => Value::Array(members.into_iter().take(3).map(redacted).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(n, v)| (n, redacted(v))).collect()),
        other => other,
    }
}
