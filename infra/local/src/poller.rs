//! Feeds a queue's messages to its function, as Lambda's event source does: batches, partial failures, dead letters.

use crate::{
    lambda::Fleet,
    queues::{Message, Queues},
};
use qutab::runtime::system_clock;
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc, time::Duration};

const PAUSE: Duration = Duration::from_millis(150);
/// A failed message comes back after this many seconds for each time it was received. In AWS it waits until its
/// visibility ends, which nobody wants to sit through at a desk.
const BACK_OFF: i64 = 2;

/// Polls for ever.
pub async fn poll(fleet: Arc<Fleet>, queues: Queues, queue: String, batch: usize, function: String) {
    let clock = system_clock();
    loop {
        let messages = queues.receive(&queue, batch, clock.now().unix());
        if messages.is_empty() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let outcome = fleet.invoke(&function, &event(&queue, &messages)).await;
        let failed = failed(outcome.as_ref().ok());
        for message in messages {
            if failed.as_ref().is_none_or(|f| f.contains(&message.id)) {
                queues.again(&queue, &message.id, clock.now().unix() + BACK_OFF * i64::from(message.received));
            } else {
                queues.delete(&queue, &message.id);
            }
        }
    }
}

fn event(queue: &str, messages: &[Message]) -> Value {
    let record = |m: &Message| {
        json!({
            "messageId": m.id, "receiptHandle": m.id, "body": m.body, "attributes": { "ApproximateReceiveCount": m.received.to_string() },
            "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:local:000000000000:{queue}"), "awsRegion": "local",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

/// The ids that failed; nothing if the whole batch did.
fn failed(answer: Option<&Value>) -> Option<HashSet<String>> {
    let items = answer?["batchItemFailures"].as_array()?;
    items.iter().map(|i| i["itemIdentifier"].as_str().map(str::to_owned)).collect()
}
