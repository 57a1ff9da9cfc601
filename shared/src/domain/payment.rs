//! Payment attempts, and what the gateway says about them.

use super::{ids::OrderId, money::Rupiah, time::Timestamp};
use serde::{Deserialize, Serialize};

/// One payment link of an order. What became of it is on the order: which invoice paid it, or that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub order: OrderId,
    /// 1, 2, 3, ...; only the last one is live.
    pub number: u32,
    pub amount: Rupiah,
    pub created_at: Timestamp,
    /// The Idempotency-Key that asked for it, where it is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The order's deadline: no link outlives it.
    pub expires_at: Timestamp,
    /// Until then somebody is creating the invoice at the gateway.
    pub claimed_until: Timestamp,
    #[serde(default)]
    pub invoice: Option<InvoiceLink>,
    /// When the gateway was asked about it last at a customer's wish, and whether it takes no money any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLink {
    pub id: String,
    pub url: String,
}

impl Attempt {
    pub fn external_id(&self) -> ExternalId {
        ExternalId { order: self.order, attempt: self.number }
    }
}

/// How the gateway knows an attempt: deterministic, so that an invoice can be found after a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExternalId {
    pub order: OrderId,
    pub attempt: u32,
}

impl ExternalId {
    pub fn parse(text: &str) -> Option<Self> {
        let (order, attempt) = text.strip_prefix("qutab-")?.rsplit_once('-')?;
        Some(Self { order: OrderId::parse(order)?, attempt: attempt.parse().ok()? })
    }
}

impl std::fmt::Display for ExternalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "qutab-{}-{}", self.order, self.attempt)
    }
}

/// How an invoice was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The invoice at the gateway; `free` for an order whose total is zero.
    pub invoice: String,
    pub attempt: u32,
    pub amount: Rupiah,
    pub at: Timestamp,
    #[serde(default)]
    pub method: Option<PaymentMethod>,
}

impl Paid {
    /// What stands for the invoice of an order that costs nothing.
    pub const FREE: &'static str = "free";
}

/// The rail on which the money came, as far as refunds depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    Ewallet,
    Qris,
    Card,
    DirectDebit,
    VirtualAccount,
    RetailOutlet,
    Other,
}

impl PaymentMethod {
    /// The gateway's `payment_method`; names it adds later are [`Self::Other`].
    pub fn of_gateway(name: &str) -> Self {
        match name {
            "EWALLET" => Self::Ewallet,
            "QR_CODE" | "QRIS" => Self::Qris,
            "CREDIT_CARD" => Self::Card,
            "DIRECT_DEBIT" => Self::DirectDebit,
            "BANK_TRANSFER" | "VIRTUAL_ACCOUNT" => Self::VirtualAccount,
            "RETAIL_OUTLET" => Self::RetailOutlet,
            _ => Self::Other,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ewallet => "ewallet",
            Self::Qris => "qris",
            Self::Card => "card",
            Self::DirectDebit => "direct_debit",
            Self::VirtualAccount => "virtual_account",
            Self::RetailOutlet => "retail_outlet",
            Self::Other => "other",
        }
    }

    /// Virtual accounts and retail outlets cannot send money back: an admin transfers it by hand.
    pub const fn refunds_through_gateway(self) -> bool {
        !matches!(self, Self::VirtualAccount | Self::RetailOutlet)
    }
}

/// Money that came in without paying an order: a second payment, one too late to be honoured, or of another amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub order: OrderId,
    pub paid: Paid,
    pub currency: String,
    pub why: Surplus,
    pub recorded_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surplus {
    Duplicate,
    TooLate,
    /// Another amount or currency than asked: an admin decides, nothing is paid or refunded by itself.
    Unmatched,
}

/// The gateway told of an invoice of an order: what it said, not what is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub order: OrderId,
    pub invoice: String,
    /// In the gateway's word.
    pub said: String,
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

/// How long notices are kept.
const NOTICE_DAYS: u16 = 400;

impl Notice {
    /// Of an invoice under the name that an attempt gave it; nothing for one that is not ours.
    pub fn of(external_id: &str, invoice: &str, said: &str, now: Timestamp) -> Option<Self> {
        let order = ExternalId::parse(external_id)?.order;
        let said = said.chars().take(20).collect();
        Some(Self { order, invoice: invoice.into(), said, at: now, expires_at: now.plus_days(NOTICE_DAYS) })
    }
}
