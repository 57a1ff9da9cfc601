//! Schedules by hand: what a run would do, the run itself, and what is remembered of the last ones.

use super::{
    App, Code, Problem, Shop, aggregate, archive,
    lap::Share,
    mature, owed,
    reconcile::{self, Recount},
    release_order, uploads,
};
use crate::{
    domain::{
        ids::AdminId,
        job::{Job, JobRun, JobRuns},
        time::Timestamp,
    },
    files::{Archive, Documents},
    store::transaction::Commit,
};
use axum::extract::FromRef;
use serde::Serialize;
use serde_json::{Value, json};

/// What a function has that can run every schedule.
#[derive(Debug, Clone)]
pub struct Workshop {
    pub shop: Shop,
    pub documents: Documents,
    pub archive: Archive,
}

impl FromRef<Workshop> for App {
    fn from_ref(workshop: &Workshop) -> Self {
        workshop.shop.app.clone()
    }
}

/// How long a run by hand goes on: whoever waits for it waits half a minute at most. The next run goes on.
const BY_HAND_SECONDS: i64 = 20;

fn by_hand(app: &App) -> App {
    let until = Some(app.clock.now().plus_seconds(BY_HAND_SECONDS));
    App { share: Share { until, ..app.share }, ..app.clone() }
}

/// What a run as of `now` would do. Nothing is written.
pub async fn preview(app: &App, job: Job, now: Timestamp) -> Result<Value, Problem> {
    let app = &by_hand(app);
    Ok(match job {
        Job::Maturation => json!(mature::due(app, now).await?),
        Job::Aggregation => json!(aggregate::due(app, now).await?),
        Job::PaymentExpiry => json!(release_order::overdue(app, now).await?),
        Job::ClickArchive => json!(archive::due(app, now).await?),
        Job::KtpRetention => json!(uploads::overdue(app, now).await?),
        Job::Reconciliation => json!(reconcile::reconcile(app, now, Recount::Dry).await?),
        Job::OutboxSweep => json!(owed::waiting(app, now).await?),
    })
}

/// Runs a schedule by hand, as of `now`, as its function would.
pub async fn run(workshop: &Workshop, job: Job, now: Timestamp, by: AdminId) -> Result<Value, Problem> {
    let app = by_hand(&workshop.shop.app);
    let shop = Shop { app: app.clone(), ..workshop.shop.clone() };
    let outcome = work(&Workshop { shop, ..workshop.clone() }, job, now).await;
    remember(&app, job, now, Some(by), outcome.as_ref().map_err(|p| p.code)).await;
    outcome
}

async fn work(workshop: &Workshop, job: Job, now: Timestamp) -> Result<Value, Problem> {
    let (shop, app) = (&workshop.shop, &workshop.shop.app);
    Ok(match job {
        Job::Maturation => json!(mature::mature(app, now).await?),
        Job::Aggregation => json!(aggregate::aggregate(app, now).await?),
        Job::PaymentExpiry => json!(release_order::expire_unpaid(shop, now).await?),
        Job::ClickArchive => json!(archive::archive(app, &workshop.archive, now).await?),
        Job::KtpRetention => json!(uploads::retain(app, &workshop.documents, now).await?),
        Job::Reconciliation => json!(reconcile::reconcile(app, now, Recount::Full).await?),
        Job::OutboxSweep => json!(owed::sweep(app, now).await?),
    })
}

/// Does the work of a schedule and remembers what became of it. What could not be done in it fails it in the end, so
/// that the alarm tells of it; the rest is done.
pub async fn scheduled<T: Serialize>(app: &App, job: Job, now: Timestamp, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let done = work.await;
    let report = done.as_ref().map(|d| json!(d));
    remember(app, job, now, None, report.as_ref().map_err(|p| p.code)).await;
    match report.as_ref().map(failed) {
        Ok(count) if count > 0 => Err(Problem::internal(format!("{count} failed"))),
        _ => done,
    }
}

fn failed(report: &Value) -> u64 {
    report["failed"].as_u64().unwrap_or(0)
}

/// Keeps what became of a run. That it cannot be kept fails nothing.
async fn remember(app: &App, job: Job, now: Timestamp, by: Option<AdminId>, outcome: Result<&Value, Code>) {
    let (ok, more, report) = match outcome {
        Ok(report) => (failed(report) == 0, report["more"] == true, report.to_string()),
        Err(code) => (false, false, code.as_str().to_owned()),
    };
    let run = JobRun { as_of: now, finished_at: app.clock.now(), ok, more, report, by };
    if let Err(error) = keep(app, job, run).await {
        tracing::warn!(%error, job = job.as_str(), "a run was not remembered");
    }
}

async fn keep(app: &App, job: Job, run: JobRun) -> Result<(), crate::store::StoreError> {
    for _ in 0..2 {
        let written = match app.store.job_runs(job.as_str()).await? {
            Some(read) => app.store.save(&read, &read.value.clone().with(run.clone())).await?,
            None => app.store.create(&JobRuns::none(job.as_str().into()).with(run.clone())).await?,
        };
        if let Commit::Done = written {
            break;
        }
    }
    Ok(())
}
