//! What all routes have in common.

use qutab::{app::Code, domain::text};
use serde_json::{Map, Value, json};

pub fn info() -> Value {
    json!({
        "title": "Qurban Tanpa Batas",
        "version": "1",
        "license": { "name": "MIT", "identifier": "MIT" },
        "description": "The back end of Qurban Tanpa Batas.\n\n\
            **Money** is whole rupiah, an integer. **Times** are UTC (RFC 3339), **days** are those of Asia/Jakarta.\n\n\
            **Tokens**: a login answers a short-lived access token, sent as `Authorization: Bearer`, and sets the refresh token \
            in an HttpOnly cookie that only the refresh route of the same audience reads. There are three audiences: customers, \
            affiliates and staff; a token of one opens nothing of another.\n\n\
            **Problems** are `application/problem+json` (RFC 9457) with a stable `code`; `errors` names every wrong field. \
            401, 403, 404, 413 and 429 may also come from the API gateway itself, with a body of its own.\n\n\
            **Repeating**: where a route takes `Idempotency-Key`, a request that is repeated with the same key and body has one \
            effect and gets the same answer.\n\n\
            **Lists** answer `items` and `next_cursor`; give the cursor back with the same filters to read on.\n\n\
            Fields that are not named here are refused where the server decides them (prices, statuses, rates) and ignored otherwise.",
    })
}

pub fn servers() -> Value {
    json!([
        { "url": "http://localhost:3000", "description": "`cargo run`" },
        { "url": "https://api.qutab.id", "description": "Production" },
    ])
}

pub fn security_schemes() -> Value {
    let token =
        |whose: &str| json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": format!("The access token of {whose}.") });
    json!({ "customer": token("a customer"), "affiliate": token("an affiliate"), "admin": token("somebody of the staff") })
}

pub fn parameters() -> Value {
    let key = json!({ "type": "string", "pattern": "^[!-~]{1,128}$" });
    let names = "Names the request, so that a repeat is recognised.";
    json!({
        "Limit": { "name": "limit", "in": "query", "description": "Most items of a page.", "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 } },
        "Cursor": { "name": "cursor", "in": "query", "description": "`next_cursor` of the page before.", "schema": { "type": "string", "maxLength": 2000 } },
        "IdempotencyKey": { "name": "Idempotency-Key", "in": "header", "description": names, "schema": key },
        "RequiredIdempotencyKey": { "name": "Idempotency-Key", "in": "header", "required": true, "description": names, "schema": key },
    })
}

pub fn headers() -> Value {
    json!({
        "RequestId": { "description": "Names the request in our logs.", "schema": { "type": "string" } },
        "IdempotentReplayed": { "description": "`true` where the answer is that of an earlier request.", "schema": { "type": "string", "enum": ["true", "false"] } },
        "ContentDisposition": { "description": "The name to save the file under.", "schema": { "type": "string" } },
        "RetryAfter": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } },
    })
}

pub fn schemas() -> Map<String, Value> {
    let codes: Vec<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
    let schemas = json!({
        "Problem": {
            "type": "object",
            "description": "RFC 9457.",
            "required": ["type", "title", "status", "code"],
            "properties": {
                "type": { "type": "string", "format": "uri" },
                "title": { "type": "string" },
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "code": { "type": "string", "enum": codes, "description": "Stable: decide by it." },
                "detail": { "type": "string" },
                "request_id": { "type": "string" },
                "errors": { "type": "array", "items": { "$ref": "#/components/schemas/WrongField" } },
            },
            "additionalProperties": false,
        },
        "GatewayAnswer": {
            "type": "object",
            "description": "An answer of the API gateway's own.",
            "required": ["message"],
            "properties": { "message": { "type": "string" } },
        },
        "WrongField": {
            "type": "object",
            "required": ["field", "code", "message"],
            "properties": {
                "field": { "type": "string", "description": "Its path, as `items[0].quantity`." },
                "code": { "type": "string" },
                "message": { "type": "string" },
            },
            "additionalProperties": false,
        },
    });
    let mut schemas = match schemas {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    // Texts are as long as the code takes them, by the code's own table.
    for (name, shortest, longest) in text::LENGTHS {
        schemas.insert((*name).to_owned(), json!({ "type": "string", "minLength": shortest, "maxLength": longest }));
    }
    schemas
}

/// Every name in braces is a parameter: as the contract says, or a text.
pub fn path_parameters(operation: &mut Value, path: &str) {
    let mut all: Vec<Value> = operation["parameters"].as_array().cloned().unwrap_or_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).rev() {
        if !all.iter().any(|p| p["in"] == "path" && p["name"] == name) {
            all.insert(0, json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1, "maxLength": 64 } }));
        }
    }
    if !all.is_empty() {
        operation["parameters"] = Value::Array(all);
    }
}
