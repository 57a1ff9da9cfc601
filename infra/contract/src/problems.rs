//! The problems that an operation answers: those that follow from its access and from what it takes, and those that its
//! contract names.

use super::ContractError;
use qutab::{
    app::Code,
    http::{Access, Route},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every answer that is a problem, by status. `x-problems` is taken out of the operation: its codes are in the answers.
/// Equal answers are written once, in `shared`.
pub fn answers(operation: &mut Value, id: &str, route: &Route, shared: &mut Map<String, Value>) -> Result<(), ContractError> {
    let mut codes = implied(operation, route);
    let named = operation.as_object_mut().and_then(|o| o.remove("x-problems"));
    for name in named.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
        let code = Code::ALL.iter().copied().find(|c| c.as_str() == name);
        codes.push(code.ok_or_else(|| ContractError::NoProblem(id.to_owned(), name.to_owned()))?);
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL.iter().filter(|c| codes.contains(c)) {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        // Where an authorizer stands in front, it is the gateway that refuses, in words of its own.
        let gateway = matches!(route.access, Access::Admin(_)) && matches!(status, 401 | 403);
        let name = codes.iter().map(|c| c.as_str()).chain(gateway.then_some("or_gateway")).collect::<Vec<_>>().join(".");
        operation["responses"][status.to_string()] = json!({ "$ref": format!("#/components/responses/{name}") });
        shared.entry(name).or_insert_with(|| answer(status, &codes, gateway));
    }
    Ok(())
}

fn implied(operation: &Value, route: &Route) -> Vec<Code> {
    let mut codes = vec![Code::Malformed, Code::Unavailable, Code::Internal];
    if route.method.as_str() != "GET" {
        codes.push(Code::Busy);
    }
    if route.access != Access::Public {
        codes.push(Code::NotLoggedIn);
    }
    if matches!(route.access, Access::Admin(_)) {
        codes.push(Code::NotAllowed);
        // One's own login is where a second factor is set up.
        if !route.path.starts_with("/api/admin/auth/") {
            codes.push(Code::SecondFactorMissing);
        }
    }
    if operation.get("requestBody").is_some() {
        codes.extend([Code::TooLarge, Code::WrongMediaType, Code::Invalid]);
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        match parameter["in"].as_str() {
            Some("path") => codes.push(Code::NotFound),
            _ => codes.push(Code::Invalid),
        }
    }
    codes
}

fn answer(status: u16, codes: &[Code], gateway: bool) -> Value {
    let titles: Vec<String> = codes.iter().map(|c| format!("`{}`: {}", c.as_str(), c.title())).collect();
    let example = |code: &Code| {
        json!({
            "type": format!("https://qutab.id/problems/{}", code.as_str()), "title": code.title(), "status": status, "code": code.as_str(),
            "request_id": "Zx1pXh5bSQ0EMHA=",
        })
    };
    let examples: Map<String, Value> = codes.iter().map(|c| (c.as_str().to_owned(), json!({ "value": example(c) }))).collect();
    let mut answer = json!({
        "description": titles.join(". "),
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples } },
    });
    if gateway {
        answer["content"]["application/json"] = json!({ "schema": { "$ref": "#/components/schemas/GatewayAnswer" } });
    }
    answer["headers"] = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    if codes.iter().any(|c| matches!(c, Code::TooMany | Code::Unavailable | Code::Busy)) {
        answer["headers"]["retry-after"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    answer
}
