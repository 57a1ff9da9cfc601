//! Daily: recounts the ledgers from their checkpoints; from the beginning on the first day of a month.

use qutab::{
    app::{
        App, StartError, jobs,
        reconcile::{self, Recount},
    },
    domain::job::Job,
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<reconcile::Reconciled, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let how = if now.day().of_month() == 1 { Recount::Full } else { Recount::Onward };
    let result = jobs::scheduled(app, Job::Reconciliation, now, reconcile::reconcile(app, now, how)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", wallets = result.wallets, entries = result.entries, differences = result.differences.len(), "reconciled");
    Ok(result)
}
