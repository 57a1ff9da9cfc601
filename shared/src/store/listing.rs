//! Lists that a range of the table or of an index names, and the table then answers: an index may be stale, items are not.

use super::{
    BATCH, Found, Page, Position, Range, Store, StoreError,
    entity::{Entity, Stored, key_of},
    keys::{Key, attribute},
    position,
};
use crate::domain::time::Day;

/// Most pages that are read to fill one page of a filtered list; a caller with a rare filter follows the cursor.
const PAGES: usize = 10;

/// Most days that one page goes through; a caller with a long, empty range follows the cursor.
const DAYS: usize = 40;

/// A list that is kept in a partition for each day, gone through backwards.
#[derive(Debug, Clone)]
pub struct Days {
    pub from: Day,
    pub to: Day,
    pub limit: usize,
    pub after: Option<Position>,
}

impl Days {
    /// The day to go on with, and the last key that was seen of it.
    fn start(&self) -> Result<(Day, Option<Position>), StoreError> {
        let Some(Position(parts)) = &self.after else { return Ok((self.to, None)) };
        let part = |name: &str| parts.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let day = part("day").and_then(|d| Day::parse(&d)).filter(|d| (self.from..=self.to).contains(d)).ok_or(StoreError::Astray)?;
        Ok((day, part(attribute::SK).map(|sk| Position(vec![(attribute::SK.into(), sk)]))))
    }

    fn place(day: Day, within: Option<Position>) -> Position {
        Position(std::iter::once(("day".to_owned(), day.to_string())).chain(within.into_iter().flat_map(|p| p.0)).collect())
    }
}

impl Store {
    /// One page of a list that `pk` keeps by day: newest day first, newest key first within it.
    pub async fn by_day<E: Entity>(&self, days: &Days, pk: impl Fn(Day) -> String) -> Result<Page<Stored<E>>, StoreError> {
        let (mut day, mut within) = days.start()?;
        let mut items = Vec::new();
        for _ in 0..DAYS {
            let pk = pk(day);
            let range = Range::of(&pk).newest_first().limit(days.limit - items.len()).after(within.take());
            let page = self.query::<E>(range).await?;
            items.extend(page.items);
            let earlier = (day > days.from).then(|| day.before());
            if items.len() >= days.limit {
                let next = page.next.map(|p| Days::place(day, Some(p))).or_else(|| earlier.map(|d| Days::place(d, None)));
                return Ok(Page { items, next });
            }
            match (page.next, earlier) {
                (Some(p), _) => within = Some(p),
                (None, Some(before)) => day = before,
                (None, None) => return Ok(Page { items, next: None }),
            }
        }
        Ok(Page { items, next: Some(Days::place(day, within)) })
    }

    /// The items behind `keys`, in that order; what has gone meanwhile is left out.
    pub async fn behind<E: Entity>(&self, keys: Vec<Key>) -> Result<Vec<Stored<E>>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let mut found = self.get_many(batch.iter().cloned()).await?;
            for key in batch {
                items.extend(found.take(key)?);
            }
        }
        Ok(items)
    }

    /// One page of the items in `range` that `keep` wants; reads on while too few are.
    pub async fn list<E: Entity>(&self, range: Range<'_>, keep: impl Fn(&E) -> bool) -> Result<Page<Stored<E>>, StoreError> {
        let limit = range.limit.unsigned_abs() as usize;
        let (mut kept, mut after) = (Vec::new(), range.after.clone());
        for round in 0..PAGES {
            let size = if round == 0 { limit } else { BATCH };
            let page = self.query_items(range.clone().limit(size.min(BATCH)).after(after)).await?;
            let (count, more) = (page.items.len(), page.next.is_some());
            let mut found = match range.index {
                Some(_) => self.get_many(page.items.iter().map(key_of)).await?,
                None => Found(page.items.iter().map(|item| (key_of(item), item.clone())).collect()),
            };
            for (at, item) in page.items.iter().enumerate() {
                kept.extend(found.take::<E>(&key_of(item))?.filter(|read| keep(&read.value)));
                if kept.len() == limit {
                    return Ok(Page { items: kept, next: (more || at + 1 < count).then(|| position(range.index, item)) });
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(Page { items: kept, next: after })
    }
}
