//! Owed work: carried out by one worker at a time, and handed to its queue again where nobody has picked it up.

use super::{App, Problem, metrics::Metric};
use crate::{
    domain::{
        ids::OutboxId,
        job::{Subject, Task},
        outbox::{OutboxItem, Work},
        time::Timestamp,
    },
    events::Message,
    store::keys::SHARDS,
};

/// Work younger than this has just been handed on by the request that caused it.
const PATIENCE_SECONDS: i64 = 60;
/// Most items of a shard in one run.
const PER_SHARD: usize = 200;

/// Carries out one piece of work and removes it. Work that is done, or in another worker's hands, is no error: that
/// worker finishes it, or the sweep brings it again. A failure comes back later and later, and at last to a person.
pub async fn carry_out(app: &App, id: OutboxId, work: impl AsyncFn(&OutboxItem) -> Result<(), Problem>) -> Result<(), Problem> {
    let now = app.clock.now();
    let Some(item) = app.store.claim(id, now).await? else { return Ok(()) };
    match work(&item).await {
        Ok(()) => Ok(app.store.settle(&item).await?),
        Err(problem) => {
            if item.is_stuck() {
                app.store.create(&Task::new(stuck(&item), now)).await?;
            }
            Err(problem)
        }
    }
}

/// The task that a person gets for work that has failed many times.
fn stuck(item: &OutboxItem) -> Subject {
    match &item.work {
        Work::ConfirmNotice { about, gateway_id, announced } => {
            Metric::MoneyContradictions.one();
            Subject::NoticeNotConfirmed { work: item.id, about: format!("{about:?} {gateway_id} was announced as {announced:?}").to_lowercase() }
        }
        work => Subject::StuckWork { work: work.described() },
    }
}

/// How many items a sweep would hand on.
pub async fn waiting(app: &App, now: Timestamp) -> Result<usize, Problem> {
    let mut waiting = 0;
    for shard in 0..SHARDS {
        let items = app.store.owed(shard, PER_SHARD).await?.items;
        waiting += items.iter().filter(|i| now.since(i.value.created_at) >= PATIENCE_SECONDS && i.value.claimed_until <= now).count();
    }
    Ok(waiting)
}

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
