//! What DynamoDB may do at any time and the embedded engine never does by itself.

use serde_json::{Value, json};

/// Every field at its default changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Every so manieth batch of reads leaves its last key unread.
    pub unread_every: Option<u32>,
    /// Every so manieth request is throttled.
    pub throttled_every: Option<u32>,
    /// Every so manieth transaction collides with somebody else's.
    pub collides_every: Option<u32>,
    /// No requests are counted: whoever looks for bugs does not ask for prices.
    pub uncounted: bool,
}

/// How many of each kind there were.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    batches: u32,
    requests: u32,
    transactions: u32,
}

fn due(every: Option<u32>, count: &mut u32) -> bool {
    *count = count.wrapping_add(1);
    every.is_some_and(|n| n > 0 && count.is_multiple_of(n))
}

/// What is answered instead, as the type of an exception and its message.
pub type Instead = Option<(&'static str, &'static str)>;

impl Weather {
    pub fn request(self, seen: &mut Seen, operation: &str) -> Instead {
        if due(self.throttled_every, &mut seen.requests) {
            return Some(("ProvisionedThroughputExceededException", "The level of configured provisioned throughput was exceeded"));
        }
        if operation == "TransactWriteItems" && due(self.collides_every, &mut seen.transactions) {
            return Some(("TransactionCanceledException", "collision"));
        }
        None
    }

    /// Changes the request so that it asks for less. Answers with the keys that are left unread.
    pub fn narrow(self, seen: &mut Seen, operation: &str, request: &mut Value) -> Option<Value> {
        if operation != "BatchGetItem" || !due(self.unread_every, &mut seen.batches) {
            return None;
        }
        let (table, wanted) = request["RequestItems"].as_object_mut()?.iter_mut().next()?;
        let keys = wanted["Keys"].as_array_mut().filter(|k| k.len() > 1)?;
        let left = keys.pop()?;
        let mut rest = wanted.clone();
        rest["Keys"] = json!([left]);
        Some(json!({ table.clone(): rest }))
    }
}
