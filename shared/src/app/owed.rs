//! Owed work that nobody has picked up: handed to its queue again.

use super::{App, Problem};
use crate::{domain::time::Timestamp, events::Message, store::keys::SHARDS};

/// Work younger than this has just been handed on by the request that caused it.
const PATIENCE_SECONDS: i64 = 60;
/// Most items of a shard in one run.
const PER_SHARD: usize = 200;

/// Hands on what is older than a minute; returns how many items that were.
pub async fn sweep(app: &App, now: Timestamp) -> Result<usize, Problem> {
    let mut handed = 0;
    for shard in 0..SHARDS {
        for item in app.store.owed(shard, PER_SHARD).await?.items {
            let item = item.value;
            if now.since(item.created_at) >= PATIENCE_SECONDS && item.claimed_until <= now {
                app.queues.send(item.work.lane(), &Message::Owed { outbox: item.id }).await?;
                handed += 1;
            }
        }
    }
    Ok(handed)
}
