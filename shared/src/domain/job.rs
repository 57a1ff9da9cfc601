//! What scheduled jobs leave behind: tasks for a person, and checkpoints of their progress.

use super::{
    ids::{AdminId, AffiliateId, OrderId, OutboxId, PayoutId, RefundId, TaskId},
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
    /// The gateway has announced something that it does not say when it is asked; `work` is the outbox item that goes on
    /// asking. Closing the task ends that.
    NoticeNotConfirmed {
        work: OutboxId,
        about: String,
    },
    /// The gateway has had a refund for days and does not say what became of it.
    RefundUnsettled {
        order: OrderId,
        refund: RefundId,
    },
    /// The gateway has had a transfer for days and does not say what became of it.
    TransferUnsettled {
        payout: PayoutId,
    },
    /// The other side says something about money that our books contradict.
    MoneyContradiction {
        about: String,
        said: String,
    },
    /// A payout above the limit has left without a second person's approval.
    PayoutNotApproved {
        payout: PayoutId,
    },
    /// The books of an order do not agree with its payments, refunds or commission.
    OrderDifference {
        order: OrderId,
    },
    /// A row that this version cannot read: written by another version, or damaged. `digest` is of its key.
    OddRow {
        item: String,
        digest: String,
    },
}

impl Task {
    /// The task for `subject`, named by it: opened once however often it is noticed.
    pub fn new(subject: Subject, now: Timestamp) -> Self {
        let name = serde_json::to_string(&subject).unwrap_or_default();
        Self { id: TaskId::named(&[&name]), subject, opened_at: now }
    }
}

/// The schedules, by the names of their functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Maturation,
    Aggregation,
    PaymentExpiry,
    ClickArchive,
    KtpRetention,
    Reconciliation,
    OutboxSweep,
}

impl Job {
    pub const ALL: [Self; 7] =
        [Self::Maturation, Self::Aggregation, Self::PaymentExpiry, Self::ClickArchive, Self::KtpRetention, Self::Reconciliation, Self::OutboxSweep];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maturation => "maturation",
            Self::Aggregation => "aggregation",
            Self::PaymentExpiry => "payment-expiry",
            Self::ClickArchive => "click-archive",
            Self::KtpRetention => "ktp-retention",
            Self::Reconciliation => "reconciliation",
            Self::OutboxSweep => "outbox-sweep",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|j| j.as_str() == text)
    }
}

/// What is known of a schedule: up to when it has done its work, and its last runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRuns {
    pub name: String,
    /// The latest moment as of which a run came to its end.
    pub as_of: Option<Timestamp>,
    /// Newest first.
    pub runs: Vec<JobRun>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    pub as_of: Timestamp,
    pub finished_at: Timestamp,
    /// Nothing went wrong.
    pub ok: bool,
    /// There was more than the run could take.
    #[serde(default)]
    pub more: bool,
    /// What it did, as JSON; or what went wrong.
    pub report: String,
    /// Who ran it by hand.
    #[serde(default)]
    pub by: Option<AdminId>,
}

/// How many runs are remembered of each schedule.
const REMEMBERED: usize = 10;

impl JobRuns {
    pub const fn none(name: String) -> Self {
        Self { name, as_of: None, runs: Vec::new() }
    }

    pub fn with(mut self, run: JobRun) -> Self {
        if run.ok && !run.more {
            self.as_of = self.as_of.max(Some(run.as_of));
        }
        self.runs.insert(0, run);
        self.runs.truncate(REMEMBERED);
        self
    }
}

/// Where a walk through long lists stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    /// The list to go on with; none: the walk begins anew.
    #[serde(default)]
    pub list: Option<String>,
    /// The last row of it that was taken.
    #[serde(default)]
    pub after: Vec<(String, String)>,
    /// When a walk began that has not come to its end.
    #[serde(default)]
    pub begun_at: Option<Timestamp>,
    /// As of when the last walk came to its end.
    #[serde(default)]
    pub whole_as_of: Option<Timestamp>,
    /// What the walk has gathered so far.
    #[serde(default)]
    pub carry: Option<String>,
}

impl Place {
    pub fn start(name: &str) -> Self {
        Self { name: name.into(), list: None, after: Vec::new(), begun_at: None, whole_as_of: None, carry: None }
    }
}

/// Up to where an affiliate's ledger has been recounted, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub affiliate: AffiliateId,
    pub entries: u64,
    pub balance: Balance,
    pub checked_at: Timestamp,
    /// When it was last recounted from the beginning.
    #[serde(default)]
    pub full_at: Option<Timestamp>,
}
