//! Discount codes.

use super::{
    Wrong,
    ids::AffiliateId,
    money::{BasisPoints, Overflow, Rupiah},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// 3 to 20 letters, digits or dashes, upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CouponCode(String);

impl CouponCode {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let code = text.trim().to_ascii_uppercase();
        if (3..=20).contains(&code.len()) && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            Ok(Self(code))
        } else {
            Err(Wrong::new("bad_coupon", "must be 3 to 20 letters, digits or dashes"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Discount {
    Percent { rate: BasisPoints, cap: Option<Rupiah> },
    Fixed { amount: Rupiah },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub code: CouponCode,
    pub discount: Discount,
    pub valid_from: Timestamp,
    pub valid_until: Timestamp,
    pub minimum_order: Rupiah,
    /// How many orders may use it.
    pub limit: u32,
    /// How many did, or hold it now.
    pub used: u32,
    pub active: bool,
    /// Whose sale it is when this code is used.
    pub affiliate: Option<AffiliateId>,
}

/// Why a coupon does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotValid {
    #[error("there is no such coupon")]
    Unknown,
    #[error("the coupon is not active")]
    Inactive,
    #[error("the coupon is not valid yet")]
    NotYet,
    #[error("the coupon has expired")]
    Expired,
    #[error("the coupon has been used up")]
    UsedUp,
    #[error("the order is below the coupon's minimum")]
    BelowMinimum,
}

impl NotValid {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "coupon_unknown",
            Self::Inactive => "coupon_inactive",
            Self::NotYet => "coupon_not_yet_valid",
            Self::Expired => "coupon_expired",
            Self::UsedUp => "coupon_used_up",
            Self::BelowMinimum => "coupon_below_minimum",
        }
    }
}

impl Coupon {
    /// The discount on `subtotal` now; never more than the subtotal. The use itself is taken by a condition at the write.
    pub fn discount_on(&self, subtotal: Rupiah, now: Timestamp) -> Result<Result<Rupiah, NotValid>, Overflow> {
        let refused = if !self.active {
            Some(NotValid::Inactive)
        } else if now < self.valid_from {
            Some(NotValid::NotYet)
        } else if now >= self.valid_until {
            Some(NotValid::Expired)
        } else if self.used >= self.limit {
            Some(NotValid::UsedUp)
        } else if subtotal < self.minimum_order {
            Some(NotValid::BelowMinimum)
        } else {
            None
        };
        if let Some(reason) = refused {
            return Ok(Err(reason));
        }
        let full = match self.discount {
            Discount::Percent { rate, cap } => {
                let part = subtotal.percent(rate)?;
                cap.map_or(part, |cap| part.min(cap))
            }
            Discount::Fixed { amount } => amount,
        };
        Ok(Ok(full.min(subtotal).max(Rupiah::ZERO)))
    }
}
