//! Queues and schedules: what travels, how a batch is handled, and when a schedule says it is.

pub mod batch;
pub mod schedule;

use crate::domain::{
    ids::{OutboxId, UploadId},
    outbox::{Lane, OutboxItem},
    upload::{Purpose, Rendering},
    verdict::Announced,
};
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

/// A message of one of the queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// The gateway said that something happened to an invoice; what it was is asked for there.
    InvoiceNotice {
        invoice: String,
        /// Whether it announced a payment.
        #[serde(default)]
        paid: bool,
        /// Whether it carried a name that is none of ours: a test of the gateway's, say.
        #[serde(default)]
        foreign: bool,
    },
    /// The gateway said that something happened to a refund.
    RefundNotice {
        gateway_id: String,
        /// Its word, where a version that keeps it has taken the notice.
        #[serde(default)]
        announced: Option<Announced>,
        #[serde(default)]
        foreign: bool,
    },
    /// The gateway said that something happened to a payout.
    PayoutNotice {
        gateway_id: String,
        #[serde(default)]
        announced: Option<Announced>,
        #[serde(default)]
        foreign: bool,
    },
    /// There is owed work in the outbox.
    Owed { outbox: OutboxId },
    /// Look at an uploaded picture.
    Render { upload: UploadId, purpose: Purpose },
    /// What came of looking at one.
    Rendered { upload: UploadId, rendering: Rendering },
}

/// A queue did not take the message.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message: {0}")]
pub struct QueueError(String);

#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: [Option<String>; 4],
}

impl Queues {
    /// `url` tells the addresses of the queues that this function may send to.
    pub fn new(client: Client, url: impl Fn(Lane) -> Option<String>) -> Self {
        Self { client, urls: [Lane::Payments, Lane::Notifications, Lane::Uploads, Lane::Media].map(url) }
    }

    pub async fn send(&self, lane: Lane, message: &Message) -> Result<(), QueueError> {
        let [payments, notifications, uploads, media] = &self.urls;
        let url = match lane {
            Lane::Payments => payments,
            Lane::Notifications => notifications,
            Lane::Uploads => uploads,
            Lane::Media => media,
        };
        let url = url.as_ref().ok_or_else(|| QueueError("no address for this queue".into()))?;
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
