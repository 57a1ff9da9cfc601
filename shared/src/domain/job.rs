//! What scheduled jobs leave behind: tasks for a person, and checkpoints of their progress.

use super::{
    ids::{AffiliateId, OrderId, RefundId, TaskId},
    time::Timestamp,
    wallet::Balance,
};
use serde::{Deserialize, Serialize};

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub subject: Subject,
    pub opened_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// Money of another amount or currency than asked.
    UnmatchedReceipt {
        order: OrderId,
        invoice: String,
    },
    RefundFailed {
        order: OrderId,
        refund: RefundId,
    },
    /// The gateway cannot send it back: transfer by hand and record the reference.
    ManualRefund {
        order: OrderId,
        refund: RefundId,
    },
    /// Work that has failed many times.
    StuckWork {
        work: String,
    },
    /// The mail service does not take this mail, however often it is tried.
    MailRefused {
        work: String,
    },
    LedgerDifference {
        affiliate: AffiliateId,
    },
}

impl Task {
    /// The task for `subject`, named by it: opened once however often it is noticed.
    pub fn new(subject: Subject, now: Timestamp) -> Self {
        let name = serde_json::to_string(&subject).unwrap_or_default();
        Self { id: TaskId::named(&[&name]), subject, opened_at: now }
    }
}

/// The last run of a schedule: as of when, and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    pub name: String,
    pub as_of: Timestamp,
    pub finished_at: Timestamp,
    /// What it answered, as JSON.
    pub report: String,
}

/// Up to where an affiliate's ledger has been recounted, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub affiliate: AffiliateId,
    pub entries: u64,
    pub balance: Balance,
    pub checked_at: Timestamp,
}
