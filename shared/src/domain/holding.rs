//! What orders that are not paid keep from everybody else: stock and coupons, counted before an order takes more.

use super::{coupon::CouponCode, ids::OrderId, settings::Settings, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Open orders of a customer whose address is proved: enough for a family and a mosque, too few to empty the shop.
const ORDERS: usize = 5;
/// Open orders of a customer whose address nobody proved: such an account costs nothing.
const ORDERS_UNPROVED: usize = 1;
/// Animals of such an order: a cow's seven shares, or seven goats.
const UNITS_UNPROVED: u32 = 7;
/// Animals that customers without a proved address hold together from one network address. Mobile networks put
/// thousands behind one, so it is no small number, and whoever proves an address is not counted by it.
pub const UNITS_OF_ADDRESS: u32 = 70;
/// How long an order waits for its payment when the address is not proved.
const HOURS_UNPROVED: u16 = 2;

/// What an order holds until it is paid, cancelled or too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub order: OrderId,
    pub units: u32,
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponCode>,
}

/// The holds of an account or of a network address. Those whose time is over do not count, so nothing has to remove them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holds(Vec<Hold>);

/// How much may be held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub orders: usize,
    pub units: u32,
}

impl Allowance {
    /// Of one customer.
    pub const fn of_customer(proved: bool, settings: &Settings) -> Self {
        if proved {
            Self { orders: ORDERS, units: settings.unpaid_animals }
        } else {
            let units = if settings.unpaid_animals < UNITS_UNPROVED { settings.unpaid_animals } else { UNITS_UNPROVED };
            Self { orders: ORDERS_UNPROVED, units }
        }
    }

    /// Of one network address, by customers whose address of mail is not proved.
    pub const fn of_address() -> Self {
        Self { orders: usize::MAX, units: UNITS_OF_ADDRESS }
    }
}

/// How many hours a customer has to pay.
pub fn hours_to_pay(proved: bool, settings: &Settings) -> u16 {
    if proved { settings.payment_hours } else { settings.payment_hours.min(HOURS_UNPROVED) }
}

/// Why an order may not hold what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Never allowed in one order.
    TooLarge { most: u32 },
    /// Not while other orders wait for their payment: the first of them ends then.
    Until(Timestamp),
    /// An order that waits for its payment uses the same coupon.
    Coupon,
}

impl Holds {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The orders that are looked at before anything is refused: they may be paid or cancelled by now.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.0.iter().map(|h| h.order)
    }

    /// Those that may still hold something at `now`.
    pub fn live(self, now: Timestamp) -> Self {
        Self(self.0.into_iter().filter(|h| h.until > now).collect())
    }

    /// Those whose orders still wait.
    pub fn only(self, waits: impl Fn(OrderId) -> bool) -> Self {
        Self(self.0.into_iter().filter(|h| waits(h.order)).collect())
    }

    pub fn with(mut self, hold: Hold) -> Self {
        self.0.push(hold);
        self
    }

    pub fn last_until(&self) -> Option<Timestamp> {
        self.0.iter().map(|h| h.until).max()
    }

    /// Whether `hold` fits beside these.
    pub fn admit(&self, hold: &Hold, allowed: Allowance) -> Result<(), Excess> {
        if hold.units > allowed.units {
            return Err(Excess::TooLarge { most: allowed.units });
        }
        let units = self.0.iter().fold(hold.units, |sum, h| sum.saturating_add(h.units));
        let first = self.0.iter().map(|h| h.until).min();
        if let Some(first) = first
            && (units > allowed.units || self.0.len() >= allowed.orders)
        {
            return Err(Excess::Until(first));
        }
        let same = |h: &Hold| h.coupon.is_some() && h.coupon == hold.coupon;
        if self.0.iter().any(same) { Err(Excess::Coupon) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(name: &str, units: u32, until: i64) -> Hold {
        Hold { order: OrderId::named(&[name]), units, until: Timestamp::from_unix(until), coupon: None }
    }

    #[test]
    fn what_is_held_counts_until_its_time_is_over_or_its_order_is_closed() {
        let allowed = Allowance { orders: 3, units: 10 };
        let holds = Holds::default().with(hold("a", 4, 100)).with(hold("b", 5, 200));
        assert_eq!(holds.admit(&hold("c", 1, 300), allowed), Ok(()));
        assert_eq!(holds.admit(&hold("c", 2, 300), allowed), Err(Excess::Until(Timestamp::from_unix(100))));
        assert_eq!(holds.admit(&hold("c", 11, 300), allowed), Err(Excess::TooLarge { most: 10 }));
        assert_eq!(holds.clone().live(Timestamp::from_unix(100)).admit(&hold("c", 5, 300), allowed), Ok(()));
        let closed = OrderId::named(&["b"]);
        assert_eq!(holds.only(|order| order != closed).admit(&hold("c", 6, 300), allowed), Ok(()));
        let full = Holds::default().with(hold("a", 1, 100)).with(hold("b", 1, 90)).with(hold("c", 1, 110));
        assert_eq!(full.admit(&hold("d", 1, 300), allowed), Err(Excess::Until(Timestamp::from_unix(90))));
    }

    #[test]
    fn one_coupon_is_held_once() {
        let coupon = CouponCode::parse("SEKALI").ok();
        let with = |name: &str| Hold { coupon: coupon.clone(), ..hold(name, 1, 100) };
        let holds = Holds::default().with(with("a"));
        let allowed = Allowance { orders: 5, units: 10 };
        assert_eq!(holds.admit(&with("b"), allowed), Err(Excess::Coupon));
        assert_eq!(holds.admit(&hold("b", 1, 100), allowed), Ok(()));
    }
}
