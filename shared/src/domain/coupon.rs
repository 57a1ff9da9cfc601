//! Discount codes.

use super::{
    Wrong,
    affiliate::is_word,
    catalog::Category,
    ids::{AffiliateId, CustomerId, ProductId},
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
        if (3..=20).contains(&code.len()) && is_word(&code) {
            Ok(Self(code))
        } else {
            Err(Wrong::new("bad_coupon", "must be 3 to 20 letters, digits or dashes, with at least one letter or digit"))
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

/// Above this a discount is an owner's to give.
const LARGE_DISCOUNT: BasisPoints = BasisPoints::percent(50);

impl Discount {
    /// Whether it may give more than half of an order that is as small as the coupon allows.
    pub fn needs_owner(self, minimum_order: Rupiah) -> bool {
        match self {
            Self::Percent { rate, .. } => rate > LARGE_DISCOUNT,
            Self::Fixed { amount } => minimum_order.percent(LARGE_DISCOUNT).is_ok_and(|half| amount > half),
        }
    }
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
    /// How many orders of one customer may use it; nothing: no limit of their own.
    #[serde(default)]
    pub per_customer: Option<u32>,
    /// What it is for; nothing: everything. The discount and the minimum look at these items only.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// The only products that it is for; nothing: all of the categories.
    #[serde(default)]
    pub products: Vec<ProductId>,
}

/// How often one customer uses one coupon: orders that are paid, or may still be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponUses {
    pub code: CouponCode,
    pub customer: CustomerId,
    pub used: u32,
}

impl CouponUses {
    pub const fn none(code: CouponCode, customer: CustomerId) -> Self {
        Self { code, customer, used: 0 }
    }

    pub fn one_more(&self) -> Self {
        Self { used: self.used.saturating_add(1), ..self.clone() }
    }

    pub fn one_less(&self) -> Self {
        Self { used: self.used.saturating_sub(1), ..self.clone() }
    }
}

/// One line of a basket, as far as a coupon looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basket {
    pub product: ProductId,
    pub category: Category,
    pub price: Rupiah,
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
    #[error("you have used the coupon as often as you may")]
    UsedByYou,
    #[error("an order of yours that is not paid yet uses the coupon")]
    HeldByYou,
    #[error("the coupon is not for these items")]
    NotForThese,
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
            Self::UsedByYou => "coupon_used_by_you",
            Self::HeldByYou => "coupon_held_by_you",
            Self::NotForThese => "coupon_not_for_these_items",
            Self::BelowMinimum => "coupon_below_minimum",
        }
    }
}

impl Coupon {
    /// The discount on a basket now, for a customer who uses it `used_by_you` times already; never more than the items
    /// that it is for. The use itself is taken by a condition at the write.
    pub fn discount_on(&self, basket: &[Basket], used_by_you: u32, now: Timestamp) -> Result<Result<Rupiah, NotValid>, Overflow> {
        let is_meant = |b: &&Basket| {
            (self.categories.is_empty() || self.categories.contains(&b.category)) && (self.products.is_empty() || self.products.contains(&b.product))
        };
        let mut meant = basket.iter().filter(is_meant).peekable();
        let fits = meant.peek().is_some();
        let subtotal = meant.try_fold(Rupiah::ZERO, |sum, b| sum.plus(b.price))?;
        let refused = if !self.active {
            Some(NotValid::Inactive)
        } else if now < self.valid_from {
            Some(NotValid::NotYet)
        } else if now >= self.valid_until {
            Some(NotValid::Expired)
        } else if self.used >= self.limit {
            Some(NotValid::UsedUp)
        } else if self.per_customer.is_some_and(|most| used_by_you >= most) {
            Some(NotValid::UsedByYou)
        } else if !fits {
            Some(NotValid::NotForThese)
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
