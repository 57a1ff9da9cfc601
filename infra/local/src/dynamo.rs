//! The DynamoDB engine behind the SDK's wire: the embedded one, or for the tests AWS's own beside or instead of it.

use crate::{Call, Reply, dynamodb_local::DynamoDbLocal};
use dynoxide::{Database, DynoxideError};
use std::sync::Arc;

/// An engine with one table in it.
#[derive(Clone)]
pub enum Engine {
    /// In this process.
    Embedded(Database),
    /// AWS's DynamoDB Local, in a process of its own.
    Local(Arc<DynamoDbLocal>),
    /// Every request goes to both, one at a time. The embedded engine answers; another answer of AWS's is a panic.
    Both(Database, Arc<DynamoDbLocal>),
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Embedded(_) => "Embedded",
            Self::Local(_) => "Local",
            Self::Both(..) => "Both",
        })
    }
}

/// Runs the tests on DynamoDB Local at this address.
pub const INSTEAD: &str = "QUTAB_DYNAMODB";
/// Runs them on both engines and compares every answer.
pub const BESIDE: &str = "QUTAB_DYNAMODB_BESIDE";

impl Engine {
    /// One in memory, or as the environment says.
    fn of_tests() -> Result<Self, String> {
        let embedded = || Database::memory().map_err(|e| e.to_string());
        match (std::env::var(INSTEAD), std::env::var(BESIDE)) {
            (Err(_), Err(_)) => embedded().map(Self::Embedded),
            (Ok(address), Err(_)) => Ok(Self::Local(Arc::new(DynamoDbLocal::new(&address)))),
            (Err(_), Ok(address)) => Ok(Self::Both(embedded()?, Arc::new(DynamoDbLocal::new(&address)))),
            (Ok(_), Ok(_)) => Err(format!("{INSTEAD} and {BESIDE} exclude each other")),
        }
    }

    /// Carries out one request on the calling thread, by the name of its operation.
    fn carry_out(&self, operation: &str, body: &[u8]) -> Reply {
        let embedded = |db: &Database| {
            let (status, body) = match dispatch(db, operation, body) {
                Ok(json) => (200, json),
                Err(error) => (error.status_code(), error.to_json()),
            };
            Reply { status, content_type: "application/x-amz-json-1.0", body }
        };
        match self {
            Self::Embedded(db) => embedded(db),
            Self::Local(local) => local.ask(operation, body),
            Self::Both(db, local) => local.compared(operation, body, || embedded(db)),
        }
    }
}

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
pub fn answer(db: &Engine, call: &Call) -> Reply {
    let operation = call.header("x-amz-target").and_then(|t| t.split_once('.')).map_or("", |t| t.1);
    db.carry_out(operation, &call.body)
}

/// The embedded engine on a file.
pub fn open(file: &str) -> Result<Database, String> {
    Database::new(file).map_err(|e| e.to_string())
}

/// Creates a table from the properties of an `AWS::DynamoDB::Table`; there already is as good.
pub fn create_table(db: &Engine, properties: &serde_json::Value) -> Result<(), String> {
    let mut request = serde_json::json!({});
    for name in ["TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode"] {
        if let Some(value) = properties.get(name) {
            request[name] = value.clone();
        }
    }
    let reply = db.carry_out("CreateTable", request.to_string().as_bytes());
    if reply.status != 200 && !reply.body.contains("ResourceInUseException") {
        return Err(reply.body);
    }
    // Not in DynamoDB Local: it would drop by the machine's clock, which is not that of the tests.
    if let (Some(ttl), Engine::Embedded(db)) = (properties.get("TimeToLiveSpecification"), db) {
        let request = serde_json::json!({ "TableName": properties["TableName"], "TimeToLiveSpecification": ttl });
        // Enabling it twice is refused and harmless.
        let _ = dispatch(db, "UpdateTimeToLive", request.to_string().as_bytes());
    }
    Ok(())
}

/// An engine for tests with the template's table, and `items` in it.
pub fn with_items(properties: &serde_json::Value, items: &[serde_json::Value]) -> Engine {
    let db = Engine::of_tests().expect("an engine");
    create_table(&db, properties).expect("the template's table");
    let name = properties["TableName"].as_str().unwrap_or_default();
    for batch in items.chunks(25) {
        let puts: Vec<_> = batch.iter().map(|item| serde_json::json!({ "PutRequest": { "Item": item } })).collect();
        let body = serde_json::json!({ "RequestItems": { name: puts } }).to_string();
        let reply = db.carry_out("BatchWriteItem", body.as_bytes());
        assert!(reply.status == 200, "items as the engine gave them: {}", reply.body);
    }
    db
}
