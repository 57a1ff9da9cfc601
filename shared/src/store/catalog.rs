//! Products, stock, coupons and settings.

use super::{
    Page, Position, Range, Store, StoreError,
    entity::{Entity, Stored, decode, kind_of},
    keys,
    transaction::Transaction,
};
use crate::domain::{
    catalog::{Product, ProductChange, Slug, SlugOwner, Stock, StockChange},
    coupon::{Coupon, CouponCode, CouponUses},
    helpdesk::Helpdesk,
    ids::{AffiliateId, AuditId, CustomerId, ProductId},
    order::CouponUse,
    settings::{Settings, SettingsVersion},
};
use std::collections::HashMap;

/// The counter of a stock item and of a coupon.
pub const AVAILABLE: &str = "available";
pub const USED: &str = "used";

/// A product with the units that can still be bought.
#[derive(Debug, Clone)]
pub struct Offer {
    pub product: Product,
    pub available: u32,
}

/// Takes a use of the order's coupon: of all uses, and of the customer's own where those are limited.
/// `uses` is what was read of the customer's; it is only looked at where they count.
pub fn take_coupon<L: Clone>(
    tx: &mut Transaction<L>,
    coupon: &CouponUse,
    customer: CustomerId,
    uses: Option<&Stored<CouponUses>>,
    gone: L,
    changed: L,
) {
    tx.use_up(&keys::coupon(&coupon.code), USED, gone);
    match (coupon.per_customer, uses) {
        (Some(_), Some(read)) => tx.save(read, &read.value.one_more(), changed),
        (Some(_), None) => tx.create(&CouponUses::none(coupon.code.clone(), customer).one_more(), changed),
        (None, _) => tx,
    };
}

/// Gives back what [`take_coupon`] took.
pub fn give_coupon_back<L: Clone>(tx: &mut Transaction<L>, coupon: &CouponUse, uses: Option<&Stored<CouponUses>>, changed: L) {
    tx.take(&keys::coupon(&coupon.code), USED, 1, changed.clone());
    if let Some(read) = uses.filter(|_| coupon.per_customer.is_some()) {
        tx.save(read, &read.value.one_less(), changed);
    }
}

impl Store {
    /// A customer's uses of the coupon of an order, where they count.
    pub async fn coupon_uses(&self, coupon: Option<&CouponUse>, customer: CustomerId) -> Result<Option<Stored<CouponUses>>, StoreError> {
        match coupon.filter(|c| c.per_customer.is_some()) {
            Some(coupon) => self.get(&keys::coupon_uses(&coupon.code, customer)).await,
            None => Ok(None),
        }
    }

    /// The shop's own coupons, newest first.
    pub async fn shop_coupons(&self, limit: usize, after: Option<Position>) -> Result<Page<Stored<Coupon>>, StoreError> {
        self.list(Range::by_owner(keys::SHOP_COUPONS).newest_first().limit(limit).after(after), |_| true).await
    }

    pub async fn coupon(&self, code: &CouponCode) -> Result<Option<Stored<Coupon>>, StoreError> {
        self.get(&keys::coupon(code)).await
    }

    pub async fn stock(&self, id: ProductId) -> Result<Option<Stored<Stock>>, StoreError> {
        self.get(&keys::stock(id)).await
    }

    pub async fn stock_change(&self, id: AuditId) -> Result<Option<Stored<StockChange>>, StoreError> {
        self.get(&keys::stock_change(id)).await
    }

    /// What was changed about a product, newest first.
    pub async fn product_changes(&self, id: ProductId, limit: usize, after: Option<Position>) -> Result<Page<Stored<ProductChange>>, StoreError> {
        self.query(Range::of(&keys::product_changes(id)).newest_first().limit(limit).after(after)).await
    }

    /// An affiliate's coupons, newest first.
    pub async fn coupons_of(&self, affiliate: AffiliateId, limit: usize, after: Option<Position>) -> Result<Page<Stored<Coupon>>, StoreError> {
        let pk = keys::affiliate_coupons(affiliate);
        self.list(Range::by_owner(&pk).newest_first().limit(limit).after(after), |_| true).await
    }

    /// Every product with its stock, in one query: they share a partition.
    pub async fn catalogue(&self) -> Result<Vec<Offer>, StoreError> {
        let (mut products, mut stock) = (Vec::new(), HashMap::<ProductId, u32>::new());
        let mut after = None;
        loop {
            let (items, next) = self.query_items(Range::of(keys::CATALOG).limit(1000).after(after)).await?.whole()?;
            for item in items {
                let corrupt = if kind_of(&item) == Some(Stock::KIND) {
                    decode::<Stock>(item).map(|s| stock.insert(s.value.product, s.value.available)).err()
                } else {
                    decode::<Product>(item).map(|p| products.push(p.value)).err()
                };
                // A product that cannot be read is not for sale; the others are.
                if let Some(corrupt) = corrupt {
                    tracing::error!(%corrupt, "a row was left out of the catalogue");
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let offer = |product: Product| Offer { available: stock.get(&product.id).copied().unwrap_or(0), product };
        Ok(products.into_iter().map(offer).collect())
    }

    /// One product with its stock, by its id or by the name in its address: whatever the size of the catalogue.
    pub async fn offer(&self, named: &str) -> Result<Option<Offer>, StoreError> {
        let id = match (ProductId::parse(named), Slug::parse(named)) {
            (Some(id), _) => id,
            (None, Ok(slug)) => match self.get::<SlugOwner>(&keys::slug(&slug)).await? {
                Some(owner) => owner.value.product,
                None => return Ok(None),
            },
            (None, Err(_)) => return Ok(None),
        };
        let mut found = self.get_many([keys::product(id), keys::stock(id)]).await?;
        let available = found.take::<Stock>(&keys::stock(id))?.map_or(0, |s| s.value.available);
        Ok(found.take::<Product>(&keys::product(id))?.map(|p| Offer { product: p.value, available }))
    }

    pub async fn product(&self, id: ProductId) -> Result<Option<Stored<Product>>, StoreError> {
        self.get(&keys::product(id)).await
    }

    pub async fn helpdesk(&self) -> Result<Helpdesk, StoreError> {
        Ok(self.get::<Helpdesk>(&keys::helpdesk()).await?.map(|h| h.value).unwrap_or_default())
    }

    /// The helpdesk with the settings, in one read.
    pub async fn helpdesk_and_settings(&self) -> Result<(Helpdesk, Settings), StoreError> {
        let mut found = self.get_many([keys::helpdesk(), keys::settings()]).await?;
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        Ok((found.take::<Helpdesk>(&keys::helpdesk())?.map(|h| h.value).unwrap_or_default(), settings))
    }

    /// The settings as they are stored, if anybody has changed them.
    pub async fn stored_settings(&self) -> Result<Option<Stored<Settings>>, StoreError> {
        self.get(&keys::settings()).await
    }

    /// What the settings were, newest first.
    pub async fn settings_versions(&self, limit: usize, after: Option<Position>) -> Result<Page<Stored<SettingsVersion>>, StoreError> {
        self.query(Range::of(keys::SETTINGS).prefix(keys::VERSION_PREFIX).newest_first().limit(limit).after(after)).await
    }

    pub async fn stored_helpdesk(&self) -> Result<Option<Stored<Helpdesk>>, StoreError> {
        self.get(&keys::helpdesk()).await
    }

    /// The settings as they stand, or the defaults while nobody has changed them.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        Ok(self.get::<Settings>(&keys::settings()).await?.map(|s| s.value).unwrap_or_default())
    }
}
