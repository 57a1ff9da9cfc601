//! Daily: commissions past their hold become available.

use qutab::{
    app::{App, StartError, mature},
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<mature::Matured, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let matured = mature::mature(app, now).await.map_err(|p| p.code.as_str())?;
    tracing::info!(target: "qutab", commissions = matured.commissions, amount = matured.amount.get(), more = matured.more, "matured");
    if matured.failed > 0 {
        // What could be done is done; the alarm tells of the rest.
        return Err(format!("{} failed", matured.failed).into());
    }
    Ok(matured)
}
