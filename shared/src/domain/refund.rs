//! Money on its way back to a customer.

use super::{
    ids::{AdminId, OrderId, RefundId, UploadId},
    money::Rupiah,
    payment::PaymentMethod,
    status,
    text::{Note, TransferReference},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

status! {
    /// `manual` waits for (and then records) a bank transfer by an admin.
    RefundStatus { Requested = "requested", Sent = "sent", Succeeded = "succeeded", Failed = "failed", Manual = "manual" }
    steps {
        Requested => [Sent, Succeeded, Failed, Manual],
        Sent => [Succeeded, Failed, Manual],
        Failed => [Manual],
        Manual => [Succeeded],
    }
}

/// Why, in the gateway's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundReason {
    RequestedByCustomer,
    Cancellation,
    Duplicate,
    Others,
}

impl RefundReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestedByCustomer => "REQUESTED_BY_CUSTOMER",
            Self::Cancellation => "CANCELLATION",
            Self::Duplicate => "DUPLICATE",
            Self::Others => "OTHERS",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub id: RefundId,
    pub order: OrderId,
    pub status: RefundStatus,
    pub amount: Rupiah,
    pub reason: RefundReason,
    pub note: Option<Note>,
    /// Whether it ended the order, or only adjusted it.
    pub ends: bool,
    /// The invoice that was paid, and on which rail.
    pub invoice: String,
    pub method: PaymentMethod,
    /// Whether it counts against what the order was paid: refunds of surplus money do not.
    pub of_order: bool,
    pub requested_by: Option<AdminId>,
    pub requested_at: Timestamp,
    #[serde(default)]
    pub gateway_id: Option<String>,
    /// Since when the gateway is not asked to send it any more, for it has refused for too long.
    #[serde(default)]
    pub given_up_at: Option<Timestamp>,
    /// Reference of the manual transfer.
    #[serde(default)]
    pub proof: Option<TransferReference>,
    /// The picture that proves it.
    #[serde(default)]
    pub picture: Option<UploadId>,
    pub updated_at: Timestamp,
}

impl Refund {
    /// The same refund in its next status.
    pub fn moved(mut self, to: RefundStatus, now: Timestamp) -> Result<Self, super::Forbidden> {
        self.status = self.status.step(to)?;
        self.updated_at = now;
        Ok(self)
    }
}
