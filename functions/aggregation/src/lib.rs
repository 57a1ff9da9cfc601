//! Every five minutes: the affiliates' days are counted from clicks and ledgers.

use qutab::{
    app::{App, StartError, aggregate, jobs},
    domain::job::Job,
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};
use serde_json::{Value, json};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.app(system_clock()), async |app: &App, event: Scheduled| run(app, event).await).await
}

pub async fn run(app: &App, event: Scheduled) -> Result<Value, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let done = jobs::scheduled(app, Job::Aggregation, now, aggregate::aggregate(app, now)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", days = done.days, "days counted");
    Ok(json!(done))
}
