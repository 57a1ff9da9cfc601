//! The embedded DynamoDB engine behind the SDK's wire.

use crate::{Call, Reply};
use dynoxide::{Database, DynoxideError};

macro_rules! operations {
    ($db:expr, $op:expr, $body:expr; $($name:literal => $method:ident),* $(,)?) => {
        match $op {
            $($name => {
                let request = serde_json::from_slice($body).map_err(|e| unreadable(&e))?;
                let answer = $db.$method(request)?;
                serde_json::to_string(&answer).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
            })*
            other => Err(DynoxideError::UnsupportedCapability(other.to_string())),
        }
    };
}

fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let plain = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    match plain.strip_prefix("VALIDATION:").or_else(|| plain.strip_prefix("VALIDATION_REQUEST:")) {
        Some(message) => DynoxideError::ValidationException(message.into()),
        None => DynoxideError::SerializationException(plain.into()),
    }
}

fn dispatch(db: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    operations!(db, operation, body;
        "CreateTable" => create_table, "DescribeTable" => describe_table, "UpdateTimeToLive" => update_time_to_live,
        "PutItem" => put_item, "GetItem" => get_item, "DeleteItem" => delete_item, "UpdateItem" => update_item,
        "Query" => query, "Scan" => scan, "BatchGetItem" => batch_get_item, "BatchWriteItem" => batch_write_item,
        "TransactWriteItems" => transact_write_items, "TransactGetItems" => transact_get_items)
}

/// Answers one request on the calling thread.
pub fn answer(db: &Database, call: &Call) -> Reply {
    let operation = call.header("x-amz-target").and_then(|t| t.split_once('.')).map_or("", |t| t.1);
    let (status, body) = match dispatch(db, operation, &call.body) {
        Ok(json) => (200, json),
        Err(error) => (error.status_code(), error.to_json()),
    };
    Reply { status, content_type: "application/x-amz-json-1.0", body }
}

/// An engine in memory, or on a file.
pub fn open(file: Option<&str>) -> Result<Database, String> {
    match file {
        Some(path) => Database::new(path),
        None => Database::memory(),
    }
    .map_err(|e| e.to_string())
}

/// Creates a table from the properties of an `AWS::DynamoDB::Table`; there already is as good.
pub fn create_table(db: &Database, properties: &serde_json::Value) -> Result<(), String> {
    let mut request = serde_json::json!({});
    for name in ["TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode"] {
        if let Some(value) = properties.get(name) {
            request[name] = value.clone();
        }
    }
    match dispatch(db, "CreateTable", request.to_string().as_bytes()) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    if let Some(ttl) = properties.get("TimeToLiveSpecification") {
        let request = serde_json::json!({ "TableName": properties["TableName"], "TimeToLiveSpecification": ttl });
        // Enabling it twice is refused and harmless.
        let _ = dispatch(db, "UpdateTimeToLive", request.to_string().as_bytes());
    }
    Ok(())
}

/// An engine in memory with the template's table, and `items` in it.
pub fn with_items(properties: &serde_json::Value, items: &[serde_json::Value]) -> Database {
    let db = open(None).expect("an engine in memory");
    create_table(&db, properties).expect("the template's table");
    let name = properties["TableName"].as_str().unwrap_or_default();
    for batch in items.chunks(25) {
        let puts: Vec<_> = batch.iter().map(|item| serde_json::json!({ "PutRequest": { "Item": item } })).collect();
        let body = serde_json::json!({ "RequestItems": { name: puts } }).to_string();
        dispatch(&db, "BatchWriteItem", body.as_bytes()).expect("items as the engine gave them");
    }
    db
}
