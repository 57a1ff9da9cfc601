//! Sends owed mail from the notifications queue; on its schedule it hands on what the outbox still holds.

use qutab::{
    app::{App, Problem, StartError, jobs, notify, owed},
    domain::{job::Job, outbox::OutboxItem, time::Timestamp},
    events::{
        Message,
        batch::{Answer, Batch, each},
        schedule::Scheduled,
    },
    mail::Mailer,
    runtime::{clients::Wiring, system_clock},
    whatsapp::WhatsApp,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Notifier {
    pub app: App,
    pub mailer: Mailer,
    pub whatsapp: Option<WhatsApp>,
}

/// What may arrive: a batch of the queue, or the schedule of the sweep.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Batch(Batch),
    Sweep(Scheduled),
}

impl Notifier {
    pub fn build(wiring: &Wiring, app: App) -> Result<Self, StartError> {
        Ok(Self { app, mailer: wiring.mailer()?, whatsapp: wiring.whatsapp()? })
    }
}

pub async fn start() -> Result<(), StartError> {
    let build = |wiring: &Wiring| Notifier::build(wiring, wiring.app(system_clock())?);
    qutab::runtime::start::handle(build, async |notifier: &Notifier, event: Event| handle(notifier, event).await).await
}

pub async fn handle(notifier: &Notifier, event: Event) -> Result<Value, StartError> {
    match event {
        Event::Batch(batch) => Ok(serde_json::to_value(work(notifier, batch).await)?),
        Event::Sweep(schedule) => {
            let app = &notifier.app;
            let now: Timestamp = schedule.now(&app.clock, app.site.local)?;
            let done = jobs::scheduled(app, Job::OutboxSweep, now, owed::sweep(app, now)).await.map_err(|p| p.cause().to_owned())?;
            Ok(json!(done))
        }
    }
}

pub async fn work(notifier: &Notifier, batch: Batch) -> Answer {
    each(batch, async |message| match message {
        Message::Owed { outbox } => {
            let send = async |item: &OutboxItem| notify::notify(&notifier.app, &notifier.mailer, notifier.whatsapp.as_ref(), &item.work).await;
            owed::carry_out(&notifier.app, outbox, send).await.map_err(|p: Problem| p.code.as_str())
        }
        _ => Err("a message of another queue"),
    })
    .await
}
