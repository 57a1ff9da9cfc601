//! An attributed sale as the affiliate who brought it sees it.

use super::{Wrong, attribution::NotAttributed, commission::Shown, money::Rupiah, order::OrderNumber, time::Timestamp};
use serde::Serialize;

/// What became of an order that was placed through an affiliate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// Placed, not paid yet.
    Pending,
    /// Paid: its commission is held, pending or available.
    Confirmed,
    /// Its commission is covered by a paid payout.
    Paid,
    Void,
}

impl LeadStatus {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Paid, Self::Void];

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "pending" => Ok(Self::Pending),
            "confirmed" => Ok(Self::Confirmed),
            "paid" => Ok(Self::Paid),
            "void" => Ok(Self::Void),
            _ => Err(Wrong::new("unknown_value", "must be one of pending, confirmed, paid, void")),
        }
    }

    /// From the order's end, if it ended unpaid, and the commission, if there is one.
    pub const fn of(ended: bool, commission: Option<Shown>) -> Self {
        match commission {
            Some(Shown::Held | Shown::Pending | Shown::Available) => Self::Confirmed,
            Some(Shown::Paid) => Self::Paid,
            Some(Shown::Void) => Self::Void,
            None if ended => Self::Void,
            None => Self::Pending,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lead {
    pub order_number: OrderNumber,
    /// Masked when the order was placed.
    pub customer: String,
    pub items: String,
    pub total: Rupiah,
    pub status: LeadStatus,
    /// Why it earns nothing, where it never could.
    pub flag: Option<NotAttributed>,
    /// What is left of the commission.
    pub commission: Option<Rupiah>,
    pub placed_at: Timestamp,
    pub paid_at: Option<Timestamp>,
}
