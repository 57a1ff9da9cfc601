//! Puts the OpenAPI document together. Method, path, access and function come from the routes as the functions declare
//! them; what each takes and answers from the `contract.yaml` beside the function; what all routes have in common
//! (tokens, problems, headers, pages) is written once, here.

mod common;
mod examples;
mod problems;

pub use examples::choose;

use qutab::http::{Access, Group, Route};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0}: {1}")]
    Yaml(PathBuf, serde_yaml_ng::Error),
    #[error("{0}: {1}")]
    Json(PathBuf, serde_json::Error),
    #[error("{0} {1} is a route of {2} and is not in its contract.yaml")]
    Unspoken(String, &'static str, &'static str),
    #[error("{0} is in the contract.yaml of {1}, which has no such route")]
    NoRoute(String, &'static str),
    #[error("{0} is declared twice")]
    Twice(String),
    #[error("{0} names the problem {1}, and there is none of that name")]
    NoProblem(String, String),
}

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Where the document is kept.
pub fn file() -> PathBuf {
    root().join("infra/contract/openapi.json")
}

fn read(path: &str) -> Result<Value, ContractError> {
    let path = root().join(path);
    let text = std::fs::read_to_string(&path).map_err(|e| ContractError::File(path.clone(), e))?;
    serde_yaml_ng::from_str(&text).map_err(|e| ContractError::Yaml(path, e))
}

/// The whole document.
pub fn document(groups: &[Group]) -> Result<Value, ContractError> {
    let mut schemas = common::schemas();
    gather(&mut schemas, &read("infra/contract/schemas.yaml")?)?;
    let examples = examples::kept()?;
    let (mut paths, mut tags, mut problems) = (Map::new(), Vec::new(), Map::new());
    for group in groups {
        let mut contract = read(&format!("functions/{}/contract.yaml", group.name))?;
        gather(&mut schemas, &contract)?;
        for route in &group.routes {
            let method = route.method.as_str().to_lowercase();
            let spoken = contract.pointer_mut(&format!("/paths/{}", route.path.replace('/', "~1"))).and_then(Value::as_object_mut);
            let operation = spoken.and_then(|methods| methods.remove(&method));
            let operation = operation.ok_or_else(|| ContractError::Unspoken(method.clone(), route.path, group.name))?;
            let whole = complete(operation, group, route, &examples, &mut problems)?;
            paths.entry(route.path).or_insert_with(|| json!({}))[method] = whole;
        }
        if let Some(path) = left_over(&contract) {
            return Err(ContractError::NoRoute(path, group.name));
        }
        tags.push(json!({ "name": group.name, "description": contract["description"] }));
    }
    schemas.sort_keys();
    problems.sort_keys();
    paths.sort_keys();
    Ok(json!({
        "openapi": "3.1.0",
        "info": common::info(),
        "servers": common::servers(),
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": problems,
            "parameters": common::parameters(),
            "headers": common::headers(),
            "securitySchemes": common::security_schemes(),
        },
    }))
}

fn gather(schemas: &mut Map<String, Value>, from: &Value) -> Result<(), ContractError> {
    for (name, schema) in from.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten() {
        if schemas.insert(name.clone(), schema.clone()).is_some() {
            return Err(ContractError::Twice(name.clone()));
        }
    }
    Ok(())
}

fn left_over(contract: &Value) -> Option<String> {
    let paths = contract["paths"].as_object()?;
    paths.iter().find(|(_, methods)| methods.as_object().is_some_and(|m| !m.is_empty())).map(|(path, _)| path.clone())
}

/// An operation with what follows from its route: who may call it, what its path takes, which problems it answers.
fn complete(mut operation: Value, group: &Group, route: &Route, examples: &Value, problems: &mut Map<String, Value>) -> Result<Value, ContractError> {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    operation["tags"] = json!([group.name]);
    match route.access {
        Access::Public => operation["security"] = json!([]),
        Access::Customer => operation["security"] = json!([{ "customer": [] }]),
        Access::Affiliate => operation["security"] = json!([{ "affiliate": [] }]),
        Access::Admin(permission) => {
            operation["security"] = json!([{ "admin": [] }]);
            operation["description"] = json!(format!("For staff who may {}.", permission.as_str()));
        }
    }
    common::path_parameters(&mut operation, route.path);
    problems::answers(&mut operation, &id, route, problems)?;
    examples::show(&mut operation, &examples[&id]);
    for answer in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut).filter(|a| a.get("$ref").is_none()) {
        answer["headers"]["x-request-id"] = json!({ "$ref": "#/components/headers/RequestId" });
        if answer["content"].get("text/csv").is_some() || answer["content"].get("application/pdf").is_some() {
            answer["headers"]["content-disposition"] = json!({ "$ref": "#/components/headers/ContentDisposition" });
        }
    }
    Ok(operation)
}
