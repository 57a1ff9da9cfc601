//! What a basket would cost with a coupon: the same reckoning as placing the order, without taking anything.

use super::{
    App, Problem,
    pricing::{basket, price, subtotal},
    sessions::OwnSession,
};
use crate::{
    domain::{
        catalog::Product,
        coupon::{Coupon, CouponCode, CouponUses, NotValid},
        ids::CustomerId,
        money::Rupiah,
        order::{OrderLine, WantedLine},
        settings::Settings,
        time::Timestamp,
    },
    store::{
        Found,
        keys::{self, Key},
        throttle::{Limit, Window},
    },
};

/// Enough for any checkout, too few to guess codes: of one customer, and of all customers of one network address, for
/// accounts cost nothing.
const TRIES: Limit = Limit { attempts: 60, seconds: 600 };
const TRIES_OF_ADDRESS: Limit = Limit { attempts: 200, seconds: 600 };

/// The windows in which tries at coupons are counted: only those that fail, so that a sale pays for no other. They are
/// read with everything else; of tries at the same instant some more may pass than the limit says.
pub(super) struct Tries([Window; 2], Timestamp);

impl Tries {
    pub fn of(customer: CustomerId, address: &str, now: Timestamp) -> Self {
        Self([TRIES.window(&format!("coupon#{customer}"), now), TRIES_OF_ADDRESS.window(&format!("coupon#{address}"), now)], now)
    }

    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.0.iter().map(Window::key)
    }

    /// Refuses before anything is said of the code.
    pub fn left(&self, found: &Found) -> Result<(), Problem> {
        match self.0.iter().find_map(|w| w.wait_if_full(found.attempts(w), self.1)) {
            Some(wait) => Err(Problem::too_many(wait)),
            None => Ok(()),
        }
    }

    /// A code was named and got nothing.
    pub async fn failed(&self, app: &App) -> Result<(), Problem> {
        for window in &self.0 {
            app.store.count(window).await?;
        }
        Ok(())
    }
}

/// The totals, and the discount or the reason why there is none.
#[derive(Debug, Clone, Copy)]
pub struct Quote {
    pub subtotal: Rupiah,
    pub discount: Result<Rupiah, NotValid>,
    pub total: Rupiah,
    pub valid_until: Option<Timestamp>,
}

/// `items` need no shohibul names yet.
pub async fn quote(app: &App, caller: &OwnSession, items: &[WantedLine], code: &CouponCode, address: &str) -> Result<Quote, Problem> {
    let now = app.clock.now();
    let customer = caller.customer();
    let tries = Tries::of(customer, address, now);
    let (coupon_key, uses_key) = (keys::coupon(code), keys::coupon_uses(code, customer));
    let wants = items.iter().map(|i| keys::product(i.product)).chain([coupon_key.clone(), uses_key.clone(), keys::settings(), caller.key()]);
    let mut found = app.store.get_many(wants.chain(tries.keys())).await?;
    caller.lives(&mut found, now)?;
    tries.left(&found)?;
    let quote = reckon(&mut found, customer, items, code, now);
    // Wrong items beside a code tell as much of the code as right ones.
    if !matches!(&quote, Ok(Quote { discount: Ok(_), .. })) {
        tries.failed(app).await?;
    }
    quote
}

fn reckon(found: &mut Found, customer: CustomerId, items: &[WantedLine], code: &CouponCode, now: Timestamp) -> Result<Quote, Problem> {
    let (coupon_key, uses_key) = (keys::coupon(code), keys::coupon_uses(code, customer));
    let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
    let mut products = Vec::new();
    for item in items {
        products.extend(found.take::<Product>(&keys::product(item.product))?.map(|p| p.value));
    }
    let lines = price(&products, items, |p| settings.sells(p.season, now.day()), |item, product| OrderLine::unnamed(product, item.quantity))?;
    let subtotal = subtotal(&lines)?;
    let coupon = found.take::<Coupon>(&coupon_key)?.map(|c| c.value);
    let used = found.take::<CouponUses>(&uses_key)?.map_or(0, |u| u.value.used);
    let discount = match &coupon {
        Some(coupon) => coupon.discount_on(&basket(&products, &lines)?, used, now)?,
        None => Err(NotValid::Unknown),
    };
    let total = subtotal.minus(discount.unwrap_or(Rupiah::ZERO))?;
    Ok(Quote { subtotal, discount, total, valid_until: discount.is_ok().then_some(coupon).flatten().map(|c| c.valid_until) })
}
