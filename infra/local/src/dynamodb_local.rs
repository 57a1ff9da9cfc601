//! AWS's DynamoDB Local as a second opinion on what the embedded engine answers. `infra/dynamodb-local.sh` starts it.
//!
//! Without `-sharedDb` it keeps one data base for each access key and checks no signature: each engine here has a key of its
//! own. Requests block the calling thread, as those to the embedded engine do, so that the requests of a test keep their
//! order and the fault layer counts the same numbers.

use crate::Reply;
use serde_json::{Value, json};
use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use ureq::Agent;

/// One data base in it.
#[derive(Debug)]
pub struct DynamoDbLocal {
    agent: Agent,
    url: String,
    /// An access key: it names the data base.
    key: String,
    table: OnceLock<String>,
    /// Two engines see the same order of requests only if each request is whole before the next.
    turn: Mutex<()>,
}

impl DynamoDbLocal {
    pub fn new(address: &str) -> Self {
        static AGENT: OnceLock<Agent> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let settings = || Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(1))).build();
        Self {
            agent: AGENT.get_or_init(|| Agent::new_with_config(settings())).clone(),
            url: format!("http://{address}/"),
            key: format!("P{}N{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)),
            table: OnceLock::new(),
            turn: Mutex::default(),
        }
    }

    /// Its own answer.
    pub fn ask(&self, operation: &str, body: &[u8]) -> Reply {
        if operation == "CreateTable"
            && let Ok(request) = serde_json::from_slice::<Value>(body)
        {
            let _ = self.table.set(request["TableName"].as_str().unwrap_or_default().to_owned());
        }
        let (status, body) = self.send(operation, body).unwrap_or_else(|e| panic!("DynamoDB Local at {}: {e}", self.url));
        Reply { status, content_type: "application/x-amz-json-1.0", body }
    }

    /// The answer of `embedded`, which has to be the same.
    pub fn compared(&self, operation: &str, body: &[u8], embedded: impl FnOnce() -> Reply) -> Reply {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (ours, theirs) = (embedded(), self.ask(operation, body));
        let (one, two) = (comparable(operation, &ours.body), comparable(operation, &theirs.body));
        assert!(
            ours.status == theirs.status && one == two,
            "the engines differ in {operation}\n asked    {}\n embedded {} {one}\n AWS      {} {two}",
            String::from_utf8_lossy(body),
            ours.status,
            theirs.status
        );
        ours
    }

    fn send(&self, operation: &str, body: &[u8]) -> Result<(u16, String), ureq::Error> {
        let credential = format!("{}/20260101/ap-southeast-3/dynamodb/aws4_request", self.key);
        let mut answer = self
            .agent
            .post(&self.url)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"))
            .send(body)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }
}

/// The data base goes with the engine: a run of the tests has hundreds.
impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        if let Some(table) = self.table.get() {
            let _ = self.send("DeleteTable", json!({ "TableName": table }).to_string().as_bytes());
        }
    }
}

/// An answer without what may differ: the order in which a batch or a whole scan comes, the words of an error, and what
/// DynamoDB Local counts otherwise than AWS's documentation (units of transactions, of keys that a batch did not find, and of
/// queries that find nothing).
fn comparable(operation: &str, body: &str) -> Value {
    let mut value: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(kind) = value["__type"].as_str().map(|k| k.rsplit('#').next().unwrap_or_default().to_owned()) {
        let reasons: Vec<Value> = value["CancellationReasons"].as_array().into_iter().flatten().map(|r| r["Code"].clone()).collect();
        return json!([kind, reasons]);
    }
    if operation == "CreateTable" {
        return json!("created");
    }
    let nothing = operation == "Query" && value["ScannedCount"] == 0;
    if (nothing || matches!(operation, "TransactWriteItems" | "TransactGetItems" | "BatchGetItem"))
        && let Some(answer) = value.as_object_mut()
    {
        answer.remove("ConsumedCapacity");
    }
    if operation == "BatchGetItem" {
        value["Responses"].as_object_mut().into_iter().flatten().for_each(|(_, items)| by_key(items));
    }
    if operation == "Scan" && value["LastEvaluatedKey"].is_null() {
        by_key(&mut value["Items"]);
    }
    value
}

fn by_key(items: &mut Value) {
    if let Some(items) = items.as_array_mut() {
        items.sort_by_key(|i| (i["pk"].to_string(), i["sk"].to_string()));
    }
}
