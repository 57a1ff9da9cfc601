//! Lists that an index names and the table then answers: the index may be stale, the items are not.

use super::{
    Store, StoreError,
    entity::{Entity, Stored},
    keys::Key,
};

impl Store {
    /// The items behind `keys`, in that order; what has gone meanwhile is left out.
    pub async fn behind<E: Entity>(&self, keys: Vec<Key>) -> Result<Vec<Stored<E>>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for batch in keys.chunks(100) {
            let mut found = self.get_many(batch.iter().cloned()).await?;
            for key in batch {
                items.extend(found.take(key)?);
            }
        }
        Ok(items)
    }
}
