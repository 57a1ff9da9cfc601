//! Looks at uploaded pictures: decodes them, writes them anew, and tells what came of it. This is where bytes from
//! strangers meet a decoder, so this function reaches no table, no money and no mail.

use qutab::{
    app::{Problem, StartError, uploads::Darkroom},
    events::{
        Message,
        batch::{Answer, Batch, each},
    },
    runtime::clients::Wiring,
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.darkroom(), async |darkroom: &Darkroom, batch: Batch| Ok(work(darkroom, batch).await))
        .await
}

pub async fn work(darkroom: &Darkroom, batch: Batch) -> Answer {
    each(batch, async |message| match message {
        Message::Render { upload, purpose } => darkroom.render(upload, &purpose).await.map_err(|p: Problem| p.code.as_str()),
        _ => Err("a message of another queue"),
    })
    .await
}
