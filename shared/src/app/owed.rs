//! Owed work: carried out by one worker at a time, and handed to its queue again where nobody has picked it up.

use super::{
    App, Problem,
    lap::{Lap, shards},
    metrics::Metric,
};
use crate::{
    domain::{
        ids::OutboxId,
        job::{Subject, Task},
        outbox::{OutboxItem, Work},
        time::Timestamp,
    },
    events::Message,
    store::transaction::Commit,
};

/// Work younger than this has just been handed on by the request that caused it.
const PATIENCE_SECONDS: i64 = 60;
/// How long a run goes on; its function may take a minute.
const SECONDS: i64 = 40;

/// Carries out one piece of work and removes it. Work that is done, or in another worker's hands, is no error: that
/// worker finishes it, or the sweep brings it again. A failure comes back later and later, and at last to a person.
pub async fn carry_out(app: &App, id: OutboxId, work: impl AsyncFn(&OutboxItem) -> Result<(), Problem>) -> Result<(), Problem> {
    let now = app.clock.now();
    let Some(item) = app.store.claim(id, now).await? else { return Ok(()) };
    match work(&item).await {
        Ok(()) => Ok(app.store.settle(&item).await?),
        Err(problem) => {
            if item.is_stuck() {
                let told = app.store.create(&Task::new(stuck(&item), now)).await?;
                if matches!((told, &item.work), (Commit::Done, Work::ConfirmNotice { .. })) {
                    Metric::MoneyContradictions.one();
                }
            }
            Err(problem)
        }
    }
}

/// The task that a person gets for work that has failed many times.
fn stuck(item: &OutboxItem) -> Subject {
    match &item.work {
        Work::ConfirmNotice { about, gateway_id, announced } => {
            Subject::NoticeNotConfirmed { work: item.id, about: format!("{about:?} {gateway_id} was announced as {announced:?}").to_lowercase() }
        }
        work => Subject::StuckWork { work: work.described() },
    }
}

/// Tells a person, once, and rings: the other side says something about money that our books contradict.
pub(super) async fn contradiction(app: &App, about: String, said: &str) -> Result<(), Problem> {
    let subject = Subject::MoneyContradiction { about, said: said.into() };
    if let Commit::Done = app.store.create(&Task::new(subject, app.clock.now())).await? {
        Metric::MoneyContradictions.one();
    }
    Ok(())
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    pub handed_on: usize,
    /// Items that their queue did not take; they wait for the next run.
    pub failed: usize,
    /// Items that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// What a sweep would hand on.
pub async fn waiting(app: &App, now: Timestamp) -> Result<Swept, Problem> {
    go_through(app, now, Lap::dry(app, shards(), SECONDS)).await
}

/// Hands on what is older than a minute and due. What waits for its next try is passed over, wherever it stands.
pub async fn sweep(app: &App, now: Timestamp) -> Result<Swept, Problem> {
    go_through(app, now, Lap::go_on(app, "outbox-sweep", shards(), SECONDS).await?).await
}

async fn go_through(app: &App, now: Timestamp, mut lap: Lap<'_, u8>) -> Result<Swept, Problem> {
    let mut done = Swept::default();
    while let Some((shard, after)) = lap.go() {
        for item in lap.turn(app.store.owed(shard, after).await).await?.into_iter().map(|i| i.value) {
            if now.since(item.created_at) < PATIENCE_SECONDS || item.claimed_until > now {
                continue;
            }
            if lap.is_dry() {
                done.handed_on += 1;
                continue;
            }
            match app.queues.send(item.work.lane(), &Message::Owed { outbox: item.id }).await {
                Ok(()) => done.handed_on += 1,
                Err(error) => lap.missed(error.into()).await,
            }
        }
    }
    let ended = lap.end(now).await?;
    Ok(Swept { failed: ended.missed.failed, odd: ended.missed.odd, more: ended.more, ..done })
}
