//! Holds every exchange of every test against the OpenAPI document: an answer that it does not describe, or a body that
//! was taken and should not have been, fails the test that saw it.

use super::Answer;
use jsonschema::Validator;
use qutab::http::Route;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs::OpenOptions,
    io::Write,
    sync::{Arc, LazyLock, Mutex},
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("../../infra/contract/openapi.json")).unwrap());

/// Every schema of a body is compiled once.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn validator(schema: &Value) -> Arc<Validator> {
    let name = schema.to_string();
    if let Some(known) = VALIDATORS.lock().unwrap().get(&name) {
        return known.clone();
    }
    let mut whole = schema.clone();
    whole["components"] = DOCUMENT["components"].clone();
    let made = Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap());
    VALIDATORS.lock().unwrap().insert(name, made.clone());
    made
}

/// Whether a body is as its schema says; what is wrong with it otherwise.
pub fn fits(schema: &Value, body: &Value) -> Result<(), String> {
    validator(schema).validate(body).map_err(|e| format!("{} at {}", e, e.instance_path()))
}

pub(crate) fn check(route: &Route, sent: Option<&Value>, answer: &Answer) {
    record(route, sent, answer);
    let name = format!("{} {}", route.method, route.path);
    let operation = &DOCUMENT["paths"][route.path][route.method.as_str().to_lowercase()];
    let mut said = &operation["responses"][answer.status.to_string()];
    if let Some(shared) = said["$ref"].as_str() {
        said = DOCUMENT.pointer(shared.trim_start_matches('#')).unwrap();
    }
    assert!(said.is_object(), "{name}: {} is not in the document: {}", answer.status, answer.body);
    let media = answer.headers.get("content-type").map_or("", |v| v.to_str().unwrap());
    let media = media.split(';').next().unwrap();
    let content = &said["content"][media];
    assert!(
        said.get("content").is_some() != media.is_empty() && (media.is_empty() || content.is_object()),
        "{name}: {media:?} is not in the document"
    );
    if media.ends_with("json")
        && let Err(why) = fits(&content["schema"], &answer.body)
    {
        panic!("{name}: the answer is not as the document says: {why}: {}", answer.body);
    }
    if answer.status >= 400 {
        assert!(content["examples"].get(answer.code()).is_some(), "{name}: {} is not in the document", answer.code());
    } else if let (Some(body), Some(sent)) = (operation.pointer("/requestBody/content/application~1json/schema"), sent)
        && let Err(why) = fits(body, sent)
    {
        panic!("{name}: a body was taken that is not as the document says: {why}: {sent}");
    }
}

/// With `QUTAB_RECORD` every exchange is written to that file, a JSON object a line: the examples are chosen from it.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting")]
fn record(route: &Route, sent: Option<&Value>, answer: &Answer) {
    let Ok(file) = std::env::var("QUTAB_RECORD") else { return };
    let line = json!({ "method": route.method.as_str(), "route": route.path, "sent": sent, "status": answer.status, "body": answer.body,
        "type": answer.headers.get("content-type").map(|v| v.to_str().unwrap()) });
    OpenOptions::new().append(true).create(true).open(file).unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
}
