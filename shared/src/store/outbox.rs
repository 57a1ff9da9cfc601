//! Owed work.

use super::{Page, Range, Store, StoreError, entity::Stored, keys, transaction::Commit};
use crate::domain::{ids::OutboxId, outbox::OutboxItem, time::Timestamp};

/// How long a worker may take for one piece of work before another may try it.
const CLAIM_SECONDS: i64 = 60;

impl Store {
    /// Takes the work for this worker; nothing if it is done or somebody else is at it.
    pub async fn claim(&self, id: OutboxId, now: Timestamp) -> Result<Claim, StoreError> {
        let Some(read) = self.get::<OutboxItem>(&keys::outbox(id)).await? else { return Ok(Claim::Done) };
        if read.value.claimed_until > now {
            return Ok(Claim::Busy);
        }
        let claimed = OutboxItem { claimed_until: now.plus_seconds(CLAIM_SECONDS), ..read.value.clone() };
        match self.save(&read, &claimed).await? {
            Commit::Done => Ok(Claim::Yours(claimed)),
            Commit::Lost(_) => Ok(Claim::Busy),
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

/// What a worker found when it came for a piece of work.
#[derive(Debug)]
pub enum Claim {
    Yours(OutboxItem),
    /// Another worker is at it; come back later.
    Busy,
    Done,
}
