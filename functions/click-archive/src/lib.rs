//! Daily: clicks whose retention is over go to the archive; hourly while there are more than one run takes.

use qutab::{
    app::{App, StartError, archive, jobs, lap},
    domain::job::Job,
    events::schedule::Scheduled,
    files::Archive,
    runtime::{clients::Wiring, system_clock},
};
use serde_json::{Value, json};

pub async fn start() -> Result<(), StartError> {
    let build = |wiring: &Wiring| Ok((wiring.app(system_clock())?, wiring.archive()?));
    qutab::runtime::start::handle(build, async |(app, files): &(App, Archive), event: Scheduled| run(app, files, event).await).await
}

pub async fn run(app: &App, files: &Archive, event: Scheduled) -> Result<Value, StartError> {
    let now = event.now(&app.clock, app.site.local)?;
    if lap::is_whole(app, Job::ClickArchive.as_str(), now).await.map_err(|p| p.cause().to_owned())? {
        return Ok(json!(archive::Archived::default()));
    }
    let done = jobs::scheduled(app, Job::ClickArchive, now, archive::archive(app, files, now)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", files = done.files, clicks = done.clicks, "clicks archived");
    Ok(json!(done))
}
