//! Queues and schedules: what travels, how a batch is handled, and when a schedule says it is.

pub mod batch;
pub mod schedule;

use crate::domain::{
    ids::OutboxId,
    outbox::{Lane, OutboxItem},
};
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

/// A message of the payments queue or of the notifications queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// The gateway said that something happened to an invoice; what it was is asked for there.
    InvoiceNotice { invoice: String },
    /// The gateway said that something happened to a refund.
    RefundNotice { gateway_id: String },
    /// There is owed work in the outbox.
    Owed { outbox: OutboxId },
}

/// A queue did not take the message.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message: {0}")]
pub struct QueueError(String);

#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    payments: Option<String>,
    notifications: Option<String>,
}

impl Queues {
    /// Addresses of the queues that this function may send to.
    pub fn new(client: Client, payments: Option<String>, notifications: Option<String>) -> Self {
        Self { client, payments, notifications }
    }

    pub async fn send(&self, lane: Lane, message: &Message) -> Result<(), QueueError> {
        let url = match lane {
            Lane::Payments => self.payments.as_ref(),
            Lane::Notifications => self.notifications.as_ref(),
        };
        let url = url.ok_or_else(|| QueueError("no address for this queue".into()))?;
        let body = serde_json::to_string(message).map_err(|e| QueueError(e.to_string()))?;
        let sent = self.client.send_message().queue_url(url).message_body(body).send().await;
        sent.map(|_| ()).map_err(|e| QueueError(aws_sdk_sqs::error::ProvideErrorMetadata::code(&e).unwrap_or("connection").to_owned()))
    }

    /// Hands owed work on at once. A failure is no loss: the sweep finds the item in the outbox.
    pub async fn hand_on(&self, items: &[OutboxItem]) {
        for item in items {
            if let Err(error) = self.send(item.work.lane(), &Message::Owed { outbox: item.id }).await {
                tracing::warn!(%error, "owed work waits for the sweep");
            }
        }
    }
}
