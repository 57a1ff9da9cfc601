//! Products, stock, coupons and settings.

use super::{
    Range, Store, StoreError,
    entity::{Entity, decode, kind_of},
    keys,
};
use crate::domain::{
    catalog::{Product, Stock},
    ids::ProductId,
    settings::Settings,
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

impl Store {
    /// Every product with its stock, in one query: they share a partition.
    pub async fn catalogue(&self) -> Result<Vec<Offer>, StoreError> {
        let (mut products, mut stock) = (Vec::new(), HashMap::<ProductId, u32>::new());
        let mut after = None;
        loop {
            let page = self.query_items(Range::of(keys::CATALOG).limit(1000).after(after)).await?;
            for item in page.items {
                match kind_of(&item) {
                    Some(Stock::KIND) => {
                        let read = decode::<Stock>(item)?.value;
                        stock.insert(read.product, read.available);
                    }
                    _ => products.push(decode::<Product>(item)?.value),
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let offer = |product: Product| Offer { available: stock.get(&product.id).copied().unwrap_or(0), product };
        Ok(products.into_iter().map(offer).collect())
    }

    /// The settings as they stand, or the defaults while nobody has changed them.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        Ok(self.get::<Settings>(&keys::settings()).await?.map(|s| s.value).unwrap_or_default())
    }
}
