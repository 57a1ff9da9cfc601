//! Every five minutes: unpaid orders past their deadline expire, after the gateway has been asked; and refunds that it
//! has not told of are asked for.

use qutab::{
    app::{Shop, StartError, release_order, send_refund},
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.shop(system_clock()), async |shop: &Shop, event: Scheduled| run(shop, event).await).await
}

pub async fn run(shop: &Shop, event: Scheduled) -> Result<release_order::Expired, StartError> {
    let now = event.now(&shop.app.clock, shop.app.site.local)?;
    let done = release_order::expire_unpaid(shop, now).await.map_err(|p| p.code.as_str())?;
    let refunds = send_refund::ask_about_sent(shop, now).await.map_err(|p| p.code.as_str())?;
    tracing::info!(target: "qutab", expired = done.expired, kept = done.kept, refunds, "payment expiry");
    Ok(done)
}
