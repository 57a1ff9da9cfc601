//! The single DynamoDB table: the only room that names it.
//!
//! [`keys`] is the table of keys, [`entity`] turns values into items, [`transaction`] writes them under conditions,
//! and one file for each noun asks the questions.

pub mod accounts;
pub mod affiliates;
pub mod catalog;
pub mod dashboard;
pub mod entity;
pub mod keys;
pub mod listing;
pub mod orders;
pub mod outbox;
pub mod page;
pub mod shop;
pub mod throttle;
pub mod transaction;

use crate::domain::time::{Entropy, Timestamp};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, KeysAndAttributes},
};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use entity::{Corrupt, Entity, Item, Stored, decode, key_of, kind_of};
use keys::{Key, attribute};
pub use page::{Page, Position};
use std::{collections::HashMap, time::Duration};

/// Why the table could not answer. Refused conditions are not errors of the store: see [`transaction::Commit`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The outcome is unknown, or the table is out of reach: the caller may repeat the whole use case.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// The place where a page was to start is not in the list.
    #[error("a position outside of its list")]
    Astray,
    /// The request itself was wrong: a bug of ours.
    #[error("the table refused the request: {0}")]
    Refused(String),
}

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for StoreError {
    fn from(error: SdkError<E, R>) -> Self {
        // Codes only: a message may quote values of the item.
        match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown").to_owned();
                match code.as_str() {
                    "ValidationException" | "ResourceNotFoundException" | "AccessDeniedException" => Self::Refused(code),
                    _ => Self::Unavailable(code),
                }
            }
            SdkError::TimeoutError(_) => Self::Unavailable("timeout".into()),
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Self::Unavailable("connection".into()),
            _ => Self::Refused("construction".into()),
        }
    }
}

/// Most keys that DynamoDB reads in one batch.
const BATCH: usize = 100;
/// How often keys that a batch left unread are asked for again.
const BATCH_ROUNDS: u32 = 5;

#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    sleep: SharedAsyncSleep,
    entropy: Entropy,
}

/// What a batch of reads found, each taken out once by its key.
#[derive(Debug, Default)]
pub struct Found(HashMap<Key, Item>);

impl Found {
    pub fn take<E: Entity>(&mut self, key: &Key) -> Result<Option<Stored<E>>, StoreError> {
        Ok(self.row(key).transpose()?)
    }

    /// The same for a row of a list, where an odd one is no error.
    fn row<E: Entity>(&mut self, key: &Key) -> Option<Result<Stored<E>, Corrupt>> {
        self.0.remove(key).map(decode)
    }
}

/// Longest sort key that DynamoDB takes.
const LONGEST_KEY: usize = 1024;

/// A query over one partition of the table or of an index.
#[derive(Debug, Clone)]
pub struct Range<'a> {
    index: Option<&'static str>,
    pk: &'a str,
    sort: Sort<'a>,
    newest_first: bool,
    limit: i32,
    after: Option<Position>,
}

#[derive(Debug, Clone)]
enum Sort<'a> {
    All,
    Prefix(&'a str),
    UpTo(String),
    Between(String, String),
}

impl<'a> Range<'a> {
    pub fn of(pk: &'a str) -> Self {
        Self { index: None, pk, sort: Sort::All, newest_first: false, limit: 100, after: None }
    }
    pub fn by_owner(pk: &'a str) -> Self {
        Self { index: Some(keys::BY_OWNER), ..Self::of(pk) }
    }
    pub fn by_due(pk: &'a str) -> Self {
        Self { index: Some(keys::BY_DUE), ..Self::of(pk) }
    }
    pub fn prefix(mut self, prefix: &'a str) -> Self {
        self.sort = Sort::Prefix(prefix);
        self
    }
    /// Up to a moment, in an index that is sorted by time.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.sort = Sort::UpTo(keys::until(at));
        self
    }
    pub fn between(mut self, from: String, to: String) -> Self {
        self.sort = Sort::Between(from, to);
        self
    }
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000);
        self
    }
    pub fn after(mut self, position: Option<Position>) -> Self {
        self.after = position;
        self
    }

    /// The key after which the page starts. Cursors come from callers: what cannot be a place in this list is refused.
    fn start(&self) -> Result<Option<Item>, StoreError> {
        let Some(Position(parts)) = &self.after else { return Ok(None) };
        let [pk, sk] = key_attributes(self.index);
        let mut start: Item = parts.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        start.insert(pk.into(), text(self.pk));
        let names = [pk, sk, attribute::PK, attribute::SK];
        let whole = names.iter().all(|n| start.contains_key(*n)) && start.keys().all(|n| names.contains(&n.as_str()));
        let sizes = parts.iter().all(|(_, value)| (1..=LONGEST_KEY).contains(&value.len()));
        let inside = parts.iter().find(|(name, _)| name == sk).is_some_and(|(_, at)| match &self.sort {
            Sort::All => true,
            Sort::Prefix(prefix) => at.starts_with(prefix),
            Sort::UpTo(last) => at <= last,
            Sort::Between(from, to) => at >= from && at <= to,
        });
        if whole && sizes && inside { Ok(Some(start)) } else { Err(StoreError::Astray) }
    }
}

impl Store {
    pub fn new(client: Client, table: impl Into<String>, sleep: SharedAsyncSleep, entropy: Entropy) -> Self {
        Self { client, table: table.into(), sleep, entropy }
    }

    /// One item, read consistently.
    pub async fn get<E: Entity>(&self, key: &Key) -> Result<Option<Stored<E>>, StoreError> {
        let answer = self.client.get_item().table_name(&self.table).set_key(Some(key_item(key))).consistent_read(true).send().await?;
        Ok(answer.item.map(decode).transpose()?)
    }

    /// Several items in one round trip, read consistently; at most 100 different keys.
    pub async fn get_many(&self, keys: impl IntoIterator<Item = Key>) -> Result<Found, StoreError> {
        let mut wanted: Vec<Item> = Vec::new();
        for item in keys.into_iter().map(|k| key_item(&k)) {
            if !wanted.contains(&item) {
                wanted.push(item);
            }
        }
        if wanted.len() > BATCH {
            return Err(StoreError::Refused(format!("more than {BATCH} keys in one batch")));
        }
        let mut found = Found::default();
        for round in 0..BATCH_ROUNDS {
            if wanted.is_empty() {
                return Ok(found);
            }
            let request = KeysAndAttributes::builder().set_keys(Some(std::mem::take(&mut wanted))).consistent_read(true).build();
            let request = request.map_err(|_| StoreError::Refused("batch".into()))?;
            let mut answer = self.client.batch_get_item().request_items(&self.table, request).send().await?;
            let items = answer.responses.as_mut().and_then(|r| r.remove(&self.table)).unwrap_or_default();
            found.0.extend(items.into_iter().map(|item| (key_of(&item), item)));
            wanted = answer.unprocessed_keys.and_then(|mut u| u.remove(&self.table)).map(|k| k.keys).unwrap_or_default();
            if !wanted.is_empty() {
                self.pause(round).await;
            }
        }
        if wanted.is_empty() { Ok(found) } else { Err(StoreError::Unavailable("unprocessed keys".into())) }
    }

    /// One page of items of one kind; items of other kinds in the range are passed over.
    pub async fn query<E: Entity>(&self, range: Range<'_>) -> Result<Page<Stored<E>>, StoreError> {
        let (items, next) = self.query_items(range).await?.whole()?;
        Ok(Page::decoded(items.into_iter().filter(|i| kind_of(i) == Some(E::KIND)).map(decode), next))
    }

    /// The keys that an index lists in a range; the items themselves are read afterwards, for an index may be stale.
    pub async fn query_keys(&self, range: Range<'_>) -> Result<Page<Key>, StoreError> {
        Ok(self.query_items(range).await?.map(|item| key_of(&item)))
    }

    /// A page of raw items.
    pub async fn query_items(&self, range: Range<'_>) -> Result<Page<Item>, StoreError> {
        let [pk, sk] = key_attributes(range.index);
        let start = range.start()?;
        let mut request = self.client.query().table_name(&self.table).set_index_name(range.index.map(str::to_owned));
        request = request.expression_attribute_names("#pk", pk).expression_attribute_values(":pk", text(range.pk));
        let condition = match &range.sort {
            Sort::All => "#pk = :pk",
            Sort::Prefix(prefix) => {
                request = request.expression_attribute_values(":sk", text(*prefix));
                "#pk = :pk AND begins_with(#sk, :sk)"
            }
            Sort::UpTo(last) => {
                request = request.expression_attribute_values(":sk", text(last));
                "#pk = :pk AND #sk <= :sk"
            }
            Sort::Between(from, to) => {
                request = request.expression_attribute_values(":sk", text(from)).expression_attribute_values(":to", text(to));
                "#pk = :pk AND #sk BETWEEN :sk AND :to"
            }
        };
        if !matches!(range.sort, Sort::All) {
            request = request.expression_attribute_names("#sk", sk);
        }
        let answer = request
            .key_condition_expression(condition)
            .scan_index_forward(!range.newest_first)
            .limit(range.limit)
            .consistent_read(range.index.is_none())
            .set_exclusive_start_key(start)
            .send()
            .await?;
        let next = answer.last_evaluated_key.map(|key| position(range.index, &key));
        Ok(Page::new(answer.items.unwrap_or_default(), next))
    }

    /// Waits a little longer each round, so that colliding writers come apart.
    async fn pause(&self, round: u32) {
        let most = 20_u64 << round.min(6);
        self.sleep.sleep(Duration::from_millis(u64::from_be_bytes(self.entropy.bytes()) % most)).await;
    }
}

fn key_attributes(index: Option<&str>) -> [&'static str; 2] {
    match index {
        None => [attribute::PK, attribute::SK],
        Some(keys::BY_OWNER) => [attribute::OWNER_PK, attribute::OWNER_SK],
        Some(_) => [attribute::DUE_PK, attribute::DUE_SK],
    }
}

/// Where an item stands in the table or in an index.
fn position(index: Option<&str>, item: &Item) -> Position {
    let [pk, sk] = key_attributes(index);
    let names = [sk, attribute::PK, attribute::SK].into_iter().filter(|n| *n != pk);
    let mut parts: Vec<_> = names.filter_map(|n| Some((n.to_owned(), item.get(n)?.as_s().ok()?.clone()))).collect();
    parts.dedup();
    Position(parts)
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn key_item(key: &Key) -> Item {
    Item::from([(attribute::PK.into(), text(&key.pk)), (attribute::SK.into(), text(&key.sk))])
}
