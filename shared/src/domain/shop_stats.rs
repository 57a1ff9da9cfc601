//! What the whole shop sold: counted by the day on which orders were placed, from the orders as they are now.

use super::{
    catalog::Category,
    commission::{Commission, CommissionStatus},
    ids::{AffiliateId, ProductId},
    money::{Overflow, Rupiah},
    order::{Order, OrderStatus},
    time::{Day, Timestamp},
    wallet::Balance,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much of something was sold, after discounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    pub orders: u64,
    pub units: u64,
    pub revenue: Rupiah,
}

impl Sold {
    pub fn plus(self, other: &Self) -> Result<Self, Overflow> {
        Ok(Self { orders: self.orders + other.orders, units: self.units + other.units, revenue: self.revenue.plus(other.revenue)? })
    }
}

/// What came of affiliates' sales.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earnings {
    pub orders: u64,
    pub revenue: Rupiah,
    pub earned: Rupiah,
    pub voided: Rupiah,
    /// Earned, and waiting for a person.
    pub held: Rupiah,
}

impl Earnings {
    pub fn plus(self, other: &Self) -> Result<Self, Overflow> {
        Ok(Self {
            orders: self.orders + other.orders,
            revenue: self.revenue.plus(other.revenue)?,
            earned: self.earned.plus(other.earned)?,
            voided: self.voided.plus(other.voided)?,
            held: self.held.plus(other.held)?,
        })
    }
}

/// The sums of a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSums {
    pub placed: u64,
    /// Orders that were paid, whatever became of them since.
    pub paid: u64,
    pub revenue: Rupiah,
    pub discount: Rupiah,
    pub refunded: Rupiah,
    /// By the name of the status.
    pub by_status: BTreeMap<String, u64>,
}

/// Most places that are told apart on a day; the rest is one.
const MOST_PLACES: usize = 200;
const ELSEWHERE: &str = "other places";

/// Most products and most affiliates that are told apart on a day, the ones with the most revenue; the rest is one, with
/// exact sums. An item of the table has 400 KB, and a name with its sums some hundred bytes.
const MOST_NAMES: usize = 1_000;
pub const OTHERS: &str = "others";

/// One day of Jakarta. Counting it again gives the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDay {
    pub day: Day,
    pub as_of: Timestamp,
    #[serde(flatten)]
    pub sums: ShopSums,
    pub products: BTreeMap<String, Sold>,
    /// By the name of the category.
    pub categories: BTreeMap<String, Sold>,
    pub locations: BTreeMap<String, Sold>,
    pub affiliates: BTreeMap<String, Earnings>,
}

/// The sum of all days: changed by what a day changed by, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopTotals {
    #[serde(flatten)]
    pub sums: ShopSums,
}

/// Something happened to an order of a day: it is to be counted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopMark {
    pub listed_on: Day,
    pub day: Day,
    pub expires_at: Timestamp,
}

/// How the affiliates stand, together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings {
    pub as_of: Option<Timestamp>,
    /// By the name of the status.
    pub affiliates: BTreeMap<String, u64>,
    /// What is owed to them and was paid out.
    pub balance: Balance,
}

impl ShopSums {
    fn add(&mut self, order: &Order) -> Result<(), Overflow> {
        self.placed += 1;
        *self.by_status.entry(order.status.as_str().into()).or_default() += 1;
        let Some(paid) = &order.paid else { return Ok(()) };
        self.paid += 1;
        self.revenue = self.revenue.plus(paid.amount)?;
        self.discount = self.discount.plus(order.coupon.as_ref().map_or(Rupiah::ZERO, |c| c.discount))?;
        self.refunded = self.refunded.plus(order.refunded)?;
        Ok(())
    }

    pub fn plus(mut self, other: &Self) -> Result<Self, Overflow> {
        self.placed += other.placed;
        self.paid += other.paid;
        self.revenue = self.revenue.plus(other.revenue)?;
        self.discount = self.discount.plus(other.discount)?;
        self.refunded = self.refunded.plus(other.refunded)?;
        for (status, count) in &other.by_status {
            *self.by_status.entry(status.clone()).or_default() += count;
        }
        Ok(self)
    }

    /// These sums with `before` exchanged for `after`.
    pub fn exchanged(self, before: &Self, after: &Self) -> Result<Self, Overflow> {
        let mut sums = self.plus(after)?;
        sums.placed = sums.placed.saturating_sub(before.placed);
        sums.paid = sums.paid.saturating_sub(before.paid);
        sums.revenue = sums.revenue.minus(before.revenue)?;
        sums.discount = sums.discount.minus(before.discount)?;
        sums.refunded = sums.refunded.minus(before.refunded)?;
        for (status, count) in &before.by_status {
            let sum = sums.by_status.entry(status.clone()).or_default();
            *sum = sum.saturating_sub(*count);
        }
        Ok(sums)
    }

    /// Orders whose way is not over: their day is counted again every night.
    pub fn open(&self) -> u64 {
        let open = [OrderStatus::Pending, OrderStatus::Paid, OrderStatus::Processing, OrderStatus::Distributed];
        open.iter().filter_map(|s| self.by_status.get(s.as_str())).sum()
    }
}

impl ShopDay {
    pub fn empty(day: Day, as_of: Timestamp) -> Self {
        let (products, categories, locations, affiliates) = Default::default();
        Self { day, as_of, sums: ShopSums::default(), products, categories, locations, affiliates }
    }

    /// The day as it is kept: however many products and affiliates sold on it, it fits into one item.
    pub fn bounded(mut self) -> Result<Self, Overflow> {
        self.products = largest(self.products, |s| s.revenue, Sold::plus)?;
        self.affiliates = largest(self.affiliates, |e| e.revenue, Earnings::plus)?;
        Ok(self)
    }

    /// Adds an order with what its affiliate earns on it.
    pub fn add(&mut self, order: &Order, commission: Option<&Commission>, category: impl Fn(ProductId) -> Option<Category>) -> Result<(), Overflow> {
        self.sums.add(order)?;
        let Some(paid) = &order.paid else { return Ok(()) };
        let mut units = 0;
        for line in &order.lines {
            // The part of what was paid that is this line's.
            let revenue = paid.amount.fraction(line.price()?.get(), order.subtotal.get())?;
            let sold = Sold { orders: 1, units: u64::from(line.quantity), revenue };
            units += sold.units;
            add(&mut self.products, line.product.to_string(), &sold)?;
            if let Some(category) = category(line.product) {
                add(&mut self.categories, category.as_str().into(), &sold)?;
            }
        }
        let place = order.recipient.location.as_str();
        let known = self.locations.contains_key(place) || self.locations.len() < MOST_PLACES;
        add(&mut self.locations, if known { place } else { ELSEWHERE }.into(), &Sold { orders: 1, units, revenue: paid.amount })?;
        if let (Some(attribution), Some(c)) = (&order.attribution, commission) {
            let held = if c.status == CommissionStatus::Held { c.remaining() } else { Rupiah::ZERO };
            let earnings = Earnings { orders: 1, revenue: paid.amount, earned: c.amount, voided: c.voided, held };
            let sum = self.affiliates.entry(attribution.affiliate.to_string()).or_default();
            *sum = sum.plus(&earnings)?;
        }
        Ok(())
    }
}

fn largest<T: Default + Copy>(
    sums: BTreeMap<String, T>,
    size: impl Fn(&T) -> Rupiah,
    plus: impl Fn(T, &T) -> Result<T, Overflow>,
) -> Result<BTreeMap<String, T>, Overflow> {
    if sums.len() <= MOST_NAMES {
        return Ok(sums);
    }
    let mut sorted: Vec<(String, T)> = sums.into_iter().collect();
    sorted.sort_by(|(a, x), (b, y)| size(y).cmp(&size(x)).then_with(|| a.cmp(b)));
    let rest = sorted.split_off(MOST_NAMES);
    let others = rest.iter().try_fold(T::default(), |sum, (_, one)| plus(sum, one))?;
    Ok(sorted.into_iter().chain([(OTHERS.to_owned(), others)]).collect())
}

fn add(sums: &mut BTreeMap<String, Sold>, name: String, sold: &Sold) -> Result<(), Overflow> {
    let sum = sums.entry(name).or_default();
    *sum = sum.plus(sold)?;
    Ok(())
}

/// An affiliate's id as the days name it.
pub fn affiliate_named(name: &str) -> Option<AffiliateId> {
    AffiliateId::parse(name)
}
