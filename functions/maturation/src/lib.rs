//! Daily: commissions past their hold become available.

use qutab::{
    app::{App, StartError, jobs, mature},
    domain::job::Job,
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<mature::Matured, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let matured = jobs::scheduled(app, Job::Maturation, now, mature::mature(app, now)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", commissions = matured.commissions, amount = matured.amount.get(), more = matured.more, "matured");
    Ok(matured)
}
