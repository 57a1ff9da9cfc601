//! What a basket would cost with a coupon: the same reckoning as placing the order, without taking anything.

use super::{App, Code, Problem, place_order};
use crate::{
    domain::{
        catalog::Product,
        coupon::{Coupon, CouponCode, CouponUses, NotValid},
        ids::{CustomerId, ProductId},
        money::Rupiah,
        order::OrderLine,
        text::Title,
        time::Timestamp,
    },
    store::keys,
};

#[derive(Debug, Clone, Copy)]
pub struct WantedItem {
    pub product: ProductId,
    pub quantity: u32,
}

/// The totals, and the discount or the reason why there is none.
#[derive(Debug, Clone, Copy)]
pub struct Quote {
    pub subtotal: Rupiah,
    pub discount: Result<Rupiah, NotValid>,
    pub total: Rupiah,
    pub valid_until: Option<Timestamp>,
}

pub async fn quote(app: &App, customer: CustomerId, items: &[WantedItem], code: &CouponCode) -> Result<Quote, Problem> {
    let now = app.clock.now();
    let (coupon_key, uses_key) = (keys::coupon(code), keys::coupon_uses(code, customer));
    let mut wants = vec![coupon_key.clone(), uses_key.clone()];
    wants.extend(items.iter().map(|i| keys::product(i.product)));
    let mut found = app.store.get_many(wants).await?;
    let (mut products, mut lines) = (Vec::new(), Vec::new());
    for item in items {
        let product =
            found.take::<Product>(&keys::product(item.product))?.ok_or_else(|| Problem::new(Code::NotFound).detail("there is no such product"))?;
        lines.push(line(&product.value, item.quantity));
        products.push(product.value);
    }
    let mut subtotal = Rupiah::ZERO;
    for line in &lines {
        subtotal = subtotal.plus(line.price()?)?;
    }
    let coupon = found.take::<Coupon>(&coupon_key)?.map(|c| c.value);
    let used = found.take::<CouponUses>(&uses_key)?.map_or(0, |u| u.value.used);
    let discount = match &coupon {
        Some(coupon) => coupon.discount_on(&place_order::basket(&products, &lines)?, used, now)?,
        None => Err(NotValid::Unknown),
    };
    let total = subtotal.minus(discount.unwrap_or(Rupiah::ZERO))?;
    Ok(Quote { subtotal, discount, total, valid_until: coupon.map(|c| c.valid_until) })
}

fn line(product: &Product, quantity: u32) -> OrderLine {
    let name: Title = product.name.clone();
    OrderLine { product: product.id, name, quantity, unit_price: product.price, shohibul: Vec::new() }
}
