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
        let mut found = Page::new(Vec::new(), None);
        for _ in 0..DAYS {
            let pk = pk(day);
            let range = Range::of(&pk).newest_first().limit(days.limit - found.len()).after(within.take());
            let (page, next) = self.query::<E>(range).await?.split();
            found = page.behind(found);
            let earlier = (day > days.from).then(|| day.before());
            if found.len() >= days.limit {
                let next = next.map(|p| Days::place(day, Some(p))).or_else(|| earlier.map(|d| Days::place(d, None)));
                return Ok(found.going_on(next));
            }
            match (next, earlier) {
                (Some(p), _) => within = Some(p),
                (None, Some(before)) => day = before,
                (None, None) => return Ok(found),
            }
        }
        Ok(found.going_on(Some(Days::place(day, within))))
    }

    /// The items behind a page of keys, in that order; what has gone meanwhile is left out.
    pub async fn behind<E: Entity>(&self, keys: Page<Key>) -> Result<Page<Stored<E>>, StoreError> {
        let (keys, next) = keys.whole()?;
        let mut items = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let mut found = self.get_many(batch.iter().cloned()).await?;
            items.extend(batch.iter().filter_map(|key| found.row(key)));
        }
        Ok(Page::decoded(items, next))
    }

    /// One page of the items in `range` that `keep` wants; reads on while too few are.
    pub async fn list<E: Entity>(&self, range: Range<'_>, keep: impl Fn(&E) -> bool) -> Result<Page<Stored<E>>, StoreError> {
        let limit = range.limit.unsigned_abs() as usize;
        let (mut kept, mut count, mut after) = (Vec::new(), 0, range.after.clone());
        for round in 0..PAGES {
            let size = if round == 0 { limit } else { BATCH };
            let (items, next) = self.query_items(range.clone().limit(size.min(BATCH)).after(after)).await?.whole()?;
            let mut found = match range.index {
                Some(_) => self.get_many(items.iter().map(key_of)).await?,
                None => Found(items.iter().map(|item| (key_of(item), item.clone())).collect()),
            };
            for (at, item) in items.iter().enumerate() {
                let Some(row) = found.row::<E>(&key_of(item)) else { continue };
                if row.as_ref().is_ok_and(|read| !keep(&read.value)) {
                    continue;
                }
                count += usize::from(row.is_ok());
                kept.push(row);
                if count == limit {
                    let more = next.is_some() || at + 1 < items.len();
                    return Ok(Page::decoded(kept, more.then(|| position(range.index, item))));
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(Page::decoded(kept, after))
    }

    /// The first `most` of a list, for whoever wants no more of it. Odd rows are logged and left out.
    pub async fn first<E: Entity>(&self, range: Range<'_>, most: usize) -> Result<Vec<Stored<E>>, StoreError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = self.query(range.clone().limit(most - found.len()).after(after)).await?.shown();
            found.extend(rows);
            after = next;
            if after.is_none() || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// A whole list, for decisions that need every row: an odd one is an error, and so is a list that is longer than any
    /// should be.
    pub async fn all<E: Entity>(&self, range: Range<'_>, most: usize) -> Result<Vec<Stored<E>>, StoreError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = self.query(range.clone().limit(1000).after(after)).await?.whole()?;
            found.extend(rows);
            if found.len() > most {
                return Err(StoreError::Refused(format!("more than {most} of {}", E::KIND)));
            }
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}
