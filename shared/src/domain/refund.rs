//! Money on its way back to a customer.

use super::{
    Forbidden,
    ids::{AdminId, OrderId, RefundId, UploadId},
    money::Rupiah,
    payment::PaymentMethod,
    status,
    text::{Note, TransferReference},
    time::Timestamp,
    verdict::{Announced, NotTaken},
};
use serde::{Deserialize, Serialize};

status! {
    /// `manual` waits for (and then records) a bank transfer by an admin.
    RefundStatus { Requested = "requested", Sent = "sent", Succeeded = "succeeded", Failed = "failed", Manual = "manual" }
    steps {
        Requested => [Sent, Succeeded, Failed, Manual],
        Sent => [Succeeded, Failed, Manual],
        // Only by the gateway's word, against what it said before.
        Failed => [Manual, Succeeded],
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
    /// The refund in its next status. The ways there are the transitions below; none of them ends a refund without the
    /// gateway's word, a look-up that found nothing, or a person.
    fn step(mut self, to: RefundStatus, now: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(to)?;
        self.updated_at = now;
        Ok(self)
    }

    /// The gateway has taken it, and has not said what became of it.
    pub fn sent(self, gateway_id: String, now: Timestamp) -> Result<Self, Forbidden> {
        Ok(Self { gateway_id: Some(gateway_id), ..self.step(RefundStatus::Sent, now)? })
    }

    /// The gateway says what became of it. A refund without a status for that word (`paid`, `reversed`) has no such step.
    pub fn settled(self, said: Announced, gateway_id: String, now: Timestamp) -> Result<Self, Forbidden> {
        let to = match said {
            Announced::Succeeded => RefundStatus::Succeeded,
            Announced::Failed => RefundStatus::Failed,
            Announced::Paid => return Err(Forbidden { from: self.status.as_str(), to: "paid" }),
            Announced::Reversed => return Err(Forbidden { from: self.status.as_str(), to: "reversed" }),
        };
        Ok(Self { gateway_id: Some(gateway_id), ..self.step(to, now)? })
    }

    /// The gateway has not taken it and never will: a person transfers it.
    pub fn left_to_a_person(self, proof: NotTaken) -> Result<Self, Forbidden> {
        self.step(RefundStatus::Manual, proof.asked_at())
    }

    /// The rail on which the money came takes none back, so the gateway was never asked: a person transfers it.
    pub fn left_to_a_person_by_its_rail(self, now: Timestamp) -> Result<Self, Forbidden> {
        if self.method.refunds_through_gateway() {
            return Err(Forbidden { from: self.status.as_str(), to: RefundStatus::Manual.as_str() });
        }
        self.step(RefundStatus::Manual, now)
    }

    /// A person takes over a refund of which the gateway has said that it failed.
    pub fn taken_over(self, now: Timestamp) -> Result<Self, Forbidden> {
        if self.status != RefundStatus::Failed {
            return Err(Forbidden { from: self.status.as_str(), to: RefundStatus::Manual.as_str() });
        }
        self.step(RefundStatus::Manual, now)
    }

    /// A person has made the transfer.
    pub fn confirmed(self, reference: TransferReference, now: Timestamp) -> Result<Self, Forbidden> {
        if self.status != RefundStatus::Manual {
            return Err(Forbidden { from: self.status.as_str(), to: RefundStatus::Succeeded.as_str() });
        }
        Ok(Self { proof: Some(reference), ..self.step(RefundStatus::Succeeded, now)? })
    }

    /// The name under which the gateway knows it.
    pub fn name_at_gateway(&self) -> String {
        format!("{}/{}", self.order, self.id)
    }

    /// The refund behind a name at the gateway, where it is one of ours.
    pub fn parse_name(name: &str) -> Option<(OrderId, RefundId)> {
        let (order, refund) = name.split_once('/')?;
        Some((OrderId::parse(order)?, RefundId::parse(refund)?))
    }

    pub fn is_our_name(name: &str) -> bool {
        Self::parse_name(name).is_some()
    }

    /// Whether a person has made the transfer by hand.
    pub const fn was_made_by_hand(&self) -> bool {
        self.proof.is_some()
    }
}
