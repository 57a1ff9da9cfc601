//! Work that a change owes: written in the transaction that causes it, done from a queue, removed when done.

use super::{
    contact::Email,
    identity::{Audience, LinkPurpose},
    ids::{AdminId, AffiliateId, OrderId, OutboxId, PayoutId, RefundId, UploadId},
    text::mask_email,
    time::Timestamp,
    upload::Purpose,
    verdict::Announced,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    pub id: OutboxId,
    pub work: Work,
    pub created_at: Timestamp,
    /// Somebody is doing it until then; a crash frees it by itself.
    pub claimed_until: Timestamp,
    /// How often somebody has begun.
    #[serde(default)]
    pub tries: u32,
    /// Which claim it is: whoever is done removes what was claimed, and nothing that was owed again since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
}

/// How long a worker may take for one piece of work before another may try it, at first.
const CLAIM_SECONDS: i64 = 60;
/// The longest pause between two tries.
const LONGEST_PAUSE: i64 = 6 * 3_600;
/// After so many tries a person is told. Work that moves money goes on being tried all the same.
const MANY_TRIES: u32 = 10;

/// One piece of owed work. It names things; who does it reads what it needs. Only where nobody knows yet whether there
/// is an account does it hold the address that was typed, so that a known and an unknown one are handled alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// A one-time link, if the address has an account. The secret is drawn when the mail is written.
    MailLink {
        audience: Audience,
        purpose: LinkPurpose,
        email: Email,
    },
    /// Somebody has registered with an address that has an account.
    MailAlreadyRegistered {
        audience: Audience,
        email: Email,
    },
    MailPasswordChanged {
        audience: Audience,
        email: Email,
    },
    MailOrderPlaced {
        order: OrderId,
    },
    MailOrderExpired {
        order: OrderId,
    },
    MailOrderConfirmed {
        order: OrderId,
    },
    MailRefund {
        order: OrderId,
        refund: RefundId,
    },
    MailApplicationReceived {
        affiliate: AffiliateId,
    },
    MailApplicationApproved {
        affiliate: AffiliateId,
    },
    MailApplicationRejected {
        affiliate: AffiliateId,
    },
    MailBankDecided {
        affiliate: AffiliateId,
    },
    /// Another bank account was saved; told once for each version.
    MailBankChanged {
        affiliate: AffiliateId,
        version: u32,
    },
    MailPayout {
        affiliate: AffiliateId,
        payout: PayoutId,
    },
    /// The same news by phone, after its mail was sent.
    WhatsApp {
        news: Box<Self>,
    },
    /// Ask the gateway to send money back.
    SendRefund {
        order: OrderId,
        refund: RefundId,
    },
    /// Have an uploaded picture looked at.
    RenderUpload {
        upload: UploadId,
        purpose: Purpose,
    },
    /// Ask the gateway to transfer a payout.
    SendPayout {
        payout: PayoutId,
    },
    /// Ask the gateway again about an invoice that it sent a notice for.
    RecordInvoice {
        invoice: String,
    },
    /// Ask the gateway again until it says what its notice has announced.
    ConfirmNotice {
        about: NoticeAbout,
        gateway_id: String,
        announced: Announced,
    },
    /// Ask the gateway what became of a transfer that a person wants to see failed or reversed.
    AskTransfer {
        payout: PayoutId,
        by: AdminId,
        ending: TransferEnding,
    },
    /// End the links of an order that another one has paid.
    EndLinks {
        order: OrderId,
    },
    /// Money came in that pays nothing by itself: the customer is told that a person looks at it.
    MailPaymentHeld {
        order: OrderId,
        invoice: String,
    },
    /// An order that costs nothing is paid without the gateway.
    SettleFreeOrder {
        order: OrderId,
    },
}

/// The kind of thing that a notice of the gateway is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeAbout {
    Invoice,
    Refund,
    Payout,
}

/// The end that a person expects of a transfer at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferEnding {
    Failed,
    Reversed,
}

/// Which queue does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Payments,
    Notifications,
    /// What comes of uploads.
    Uploads,
    /// Pictures to look at, for the function that can do nothing else.
    Media,
}

impl Work {
    /// In words for a task, which stays longer than the work: without anybody's address.
    pub fn described(&self) -> String {
        let mut words = serde_json::to_value(self).unwrap_or_default();
        if let Some(email) = words.get_mut("email") {
            *email = mask_email(email.as_str().unwrap_or_default()).into();
        }
        words.to_string()
    }

    pub const fn lane(&self) -> Lane {
        match self {
            Self::SendRefund { .. }
            | Self::SendPayout { .. }
            | Self::RecordInvoice { .. }
            | Self::ConfirmNotice { .. }
            | Self::AskTransfer { .. }
            | Self::EndLinks { .. }
            | Self::SettleFreeOrder { .. } => Lane::Payments,
            Self::RenderUpload { .. } => Lane::Uploads,
            Self::MailLink { .. }
            | Self::MailAlreadyRegistered { .. }
            | Self::MailPasswordChanged { .. }
            | Self::MailOrderPlaced { .. }
            | Self::MailOrderExpired { .. }
            | Self::MailOrderConfirmed { .. }
            | Self::MailPaymentHeld { .. }
            | Self::MailRefund { .. }
            | Self::MailApplicationReceived { .. }
            | Self::MailApplicationApproved { .. }
            | Self::MailApplicationRejected { .. }
            | Self::MailBankDecided { .. }
            | Self::MailBankChanged { .. }
            | Self::MailPayout { .. }
            | Self::WhatsApp { .. } => Lane::Notifications,
        }
    }
}

impl OutboxItem {
    /// The item for `work`, named by its cause, so that a repeated cause is the same item.
    pub fn new(work: Work, now: Timestamp) -> Self {
        let name = serde_json::to_string(&work).unwrap_or_default();
        Self { id: OutboxId::named(&[&name]), work, created_at: now, claimed_until: now, tries: 0, claim: None }
    }

    /// The item in the hands of a worker; nothing while it is in another's. Every try waits twice as long for the next.
    pub fn claimed(&self, now: Timestamp, claim: String) -> Option<Self> {
        let pause = (CLAIM_SECONDS << self.tries.min(10)).min(LONGEST_PAUSE);
        (self.claimed_until <= now).then(|| Self {
            claimed_until: now.plus_seconds(pause),
            tries: self.tries + 1,
            claim: Some(claim),
            ..self.clone()
        })
    }

    pub const fn is_stuck(&self) -> bool {
        self.tries >= MANY_TRIES
    }
}
