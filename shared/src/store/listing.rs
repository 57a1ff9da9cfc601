//! Lists that a range of the table or of an index names, and the table then answers: an index may be stale, items are not.

use super::{
    BATCH, Found, Page, Range, Store, StoreError,
    entity::{Entity, Stored, key_of},
    keys::Key,
    position,
};

/// Most pages that are read to fill one page of a filtered list; a caller with a rare filter follows the cursor.
const PAGES: usize = 10;

impl Store {
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
