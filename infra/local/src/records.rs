//! What the payment gateway's stand-in keeps: invoices, refunds, transfers.

use qutab::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invoice {
    pub id: String,
    pub external_id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub invoice_url: String,
    pub description: String,
    pub expiry_date: Timestamp,
    pub success_redirect_url: String,
    pub paid_amount: Option<i64>,
    pub paid_at: Option<Timestamp>,
    pub payment_method: Option<String>,
    pub payment_channel: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub invoice_id: String,
    pub reference_id: Option<String>,
    pub amount: i64,
    pub status: String,
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) asked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payout {
    pub id: String,
    pub reference_id: String,
    pub channel_code: String,
    pub account_number: String,
    pub amount: i64,
    pub status: String,
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) asked_at: Option<Timestamp>,
}
