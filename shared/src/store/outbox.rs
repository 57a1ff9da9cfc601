//! Owed work.

use super::{Page, Range, Store, StoreError, entity::Stored, keys, transaction::Commit};
use crate::domain::{ids::OutboxId, outbox::OutboxItem, time::Timestamp};

impl Store {
    /// Takes the work for this worker; nothing if it is done, or somebody else is at it.
    pub async fn claim(&self, id: OutboxId, now: Timestamp) -> Result<Option<OutboxItem>, StoreError> {
        let Some(read) = self.get::<OutboxItem>(&keys::outbox(id)).await? else { return Ok(None) };
        let Some(claimed) = read.value.claimed(now) else { return Ok(None) };
        match self.save(&read, &claimed).await? {
            Commit::Done => Ok(Some(claimed)),
            Commit::Lost(_) => Ok(None),
        }
    }

    /// The work is done.
    pub async fn settle(&self, id: OutboxId) -> Result<(), StoreError> {
        self.delete(&keys::outbox(id)).await
    }

    pub async fn owed(&self, shard: u8, limit: usize) -> Result<Page<Stored<OutboxItem>>, StoreError> {
        self.query(Range::of(&keys::outbox_shard(shard)).limit(limit)).await
    }
}
