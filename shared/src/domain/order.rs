//! Orders: what was bought for whom, what it costs, and how far it has come.

use super::{
    Forbidden, Wrong,
    attribution::{Attribution, NotAttributed},
    catalog::Product,
    coupon::CouponCode,
    ids::{CustomerId, OrderId, ProductId},
    money::{Overflow, Rupiah},
    payment::Paid,
    picture::Picture,
    refund::{RefundReason, RefundStatus},
    settings::Settings,
    signal::Signal,
    status,
    text::{Note, PersonName, Place, Title},
    time::{Day, Entropy, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::fmt;

status! {
    OrderStatus {
        Pending = "pending", Paid = "paid", Processing = "processing", Distributed = "distributed", Completed = "completed",
        Cancelled = "cancelled", Expired = "expired", Refunded = "refunded",
    }
    steps {
        Pending => [Paid, Cancelled, Expired],
        Paid => [Processing, Refunded],
        Processing => [Distributed, Refunded],
        Distributed => [Completed, Refunded],
        Completed => [Refunded],
        // Only by a verified late payment.
        Expired => [Paid],
        Cancelled => [Paid],
    }
}

/// `QTB-YYMMDD-XXXX`: the day in Jakarta and a random tail, for people to read out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNumber(String);

impl OrderNumber {
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(format!("QTB-{}-{}", now.day().compact(), entropy.text(4, b"ABCDEFGHJKMNPQRSTUVWXYZ23456789")))
    }

    /// A number as somebody reads it out.
    pub fn parse(text: &str) -> Option<Self> {
        let number = Self(text.trim().to_ascii_uppercase());
        (number.0.len() == 15 && number.day().is_some()).then_some(number)
    }

    /// The day in Jakarta on which it was given out.
    pub fn day(&self) -> Option<Day> {
        let digits = self.0.strip_prefix("QTB-")?.get(..6)?;
        Day::parse(&format!("20{}-{}-{}", digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In whose name the animal is given; `father` is what follows bin or binti.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shohibul {
    pub name: PersonName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub father: Option<PersonName>,
}

/// One product of an order. The name and the price are copies: later changes of the product do not reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub product: ProductId,
    pub name: Title,
    pub quantity: u32,
    pub unit_price: Rupiah,
    pub shohibul: Vec<Shohibul>,
}

/// Whom the meat goes to, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub name: PersonName,
    pub location: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponUse {
    pub code: CouponCode,
    pub discount: Rupiah,
    /// The limit for each customer in which this order counts, as it was when the order was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u32>,
}

/// One change of status: the order's tracking is the list of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub to: OrderStatus,
    pub at: Timestamp,
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Who moved an order. An admin is named in full in the audit trail, not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Customer,
    Gateway,
    Schedule,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub number: OrderNumber,
    pub customer: CustomerId,
    pub status: OrderStatus,
    pub lines: Vec<OrderLine>,
    pub recipient: Recipient,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The version of the terms that the customer agreed to, at `placed_at`.
    pub terms: String,
    pub season: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponUse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<NotAttributed>,
    /// What was odd about it when it was placed, where it is somebody's sale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    pub subtotal: Rupiah,
    pub total: Rupiah,
    pub placed_at: Timestamp,
    pub pay_by: Timestamp,
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
    /// Requested and succeeded refunds of what was paid; never more than that.
    pub refunded: Rupiah,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
    /// What staff photographed on the way, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<OrderPhoto>,
    /// No mail tells of it until it is paid: the customer's address is not proved, and was told of another order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Digest of the request that placed it, when it came with an Idempotency-Key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// A picture of the animal, the slaughter or the distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPhoto {
    pub picture: Picture,
    pub at: Timestamp,
}

/// Most photos of one order.
pub const MOST_PHOTOS: usize = 10;
/// Most distinct products of one order.
pub const MAX_LINES: usize = 20;
/// Most units of one product in one order.
pub const MAX_QUANTITY: u32 = 100;
/// No order may cost more: a gateway takes no such amount, and sums stay far from overflow.
pub const MAX_TOTAL: Rupiah = Rupiah::new(1_000_000_000_000);

/// A line as it was asked for, before the catalogue has been consulted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedLine {
    pub product: ProductId,
    pub quantity: u32,
    pub shohibul: Vec<Shohibul>,
}

impl WantedLine {
    /// Equal products become one line, so that stock is taken by one condition for each product.
    pub fn merged(lines: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::with_capacity(lines.len());
        for line in lines {
            match merged.iter_mut().find(|m| m.product == line.product) {
                Some(same) => {
                    same.quantity = same.quantity.saturating_add(line.quantity);
                    same.shohibul.extend(line.shohibul);
                }
                None => merged.push(line),
            }
        }
        merged
    }

    /// The line at the product's price, or what is wrong with it.
    pub fn priced(self, product: &Product) -> Result<OrderLine, Wrong> {
        let line = OrderLine::unnamed(product, self.quantity)?;
        let most = product.names_per_unit() * self.quantity as usize;
        check_names(self.shohibul.len(), self.quantity as usize, most)?;
        Ok(OrderLine { shohibul: self.shohibul, ..line })
    }
}

/// No animal is offered in nobody's name.
fn check_names(names: usize, units: usize, most: usize) -> Result<(), Wrong> {
    if (units..=most).contains(&names) { Ok(()) } else { Err(Wrong::new("bad_shohibul", format!("needs {units} to {most} shohibul names"))) }
}

impl OrderLine {
    /// So many units of a product at its price, while nobody is named yet.
    pub fn unnamed(product: &Product, quantity: u32) -> Result<Self, Wrong> {
        if !product.active {
            return Err(Wrong::new("not_for_sale", "this product is not for sale"));
        }
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(Wrong::new("bad_quantity", format!("must be 1 to {MAX_QUANTITY}")));
        }
        Ok(Self { product: product.id, name: product.name.clone(), quantity, unit_price: product.price, shohibul: Vec::new() })
    }

    pub fn price(&self) -> Result<Rupiah, Overflow> {
        self.unit_price.times(self.quantity)
    }
}

/// Most bytes that the names of one order take. Its item takes 400 KB in all: the rest is for lines, notes and photos, so
/// that every later step still fits.
pub const MOST_NAME_BYTES: usize = 100_000;
/// What each person takes beside the names, as the table counts it.
const PERSON_BYTES: usize = 24;

/// Whether the names of these lines fit into the item of one order.
pub fn names_fit(lines: &[OrderLine]) -> Result<(), Wrong> {
    let bytes = |s: &Shohibul| PERSON_BYTES + s.name.as_str().len() + s.father.as_ref().map_or(0, |f| f.as_str().len());
    let all: usize = lines.iter().flat_map(|l| &l.shohibul).map(bytes).sum();
    let why = || Wrong::new("too_many_names", "the shohibul names of one order are too long together; place a second order");
    if all <= MOST_NAME_BYTES { Ok(()) } else { Err(why()) }
}

/// What a refund does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundKind {
    /// The order is over; 0 % is possible.
    Ends,
    /// Part of the money back, the order goes on.
    Adjusts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRefundable {
    #[error(transparent)]
    Step(#[from] Forbidden),
    #[error("the order has not been paid")]
    NotPaid,
    #[error("more than what is left of the payment")]
    TooMuch,
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Order {
    /// The order in its next status, with the step in its history.
    pub fn moved(mut self, to: OrderStatus, by: Actor, note: Option<Note>, at: Timestamp) -> Result<Self, Forbidden> {
        self.status = self.status.step(to)?;
        self.history.push(Step { to, at, by, note });
        Ok(self)
    }

    /// Whether somebody who looks for `words` means this one: by number, names, place, products or note.
    pub fn is_meant_by(&self, words: &str) -> bool {
        let shohibul = self.lines.iter().flat_map(|l| &l.shohibul).map(|s| s.name.as_str());
        let texts =
            [self.number.as_str(), self.recipient.name.as_str(), self.recipient.location.as_str(), self.note.as_ref().map_or("", Note::as_str)];
        let all = texts.into_iter().chain(self.lines.iter().map(|l| l.name.as_str())).chain(shohibul).collect::<Vec<_>>().join(" ").to_lowercase();
        words.to_lowercase().split_whitespace().all(|w| all.contains(w))
    }

    /// With a photo; the oldest go when there are too many.
    pub fn pictured(mut self, picture: Picture, at: Timestamp) -> Self {
        self.photos.retain(|p| p.picture.id != picture.id);
        self.photos.push(OrderPhoto { picture, at });
        let over = self.photos.len().saturating_sub(MOST_PHOTOS);
        self.photos.drain(..over);
        self
    }

    /// What was ordered, in at most some hundred characters.
    pub fn in_words(&self) -> String {
        const MOST: usize = 200;
        let all = self.lines.iter().map(|l| format!("{} x {}", l.quantity, l.name)).collect::<Vec<_>>().join(", ");
        if all.chars().count() <= MOST { all } else { all.chars().take(MOST - 1).chain(['\u{2026}']).collect() }
    }

    /// Other shohibul names for one line; as many as the line allows.
    pub fn renamed(mut self, product: ProductId, shohibul: Vec<Shohibul>, most: usize) -> Result<Self, Wrong> {
        let line = self.lines.iter_mut().find(|l| l.product == product);
        let line = line.ok_or_else(|| Wrong::new("unknown_product", "is not in this order"))?;
        check_names(shohibul.len(), line.quantity as usize, most * line.quantity as usize)?;
        line.shohibul = shohibul;
        Ok(self)
    }

    /// Whether the names are still only words: nobody has taken them to the slaughter.
    pub const fn names_are_open(&self) -> bool {
        matches!(self.status, OrderStatus::Pending | OrderStatus::Paid | OrderStatus::Processing)
    }

    /// Paid, in time or late.
    pub fn paid(mut self, paid: Paid, now: Timestamp) -> Result<Self, Forbidden> {
        self = self.moved(OrderStatus::Paid, Actor::Gateway, None, now)?;
        self.paid = Some(paid);
        Ok(self)
    }

    /// Whether the order holds units of stock and a use of its coupon.
    pub const fn holds_stock(&self) -> bool {
        !matches!(self.status, OrderStatus::Cancelled | OrderStatus::Expired)
    }

    /// Whether ending it now puts the animals back on sale: only before anybody has begun to process it.
    pub const fn returns_stock_on_refund(&self) -> bool {
        matches!(self.status, OrderStatus::Paid)
    }

    pub const fn is_payable(&self) -> bool {
        matches!(self.status, OrderStatus::Pending)
    }

    /// What can still be refunded.
    pub fn refundable(&self) -> Rupiah {
        self.paid.as_ref().and_then(|p| p.amount.minus(self.refunded).ok()).unwrap_or(Rupiah::ZERO)
    }

    /// What the season's tiers propose for a refund now: that part of the payment, less what went back already.
    pub fn proposed_refund(&self, settings: &Settings, now: Timestamp) -> Result<Rupiah, Overflow> {
        let paid = self.paid.as_ref().map_or(Rupiah::ZERO, |p| p.amount);
        let share = paid.percent(settings.proposed_refund(self.season, now.day()))?;
        Ok(share.minus(self.refunded)?.max(Rupiah::ZERO))
    }

    /// The order after a refund of `amount` was requested.
    pub fn refund(mut self, amount: Rupiah, kind: RefundKind, note: Option<Note>, now: Timestamp) -> Result<Self, NotRefundable> {
        let paid = self.paid.as_ref().ok_or(NotRefundable::NotPaid)?.amount;
        if amount.is_negative() || amount > self.refundable() || (kind == RefundKind::Adjusts && amount == Rupiah::ZERO) {
            return Err(NotRefundable::TooMuch);
        }
        self.refunded = self.refunded.plus(amount)?;
        debug_assert!(self.refunded <= paid);
        match kind {
            RefundKind::Ends => Ok(self.moved(OrderStatus::Refunded, Actor::Admin, note, now)?),
            // An adjusted order must still stand.
            RefundKind::Adjusts if self.status == OrderStatus::Refunded => Err(Forbidden { from: "refunded", to: "adjusted" }.into()),
            RefundKind::Adjusts => Ok(self),
        }
    }

    /// The order after a person took over a refund that had failed: it counts again, as far as that much is left.
    pub fn refund_taken_over(mut self, amount: Rupiah) -> Result<Self, NotRefundable> {
        if amount > self.refundable() {
            return Err(NotRefundable::TooMuch);
        }
        self.refunded = self.refunded.plus(amount)?;
        Ok(self)
    }

    /// The order after one of its refunds failed for good: that money counts as not refunded again.
    pub fn refund_failed(mut self, amount: Rupiah) -> Result<Self, Overflow> {
        self.refunded = self.refunded.minus(amount)?.max(Rupiah::ZERO);
        Ok(self)
    }
}

/// What the customer sees of one refund.
#[derive(Debug, Clone, Serialize)]
pub struct RefundNotice {
    pub amount: Rupiah,
    pub status: RefundStatus,
    pub reason: RefundReason,
    pub at: Timestamp,
}
