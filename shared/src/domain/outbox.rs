//! Work that a change owes: written in the transaction that causes it, done from a queue, removed when done.

use super::{
    contact::Email,
    identity::{Audience, LinkPurpose},
    ids::{AffiliateId, OrderId, OutboxId, PayoutId, RefundId, UploadId},
    text::mask_email,
    time::Timestamp,
    upload::Purpose,
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
/// A refusal by the gateway that nobody has mended after so long is final.
const REFUSED_FOR: i64 = 86_400;
/// Longer than any function may run: a request that was begun before then has ended.
const LAST_REQUEST: i64 = 900;
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
    /// An order that costs nothing is paid without the gateway.
    SettleFreeOrder {
        order: OrderId,
    },
}

/// What to do next with money that the gateway is to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtGateway {
    /// Ask it to move the money; while it is not, `last` says whether a refusal is to be taken as final.
    Send { last: bool },
    /// It is not asked any more, but a request from before may still be under way.
    Wait,
    /// No request is under way: what it does not know of now, it never will.
    Conclude,
}

impl AtGateway {
    /// By when the money was owed to the gateway, and since when it is not asked any more.
    pub const fn next(owed_at: Timestamp, given_up_at: Option<Timestamp>, now: Timestamp) -> Self {
        match given_up_at {
            Some(at) if now.since(at) < LAST_REQUEST => Self::Wait,
            Some(_) => Self::Conclude,
            None => Self::Send { last: now.since(owed_at) >= REFUSED_FOR },
        }
    }
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
            Self::SendRefund { .. } | Self::SendPayout { .. } | Self::RecordInvoice { .. } | Self::SettleFreeOrder { .. } => Lane::Payments,
            Self::RenderUpload { .. } => Lane::Uploads,
            _ => Lane::Notifications,
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
