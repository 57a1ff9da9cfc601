//! A batch of queue messages: each is handled alone, and only the failed ones come back.

use super::Message;
use serde::{Deserialize, Serialize};

/// The event that Lambda delivers for a queue. Bodies are read one by one, so that a bad one spoils no other.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub message_id: String,
    #[serde(default)]
    pub body: String,
}

/// Which messages are to be delivered again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub item_identifier: String,
}

/// Handles each message; a body that is no message of ours fails, and ends in the dead-letter queue.
pub async fn each<F, E>(batch: Batch, handle: F) -> Answer
where
    F: AsyncFn(Message) -> Result<(), E>,
    E: std::fmt::Display,
{
    let mut answer = Answer::default();
    for record in batch.records {
        let outcome = match serde_json::from_str::<Message>(&record.body) {
            Ok(message) => handle(message).await.map_err(|e| e.to_string()),
            Err(_) => Err("not a message of this queue".into()),
        };
        if let Err(cause) = outcome {
            tracing::warn!(message_id = record.message_id, cause, "message will be delivered again");
            answer.batch_item_failures.push(Failure { item_identifier: record.message_id });
        }
    }
    answer
}
