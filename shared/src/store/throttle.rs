//! Counted attempts in a fixed window: kept in the table, so that a cold start forgets nothing.

use super::{Found, Store, StoreError, keys, keys::Key, transaction::add_to_window};
use crate::domain::time::Timestamp;

/// So many attempts in so many seconds.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub attempts: u32,
    pub seconds: i64,
}

/// The window of a limit that is open now, for one thing that is counted.
#[derive(Debug, Clone)]
pub struct Window {
    key: Key,
    limit: Limit,
    ends: i64,
}

impl Limit {
    pub fn window(self, what: &str, now: Timestamp) -> Window {
        let number = now.unix().div_euclid(self.seconds);
        Window { key: keys::throttle(&format!("{what}#{number}")), limit: self, ends: (number + 1) * self.seconds }
    }
}

impl Window {
    /// What a batch of reads asks for, so that looking at the window needs no round trip of its own.
    pub fn key(&self) -> Key {
        self.key.clone()
    }

    /// How long to wait, if `count` attempts, the present one included, are too many.
    pub fn wait(&self, count: u32, now: Timestamp) -> Option<i64> {
        (count > self.limit.attempts).then(|| (self.ends - now.unix()).max(1))
    }

    /// The same for an attempt that is counted only if it fails: the window is `full` of those that did.
    pub fn wait_if_full(&self, failed: u32, now: Timestamp) -> Option<i64> {
        self.wait(failed.saturating_add(1), now)
    }
}

impl Found {
    /// How many attempts the window had when it was read.
    pub fn attempts(&self, window: &Window) -> u32 {
        let count = self.0.get(&window.key).and_then(|item| item.get("count")).and_then(|v| v.as_n().ok());
        count.map_or(0, |n| n.parse().unwrap_or(u32::MAX))
    }
}

impl Store {
    /// Counts one attempt; how many there are with it.
    pub async fn count(&self, window: &Window) -> Result<u32, StoreError> {
        add_to_window(self, &window.key, "throttle", window.ends + 3600).await
    }

    /// Forgets the attempts of a window: they were their owner's.
    pub async fn forgive(&self, window: &Window) -> Result<(), StoreError> {
        self.delete(&window.key).await
    }

    /// Counts one attempt at `what`. `Some(seconds)` when the limit is passed: how long to wait.
    pub async fn throttle(&self, what: &str, limit: Limit, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let window = limit.window(what, now);
        let count = self.count(&window).await?;
        Ok(window.wait(count, now))
    }
}
