//! What a basket would cost with a coupon: the same reckoning as placing the order, without taking anything.

use super::{
    App, Problem,
    place_order::{basket, price, subtotal},
};
use crate::{
    domain::{
        catalog::Product,
        coupon::{Coupon, CouponCode, CouponUses, NotValid},
        ids::CustomerId,
        money::Rupiah,
        order::{OrderLine, WantedLine},
        time::Timestamp,
    },
    store::{keys, throttle::Limit},
};

/// Enough for any checkout, too few to guess codes.
const TRIES: Limit = Limit { attempts: 60, seconds: 600 };

/// The totals, and the discount or the reason why there is none.
#[derive(Debug, Clone, Copy)]
pub struct Quote {
    pub subtotal: Rupiah,
    pub discount: Result<Rupiah, NotValid>,
    pub total: Rupiah,
    pub valid_until: Option<Timestamp>,
}

/// `items` need no shohibul names yet.
pub async fn quote(app: &App, customer: CustomerId, items: &[WantedLine], code: &CouponCode) -> Result<Quote, Problem> {
    let now = app.clock.now();
    if let Some(wait) = app.store.throttle(&format!("coupon#{customer}"), TRIES, now).await? {
        return Err(Problem::too_many(wait));
    }
    let (coupon_key, uses_key) = (keys::coupon(code), keys::coupon_uses(code, customer));
    let wants = items.iter().map(|i| keys::product(i.product)).chain([coupon_key.clone(), uses_key.clone()]);
    let mut found = app.store.get_many(wants).await?;
    let mut products = Vec::new();
    for item in items {
        products.extend(found.take::<Product>(&keys::product(item.product))?.map(|p| p.value));
    }
    let lines = price(&products, items, |item, product| OrderLine::unnamed(product, item.quantity))?;
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
