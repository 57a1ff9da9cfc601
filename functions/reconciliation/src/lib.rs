//! Daily: recounts the ledgers from their checkpoints; from the beginning on the first day of a month.

use qutab::{
    app::{App, StartError, reconcile},
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<reconcile::Reconciled, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let full = now.day().to_string().ends_with("-01");
    let result = reconcile::reconcile(app, now, full).await.map_err(|p| p.code.as_str())?;
    tracing::info!(target: "qutab", wallets = result.wallets, entries = result.entries, differences = result.differences.len(), "reconciled");
    if result.failed > 0 {
        // What could be done is done; the alarm tells of the rest.
        return Err(format!("{} failed", result.failed).into());
    }
    Ok(result)
}
