//! Does the work of the payments queue: payments recorded, commissions earned, refunds sent.

use qutab::{
    app::{
        Problem, Shop, StartError,
        notices::{self, Notice},
        owed, payment_link, record_payment, send_refund, transfers,
    },
    domain::{
        outbox::{NoticeAbout, OutboxItem, Work},
        verdict::Announced,
    },
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
        Message::InvoiceNotice { invoice, paid, foreign } => {
            let announced = paid.then_some(Announced::Paid);
            notices::take(shop, Notice { about: NoticeAbout::Invoice, gateway_id: invoice, announced, foreign }).await
        }
        Message::RefundNotice { gateway_id, announced, foreign } => {
            notices::take(shop, Notice { about: NoticeAbout::Refund, gateway_id, announced, foreign }).await
        }
        Message::PayoutNotice { gateway_id, announced, foreign } => {
            notices::take(shop, Notice { about: NoticeAbout::Payout, gateway_id, announced, foreign }).await
        }
        Message::Owed { outbox } => owed::carry_out(&shop.app, outbox, async |item: &OutboxItem| owed_work(shop, item).await).await,
    }
}

async fn owed_work(shop: &Shop, item: &OutboxItem) -> Result<(), Problem> {
    match &item.work {
        Work::SendRefund { order, refund } => send_refund::send_refund(shop, *order, *refund, item.tries).await,
        Work::SendPayout { payout } => transfers::send(shop, *payout, item.tries).await,
        Work::RecordInvoice { invoice } => record_payment::record_notice(shop, invoice).await.map(|_| ()),
        Work::ConfirmNotice { about, gateway_id, announced } => notices::confirm(shop, *about, gateway_id, *announced).await,
        Work::AskTransfer { payout, by, ending } => transfers::ask(shop, *payout, *by, *ending).await,
        Work::EndLinks { order } => payment_link::end_links_of_paid(shop, *order).await,
        Work::SettleFreeOrder { order } => record_payment::settle_free(shop, *order).await.map(|_| ()),
        _ => Err(Problem::internal("work of the notifications queue")),
    }
}
