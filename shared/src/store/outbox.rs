//! Owed work.

use super::{
    Page, Position, Range, Store, StoreError,
    entity::Stored,
    key_item, keys, text,
    transaction::{Commit, alone},
};
use crate::domain::{ids::OutboxId, outbox::OutboxItem, time::Timestamp};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_dynamo::to_attribute_value;

impl Store {
    /// Takes the work for this worker; nothing if it is done, or somebody else is at it.
    pub async fn claim(&self, id: OutboxId, now: Timestamp) -> Result<Option<OutboxItem>, StoreError> {
        let Some(read) = self.get::<OutboxItem>(&keys::outbox(id)).await? else { return Ok(None) };
        let Some(claimed) = read.value.claimed(now, self.request_token()) else { return Ok(None) };
        match self.save(&read, &claimed).await? {
            Commit::Done => Ok(Some(claimed)),
            Commit::Lost(_) => Ok(None),
        }
    }

    /// The work is done, as it was claimed. What was owed again meanwhile, under the same name, stays owed.
    pub async fn settle(&self, claimed: &OutboxItem) -> Result<(), StoreError> {
        let value = |v: Result<AttributeValue, serde_dynamo::Error>| v.map_err(|e| StoreError::Refused(e.to_string()));
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key_item(&keys::outbox(claimed.id))));
        let delete = delete.condition_expression("#tries = :tries AND #until = :until AND #claim = :claim");
        let delete = delete.expression_attribute_names("#tries", "tries").expression_attribute_names("#until", "claimed_until");
        let delete = delete.expression_attribute_values(":tries", value(to_attribute_value(claimed.tries))?);
        let delete = delete
            .expression_attribute_names("#claim", "claim")
            .expression_attribute_values(":claim", text(claimed.claim.clone().unwrap_or_default()));
        alone(delete.expression_attribute_values(":until", value(to_attribute_value(claimed.claimed_until))?).send().await)?;
        Ok(())
    }

    /// What is owed in a shard, by name: what is due and what waits.
    pub async fn owed(&self, shard: u8, after: Option<Position>) -> Result<Page<Stored<OutboxItem>>, StoreError> {
        self.query(Range::of(&keys::outbox_shard(shard)).limit(1000).after(after)).await
    }
}
