//! Writes that happen together or not at all, each under a condition that says what it relies on.

use super::{
    Store, StoreError,
    entity::{Entity, Item, Stored, encode},
    key_item,
    keys::{Key, attribute},
    text,
};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update},
};
use data_encoding::HEXLOWER;

/// Most writes that DynamoDB takes in one transaction.
pub const MAX_WRITES: usize = 100;
/// How often a transaction that only collided with another is sent again.
const COLLISIONS: u32 = 12;

/// Writes under conditions; `L` names each condition in the words of the use case.
#[derive(Debug)]
pub struct Transaction<L> {
    writes: Vec<(TransactWriteItem, Option<L>)>,
    broken: Option<StoreError>,
}

/// How a transaction ended. On [`Commit::Lost`] nothing was written.
#[derive(Debug)]
pub enum Commit<L> {
    Done,
    /// The conditions that did not hold, in the order of the writes.
    Lost(Vec<L>),
}

impl<L> Default for Transaction<L> {
    fn default() -> Self {
        Self { writes: Vec::new(), broken: None }
    }
}

impl<L: Clone> Transaction<L> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.writes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Puts a new item; lost if there is one under its key.
    pub fn create<E: Entity>(&mut self, entity: &E, lost: L) -> &mut Self {
        let put = self.item(entity, 1).map(|item| {
            Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", attribute::PK)
        });
        self.put(put, Some(lost))
    }

    /// Puts the item whatever is there. Only for items that are named by their content, so that a repeat changes nothing.
    pub fn put_same<E: Entity>(&mut self, entity: &E) -> &mut Self {
        let put = self.item(entity, 1).map(|item| Put::builder().set_item(Some(item)));
        self.put(put, None)
    }

    /// Replaces what was read by `entity`; lost if somebody else has written it since.
    pub fn save<E: Entity>(&mut self, read: &Stored<E>, entity: &E, lost: L) -> &mut Self {
        debug_assert_eq!(read.value.key(), entity.key(), "a save keeps the key");
        let put = self.item(entity, read.revision + 1).map(|item| {
            Put::builder()
                .set_item(Some(item))
                .condition_expression("#rev = :rev")
                .expression_attribute_names("#rev", attribute::REVISION)
                .expression_attribute_values(":rev", AttributeValue::N(read.revision.to_string()))
        });
        self.put(put, Some(lost))
    }

    /// Relies on what was read without changing it.
    pub fn unchanged<E: Entity>(&mut self, read: &Stored<E>, lost: L) -> &mut Self {
        let check = ConditionCheck::builder()
            .set_key(Some(key_item(&read.value.key())))
            .condition_expression("#rev = :rev")
            .expression_attribute_names("#rev", attribute::REVISION)
            .expression_attribute_values(":rev", AttributeValue::N(read.revision.to_string()));
        self.push(|table| Ok(TransactWriteItem::builder().condition_check(check.table_name(table).build().map_err(built)?).build()), Some(lost))
    }

    /// Relies on there being something under the key.
    pub fn exists(&mut self, key: &Key, lost: L) -> &mut Self {
        self.check(key, "attribute_exists(#pk)", lost)
    }

    /// Relies on there being nothing under the key.
    pub fn absent(&mut self, key: &Key, lost: L) -> &mut Self {
        self.check(key, "attribute_not_exists(#pk)", lost)
    }

    fn check(&mut self, key: &Key, condition: &str, lost: L) -> &mut Self {
        let check =
            ConditionCheck::builder().set_key(Some(key_item(key))).condition_expression(condition).expression_attribute_names("#pk", attribute::PK);
        self.push(|table| Ok(TransactWriteItem::builder().condition_check(check.table_name(table).build().map_err(built)?).build()), Some(lost))
    }

    /// Removes the item as it was read; lost if it has changed or is gone.
    pub fn remove<E: Entity>(&mut self, read: &Stored<E>, lost: L) -> &mut Self {
        let delete = Delete::builder()
            .set_key(Some(key_item(&read.value.key())))
            .condition_expression("#rev = :rev")
            .expression_attribute_names("#rev", attribute::REVISION)
            .expression_attribute_values(":rev", AttributeValue::N(read.revision.to_string()));
        self.push(|table| Ok(TransactWriteItem::builder().delete(delete.table_name(table).build().map_err(built)?).build()), Some(lost))
    }

    /// Removes whatever is under the key; gone already is as good.
    pub fn forget(&mut self, key: &Key) -> &mut Self {
        let delete = Delete::builder().set_key(Some(key_item(key)));
        self.push(|table| Ok(TransactWriteItem::builder().delete(delete.table_name(table).build().map_err(built)?).build()), None)
    }

    /// Takes `count` from a counter of the item; lost if less is left, or if there is no such item.
    /// Counters are changed without the revision: they are hot, and a decision never rests on a read of them.
    pub fn take(&mut self, key: &Key, counter: &str, count: u32, lost: L) -> &mut Self {
        self.count(key, counter, "#n >= :count", "#n - :count", count, Some(lost))
    }

    /// Gives `count` back to a counter of an item that exists.
    pub fn give_back(&mut self, key: &Key, counter: &str, count: u32, lost: L) -> &mut Self {
        self.count(key, counter, "attribute_exists(#n)", "#n + :count", count, Some(lost))
    }

    /// Adds one to a counter while it is below the item's `limit`, and while the item is `active`.
    pub fn use_up(&mut self, key: &Key, counter: &str, lost: L) -> &mut Self {
        let update = Update::builder()
            .set_key(Some(key_item(key)))
            .update_expression("SET #n = #n + :one")
            .condition_expression("#n < #limit AND #active = :yes")
            .expression_attribute_names("#n", counter)
            .expression_attribute_names("#limit", "limit")
            .expression_attribute_names("#active", "active")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        self.update(update, Some(lost))
    }

    /// Switches an item off without touching its counters; lost if it is not there or is off already.
    pub fn switch_off(&mut self, key: &Key, lost: L) -> &mut Self {
        let update = Update::builder()
            .set_key(Some(key_item(key)))
            .update_expression("SET #active = :no")
            .condition_expression("#active = :yes")
            .expression_attribute_names("#active", "active")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        self.update(update, Some(lost))
    }

    fn count(&mut self, key: &Key, counter: &str, condition: &str, sum: &str, count: u32, lost: Option<L>) -> &mut Self {
        let update = Update::builder()
            .set_key(Some(key_item(key)))
            .update_expression(format!("SET #n = {sum}"))
            .condition_expression(condition)
            .expression_attribute_names("#n", counter)
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()));
        self.update(update, lost)
    }

    fn update(&mut self, update: aws_sdk_dynamodb::types::builders::UpdateBuilder, lost: Option<L>) -> &mut Self {
        self.push(|table| Ok(TransactWriteItem::builder().update(update.table_name(table).build().map_err(built)?).build()), lost)
    }

    fn put(&mut self, put: Option<aws_sdk_dynamodb::types::builders::PutBuilder>, lost: Option<L>) -> &mut Self {
        match put {
            Some(put) => self.push(|table| Ok(TransactWriteItem::builder().put(put.table_name(table).build().map_err(built)?).build()), lost),
            None => self,
        }
    }

    fn item<E: Entity>(&mut self, entity: &E, revision: u64) -> Option<Item> {
        encode(entity, revision).map_err(|e| self.broken = Some(e.into())).ok()
    }

    fn push(&mut self, build: impl FnOnce(&str) -> Result<TransactWriteItem, StoreError>, lost: Option<L>) -> &mut Self {
        // The table's name is filled in by `commit`; it is not this builder's to know.
        match build("") {
            Ok(write) => self.writes.push((write, lost)),
            Err(error) => self.broken = Some(error),
        }
        self
    }
}

fn built(_: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Refused("construction".into())
}

impl Store {
    /// Writes all of it or nothing. Collisions with other transactions are retried here. A request keeps its token
    /// while it may have been applied (a lost answer, the same request still under way), so an applied transaction is
    /// never reported as lost; what was cancelled certainly wrote nothing, and is a new request.
    pub async fn commit<L: Clone>(&self, transaction: Transaction<L>) -> Result<Commit<L>, StoreError> {
        if let Some(broken) = transaction.broken {
            return Err(broken);
        }
        if transaction.writes.len() > MAX_WRITES {
            return Err(StoreError::Refused(format!("more than {MAX_WRITES} writes")));
        }
        let (writes, lost): (Vec<_>, Vec<_>) = transaction.writes.into_iter().map(|(w, l)| (self.addressed(w), l)).unzip();
        let mut token = self.request_token();
        for round in 0..COLLISIONS {
            let request = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            match request.client_request_token(&token).send().await {
                Ok(_) => return Ok(Commit::Done),
                Err(error) => match outcome(&error) {
                    Outcome::Lost(at) => return Ok(Commit::Lost(at.into_iter().filter_map(|i| lost.get(i).cloned().flatten()).collect())),
                    Outcome::Collided => {
                        token = self.request_token();
                        self.pause(round).await;
                    }
                    Outcome::UnderWay => self.pause(round).await,
                    Outcome::Failed => return Err(error.into()),
                },
            }
        }
        Err(StoreError::Unavailable("TransactionConflict".into()))
    }

    /// Puts a new item outside a transaction: half the price, for an item that stands alone. A lost answer is
    /// retried by the SDK and then reads as "already there", so `Lost` does not prove that somebody else wrote it.
    pub async fn create<E: Entity>(&self, entity: &E) -> Result<Commit<()>, StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(encode(entity, 1)?));
        alone(put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", attribute::PK).send().await)
    }

    /// Puts an item that nobody else can write: its key holds a fresh id.
    pub async fn append<E: Entity>(&self, entity: &E) -> Result<(), StoreError> {
        self.client.put_item().table_name(&self.table).set_item(Some(encode(entity, 1)?)).send().await?;
        Ok(())
    }

    /// Replaces one item as it was read, outside a transaction. `Lost` is to be read back before it is believed.
    pub async fn save<E: Entity>(&self, read: &Stored<E>, entity: &E) -> Result<Commit<()>, StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(encode(entity, read.revision + 1)?));
        let put = put.condition_expression("#rev = :rev").expression_attribute_names("#rev", attribute::REVISION);
        alone(put.expression_attribute_values(":rev", AttributeValue::N(read.revision.to_string())).send().await)
    }

    /// Removes one item; gone already is as good.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&self.table).set_key(Some(key_item(key))).send().await?;
        Ok(())
    }

    /// Names one request for DynamoDB's ten minutes of idempotence; 36 characters at most.
    pub(super) fn request_token(&self) -> String {
        HEXLOWER.encode(&self.entropy.bytes::<16>())
    }

    fn addressed(&self, write: TransactWriteItem) -> TransactWriteItem {
        let TransactWriteItem { mut put, mut update, mut delete, mut condition_check, .. } = write;
        let tables = [
            put.as_mut().map(|w| &mut w.table_name),
            update.as_mut().map(|w| &mut w.table_name),
            delete.as_mut().map(|w| &mut w.table_name),
            condition_check.as_mut().map(|w| &mut w.table_name),
        ];
        for name in tables.into_iter().flatten() {
            name.clone_from(&self.table);
        }
        TransactWriteItem::builder().set_put(put).set_update(update).set_delete(delete).set_condition_check(condition_check).build()
    }
}

/// The answer to one conditional write.
pub(super) fn alone<T, E: aws_sdk_dynamodb::error::ProvideErrorMetadata, R>(answer: Result<T, SdkError<E, R>>) -> Result<Commit<()>, StoreError> {
    match answer {
        Ok(_) => Ok(Commit::Done),
        Err(SdkError::ServiceError(e)) if e.err().code() == Some("ConditionalCheckFailedException") => Ok(Commit::Lost(vec![()])),
        Err(e) => Err(e.into()),
    }
}

enum Outcome {
    Lost(Vec<usize>),
    Collided,
    /// The very same request is still being carried out.
    UnderWay,
    Failed,
}

fn outcome<R>(error: &SdkError<TransactWriteItemsError, R>) -> Outcome {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let codes: Vec<&str> = cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap_or("None")).collect();
            let lost: Vec<usize> = codes.iter().enumerate().filter(|(_, c)| **c == "ConditionalCheckFailed").map(|(i, _)| i).collect();
            let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            if !lost.is_empty() {
                Outcome::Lost(lost)
            } else if codes.iter().any(|c| passing.contains(c)) {
                Outcome::Collided
            } else {
                Outcome::Failed
            }
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => Outcome::UnderWay,
        _ => Outcome::Failed,
    }
}

/// An update of single attributes outside a transaction, for counters that stand alone.
pub(super) async fn add_to_window(store: &Store, key: &Key, kind: &str, ttl: i64) -> Result<u32, StoreError> {
    let answer = store
        .client
        .update_item()
        .table_name(&store.table)
        .set_key(Some(key_item(key)))
        .update_expression("SET #kind = :kind, #ttl = :ttl ADD #n :one")
        .expression_attribute_names("#kind", attribute::KIND)
        .expression_attribute_names("#ttl", attribute::TTL)
        .expression_attribute_names("#n", "count")
        .expression_attribute_values(":kind", text(kind))
        .expression_attribute_values(":ttl", AttributeValue::N(ttl.to_string()))
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
        .send()
        .await?;
    let count = answer.attributes.as_ref().and_then(|a| a.get("count")).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
    Ok(count.unwrap_or(u32::MAX))
}
