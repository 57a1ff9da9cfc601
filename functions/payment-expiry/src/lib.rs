//! Every five minutes: unpaid orders past their deadline expire, after the gateway has been asked; and refunds that it
//! has not told of are asked for.

use qutab::{
    app::{Shop, StartError, jobs, release_order},
    domain::job::Job,
    events::schedule::Scheduled,
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.shop(system_clock()), async |shop: &Shop, event: Scheduled| run(shop, event).await).await
}

pub async fn run(shop: &Shop, event: Scheduled) -> Result<release_order::Expired, StartError> {
    let now = event.now(&shop.app.clock, shop.app.site.local)?;
    let done =
        jobs::scheduled(&shop.app, Job::PaymentExpiry, now, release_order::expire_unpaid(shop, now)).await.map_err(|p| p.cause().to_owned())?;
    tracing::info!(target: "qutab", expired = done.expired, kept = done.kept, refunds = done.refunds, "payment expiry");
    Ok(done)
}
