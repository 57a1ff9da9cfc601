//! Sends uploads to the function that looks at them, and keeps what came of it.

use qutab::{
    app::{
        Problem, StartError, owed,
        uploads::{self, Intake},
    },
    domain::outbox::OutboxItem,
    events::{
        Message,
        batch::{Answer, Batch, each},
    },
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    let build = |wiring: &Wiring| wiring.intake(system_clock());
    qutab::runtime::start::handle(build, async |intake: &Intake, batch: Batch| Ok(work(intake, batch).await)).await
}

pub async fn work(intake: &Intake, batch: Batch) -> Answer {
    let app = &intake.app;
    each(batch, async |message| {
        let done = match message {
            Message::Owed { outbox } => owed::carry_out(app, outbox, async |item: &OutboxItem| uploads::send(app, &item.work).await).await,
            Message::Rendered { upload, rendering } => uploads::record(app, &intake.quarantine, upload, &rendering).await,
            _ => return Err("a message of another queue"),
        };
        done.map_err(|p: Problem| p.code.as_str())
    })
    .await
}
