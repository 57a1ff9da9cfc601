//! Does the work of the payments queue: payments recorded, commissions earned, refunds sent.

use qutab::{
    app::{Problem, Shop, StartError, owed, record_payment, send_refund, transfers},
    domain::outbox::Work,
    events::{
        Message,
        batch::{Answer, Batch, each},
    },
    runtime::{clients::Wiring, system_clock},
};

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::start::handle(|wiring: &Wiring| wiring.shop(system_clock()), async |shop: &Shop, batch: Batch| Ok(work(shop, batch).await)).await
}

/// Each message alone; all of them safe to repeat.
pub async fn work(shop: &Shop, batch: Batch) -> Answer {
    each(batch, async |message| one(shop, message).await.map_err(|p| Failed(p.code.as_str()))).await
}

#[derive(Debug)]
struct Failed(&'static str);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

async fn one(shop: &Shop, message: Message) -> Result<(), Problem> {
    match message {
        Message::Render { .. } | Message::Rendered { .. } => Err(Problem::internal("a message of another queue")),
        Message::InvoiceNotice { invoice, paid } => record_payment::take_notice(shop, &invoice, paid).await,
        Message::RefundNotice { gateway_id } => send_refund::record_refund(shop, &gateway_id).await,
        Message::PayoutNotice { gateway_id } => transfers::record(shop, &gateway_id).await,
        Message::Owed { outbox } => owed::carry_out(&shop.app, outbox, async |work: &Work| owed_work(shop, work).await).await,
    }
}

async fn owed_work(shop: &Shop, work: &Work) -> Result<(), Problem> {
    match work {
        Work::SendRefund { order, refund } => send_refund::send_refund(shop, *order, *refund).await,
        Work::SendPayout { payout } => transfers::send(shop, *payout).await,
        Work::RecordInvoice { invoice } => record_payment::record_notice(shop, invoice).await.map(|_| ()),
        Work::SettleFreeOrder { order } => record_payment::settle_free(shop, *order).await.map(|_| ()),
        _ => Err(Problem::internal("work of the notifications queue")),
    }
}
