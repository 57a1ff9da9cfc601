//! Counted attempts in a fixed window: kept in the table, so that a cold start forgets nothing.

use super::{Store, StoreError, keys, transaction::add_to_window};
use crate::domain::time::Timestamp;

/// So many attempts in so many seconds.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub attempts: u32,
    pub seconds: i64,
}

impl Store {
    /// Counts one attempt at `what`. `Some(seconds)` when the limit is passed: how long to wait.
    pub async fn throttle(&self, what: &str, limit: Limit, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let window = now.unix().div_euclid(limit.seconds);
        let ends = (window + 1) * limit.seconds;
        let key = keys::throttle(&format!("{what}#{window}"));
        let count = add_to_window(self, &key, "throttle", ends + 3600).await?;
        Ok((count > limit.attempts).then(|| (ends - now.unix()).max(1)))
    }
}
