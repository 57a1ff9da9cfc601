//! Daily: pictures of identity cards whose time is over are removed.

use qutab::{
    app::{App, StartError, jobs, uploads},
    domain::job::Job,
    events::schedule::Scheduled,
    files::Documents,
    runtime::{clients::Wiring, system_clock},
};
use serde_json::{Value, json};

pub async fn start() -> Result<(), StartError> {
    let build = |wiring: &Wiring| Ok((wiring.app(system_clock())?, wiring.documents()?));
    qutab::runtime::start::handle(build, async |(app, documents): &(App, Documents), event: Scheduled| run(app, documents, event).await).await
}

pub async fn run(app: &App, documents: &Documents, event: Scheduled) -> Result<Value, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    let done = jobs::scheduled(app, Job::KtpRetention, now, uploads::retain(app, documents, now)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", removed = done.removed, "identity cards removed");
    Ok(json!(done))
}
