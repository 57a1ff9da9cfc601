//! How the payment gateway's stand-in behaves: honest by default, and in the simulation as gateways do on bad days.

use qutab::domain::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every field at its default is an honest, quick gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// Keeps what every record was at any time, so that reads can lag. Off where nobody asks for it.
    pub remembers: bool,
    /// Reads and lists answer what was true so many seconds ago; writes are always taken at once.
    pub lag: i64,
    /// Idempotency keys are forgotten after so many seconds.
    pub forgets_keys_after: Option<i64>,
    /// A repeat is held to the rules of a new request before its key is looked at.
    pub validates_first: bool,
    /// Every request is answered with this status.
    pub busy: Option<u16>,
    /// Amounts come as 3250000.0.
    pub floats: bool,
    /// What is under way is said to be in this status.
    pub strange: Option<String>,
}

/// What every record was, oldest first.
#[derive(Debug, Default)]
pub struct Past(BTreeMap<String, Vec<(Timestamp, Value)>>);

impl Past {
    pub fn keep(&mut self, id: &str, at: Timestamp, record: Value) {
        self.0.entry(id.to_owned()).or_default().push((at, record));
    }

    /// What was true of it then; nothing if it was not there yet.
    pub fn of(&self, id: &str, at: Timestamp) -> Option<Value> {
        self.0.get(id)?.iter().rev().find(|(when, _)| *when <= at).map(|(_, record)| record.clone())
    }
}

const AMOUNTS: [&str; 2] = ["amount", "paid_amount"];
/// Statuses after which nothing is expected to come.
const ENDED: [&str; 6] = ["PAID", "EXPIRED", "SUCCEEDED", "FAILED", "REVERSED", "SETTLED"];

impl Manner {
    /// A record as this gateway shows it.
    #[allow(clippy::cast_precision_loss, reason = "sums of a shop fit into 52 bits")]
    pub fn shown(&self, mut record: Value) -> Value {
        if self.floats {
            for name in AMOUNTS {
                if let Some(amount) = record[name].as_i64() {
                    record[name] = json!(amount as f64);
                }
            }
        }
        if let Some(strange) = &self.strange
            && record["status"].as_str().is_some_and(|s| !ENDED.contains(&s))
        {
            record["status"] = json!(strange);
        }
        record
    }
}
