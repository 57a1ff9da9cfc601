//! Daily: the books are held against each other; hourly while there is more of them than one run takes.

use qutab::{
    app::{
        App, Problem, StartError, jobs, lap,
        reconcile::{self, Recount},
    },
    domain::{job::Job, time::Timestamp},
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<reconcile::Reconciled, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    if is_done(app, now).await.map_err(|p| p.cause().to_owned())? {
        return Ok(reconcile::Reconciled::default());
    }
    let result =
        jobs::scheduled(app, Job::Reconciliation, now, reconcile::reconcile(app, now, Recount::Onward)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", wallets = result.wallets, entries = result.entries, differences = result.differences.len(), "reconciled");
    Ok(result)
}

/// Whether everything was looked at today.
async fn is_done(app: &App, now: Timestamp) -> Result<bool, Problem> {
    Ok(lap::is_whole(app, reconcile::AFFILIATES, now).await? && lap::is_whole(app, reconcile::ORDERS, now).await?)
}
