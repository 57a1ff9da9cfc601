//! Coupons: made by staff, for the shop or for an affiliate, and switched off.

use super::{
    App, Code, Problem,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        Wrong,
        coupon::{Coupon, CouponCode},
    },
    store::{
        keys,
        transaction::{Commit, Transaction},
    },
};

pub async fn create(app: &App, by: Reviewer, coupon: Coupon) -> Result<Coupon, Problem> {
    if let Some(affiliate) = coupon.affiliate
        && app.store.wallet(affiliate).await?.is_none()
    {
        return Err(Problem::field("affiliate", Wrong::new("unknown_value", "is no affiliate who was approved")));
    }
    let mut tx = Transaction::new();
    tx.create(&coupon, ()).create(&audit::entry(app, by, "coupon.create", coupon.code.as_str(), "", audit::whole(&coupon)), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(coupon),
        Commit::Lost(_) => Err(Problem::conflict("there is a coupon with this code already")),
    }
}

/// From now on nobody can use it; orders that hold it keep their discount. Twice is once.
pub async fn deactivate(app: &App, by: Reviewer, code: &CouponCode) -> Result<Coupon, Problem> {
    let find = async || app.store.coupon(code).await?.map(|c| c.value).ok_or_else(|| Problem::new(Code::NotFound));
    let coupon = find().await?;
    if !coupon.active {
        return Ok(coupon);
    }
    let mut tx = Transaction::new();
    tx.switch_off(&keys::coupon(code), ()).create(&audit::entry(app, by, "coupon.deactivate", code.as_str(), "active", "inactive"), ());
    app.store.commit(tx).await?;
    find().await
}
