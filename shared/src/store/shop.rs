//! What the shop's own dashboard and reports ask.

use super::{Page, Position, Range, Store, StoreError, entity::Stored, keys};
use crate::domain::{
    job::Task,
    shop_stats::{ShopDay, ShopMark, ShopTotals, Standings},
    time::Day,
};

/// More days than a shop has.
const DAYS: usize = 40_000;

impl Store {
    /// The days of a range on which something was counted, oldest first.
    pub async fn shop_days(&self, from: Day, to: Day) -> Result<Vec<ShopDay>, StoreError> {
        let (first, last) = (keys::shop_day(from), keys::shop_day(to));
        let days = self.first(Range::of(keys::SHOP).between(first.sk.clone(), last.sk), DAYS).await?;
        Ok(days.into_iter().map(|d: Stored<ShopDay>| d.value).collect())
    }

    /// The first day on which anything was counted.
    pub async fn first_shop_day(&self) -> Result<Option<Day>, StoreError> {
        let first = self.first(Range::of(keys::SHOP).prefix(keys::DAY_PREFIX), 1).await?;
        Ok(first.first().map(|d: &Stored<ShopDay>| d.value.day))
    }

    /// The sums of everything, and how the affiliates stand.
    pub async fn shop_now(&self) -> Result<(Option<ShopTotals>, Standings), StoreError> {
        let mut found = self.get_many([keys::shop_totals(), keys::standings()]).await?;
        let totals = found.take::<ShopTotals>(&keys::shop_totals())?.map(|t| t.value);
        Ok((totals, found.take::<Standings>(&keys::standings())?.map(|s| s.value).unwrap_or_default()))
    }

    /// The days that are to be counted again, as it was noticed on `listed_on`.
    pub async fn shop_marks(&self, listed_on: Day) -> Result<Vec<Day>, StoreError> {
        let marks = self.first(Range::of(&keys::shop_marks(listed_on)), DAYS).await?;
        Ok(marks.into_iter().map(|m: Stored<ShopMark>| m.value.day).collect())
    }

    /// What needs a person, oldest first.
    pub async fn tasks(&self, limit: usize, after: Option<Position>) -> Result<Page<Stored<Task>>, StoreError> {
        self.query(Range::of(keys::TASKS).limit(limit).after(after)).await
    }
}
