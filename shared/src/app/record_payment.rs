//! Records a payment: the order paid, the commission earned, the confirmation owed, in one transaction.
//!
//! Every way in leads here (webhook, status check, expiry, cancellation) and may come any number of times. The
//! invoice is always one that the gateway has just been asked for, never what a webhook said.

use super::{Code, Problem, ROUNDS, Shop, audit, metrics::Metric, notices::Heard, owed::contradiction, send_refund, signals};
use crate::{
    domain::{
        commission::{Commission, CommissionStatus, earned},
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        money::Rupiah,
        order::{Order, OrderStatus},
        outbox::{OutboxItem, Work},
        payment::{Attempt, Paid, PaymentMethod, Receipt, Surplus},
        refund::{Refund, RefundReason, RefundStatus},
        signal::Signal,
        time::Timestamp,
        verdict::Announced,
        wallet::{Cause, Wallet},
    },
    gateway::{Invoice, InvoiceStatus},
    store::{
        catalog::{AVAILABLE, take_coupon},
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};
use serde::Serialize;

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    Paid,
    /// This invoice had paid the order before.
    Already,
    /// Money that pays nothing: a refund was opened, or a task for an admin.
    Surplus(Surplus),
    /// An order's invoice that is not paid.
    Unpaid,
    /// The gateway does not know it.
    Unknown,
    NotOurs,
}

impl From<Recorded> for Heard {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Paid | Recorded::Already | Recorded::Surplus(_) => Self::Says(Announced::Paid),
            Recorded::Unpaid => Self::UnderWay,
            Recorded::Unknown => Self::Unknown,
            Recorded::NotOurs => Self::NotOurs,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Changed,
    /// A late payment found no stock or no coupon use left.
    Gone,
}

/// Asks the gateway about an invoice and records what it says.
pub async fn record_notice(shop: &Shop, invoice: &str) -> Result<Recorded, Problem> {
    let Some(invoice) = shop.gateway.read(invoice).await? else {
        tracing::info!("notice about an invoice that the gateway does not know");
        return Ok(Recorded::Unknown);
    };
    record(shop, &invoice).await
}

/// Records an invoice as the gateway has just reported it.
pub async fn record(shop: &Shop, invoice: &Invoice) -> Result<Recorded, Problem> {
    let Some(external) = invoice.external() else {
        tracing::info!("an invoice that is not an order's");
        return Ok(Recorded::NotOurs);
    };
    let now = shop.app.clock.now();
    if invoice.status == InvoiceStatus::Unknown {
        tracing::warn!(order = %external.order, "the gateway reports a status that is not known here");
    }
    let Some(paid) = invoice.paid(external.attempt, now) else { return Ok(Recorded::Unpaid) };
    for _ in 0..ROUNDS {
        let (order, attempt, receipt) = shop.app.store.order_of_invoice(external.order, external.attempt, &paid.invoice).await?;
        let (Some(order), Some(attempt)) = (order, attempt) else {
            // Under a name of ours and paid: no order of this table has asked for it.
            return without_order(shop, &external.to_string(), &paid).await;
        };
        // Its money is on its way back, or a person looks at it: it pays nothing any more, whatever has come free since.
        if let Some(receipt) = receipt {
            return Ok(Recorded::Surplus(receipt.value.why));
        }
        // Read in each round: a line of the ledger is not older than the one before it.
        if let Some(done) = record_once(shop, &order, &attempt.value, invoice, &paid, shop.app.clock.now()).await? {
            return Ok(done);
        }
    }
    Err(Problem::unavailable("recording the payment kept colliding"))
}

/// Money for an order that does not exist here is a person's.
async fn without_order(shop: &Shop, name: &str, paid: &Paid) -> Result<Recorded, Problem> {
    let said = format!("invoice {} is paid, and there is no such order", paid.invoice);
    contradiction(&shop.app, name.to_owned(), &said).await?;
    Ok(Recorded::NotOurs)
}

/// A total of zero: paid without the gateway.
pub async fn settle_free(shop: &Shop, id: OrderId) -> Result<Recorded, Problem> {
    for _ in 0..ROUNDS {
        let now = shop.app.clock.now();
        let Some(order) = shop.app.store.order(id).await? else { return Ok(Recorded::NotOurs) };
        if order.value.status != OrderStatus::Pending || order.value.total != Rupiah::ZERO {
            return Ok(Recorded::Already);
        }
        let paid = Paid { invoice: Paid::FREE.into(), attempt: 0, amount: Rupiah::ZERO, at: now, method: None };
        if let Some(done) = pay(shop, &order, &paid, now).await? {
            return Ok(done);
        }
    }
    Err(Problem::unavailable("settling the order kept colliding"))
}

/// One try against the order as it was read; nothing if somebody else wrote in between.
async fn record_once(
    shop: &Shop,
    order: &Stored<Order>,
    attempt: &Attempt,
    invoice: &Invoice,
    paid: &Paid,
    now: Timestamp,
) -> Result<Option<Recorded>, Problem> {
    let surplus = |why| surplus(shop, order, paid, &invoice.currency, why, now);
    match &order.value.paid {
        Some(before) if before.invoice == paid.invoice => return Ok(Some(Recorded::Already)),
        _ if invoice.amount != attempt.amount || paid.amount != attempt.amount || invoice.currency != "IDR" => {
            return surplus(Surplus::Unmatched).await;
        }
        Some(_) => return surplus(Surplus::Duplicate).await,
        None => {}
    }
    if order.value.status.may_become(OrderStatus::Paid) { pay(shop, order, paid, now).await } else { surplus(Surplus::TooLate).await }
}

async fn pay(shop: &Shop, order: &Stored<Order>, paid: &Paid, now: Timestamp) -> Result<Option<Recorded>, Problem> {
    let app = &shop.app;
    let late = !order.value.holds_stock();
    let after = order.value.clone().paid(paid.clone(), now)?;
    let mail = OutboxItem::new(Work::MailOrderConfirmed { order: after.id }, now);
    let mut owed = vec![mail];
    if paid.attempt < after.attempts {
        // An older link has paid: a payment through the newer one would have to go back.
        owed.push(OutboxItem::new(Work::EndLinks { order: after.id }, now));
    }
    let mut tx = Transaction::new();
    tx.save(order, &after, Lost::Changed);
    for item in &owed {
        tx.put_same(item);
    }
    if late {
        // Nobody is there any more for whom an animal could be given: the money goes back.
        let Some(customer) = app.store.customer(after.customer).await? else {
            return surplus(shop, order, paid, "IDR", Surplus::TooLate, now).await;
        };
        // Written again as it is: a deletion that is under way loses, and looks at the orders again.
        tx.save(&customer, &customer.value, Lost::Changed).absent(&keys::receipt(after.id, &paid.invoice), Lost::Changed);
        // The order had given back what it held; it must get all of it again.
        for line in &after.lines {
            tx.take(&keys::stock(line.product), AVAILABLE, line.quantity, Lost::Gone);
        }
        if let Some(coupon) = &after.coupon {
            let uses = app.store.coupon_uses(Some(coupon), after.customer).await?;
            let used = uses.as_ref().map_or(0, |u| u.value.used);
            if coupon.per_customer.is_some_and(|most| used >= most) {
                return surplus(shop, order, paid, "IDR", Surplus::TooLate, now).await;
            }
            take_coupon(&mut tx, coupon, after.customer, uses.as_ref(), Lost::Gone, Lost::Changed);
        }
    }
    if let Some(attribution) = &after.attribution {
        let (wallet, signals) = signals::of_sale(app, &after, attribution.affiliate).await?;
        earn(&mut tx, &after, paid, &wallet, signals, now)?;
        if late && let Some(lead) = app.store.referral(&after).await? {
            let valid = crate::store::entity::Referral { void: false, ..lead.value.clone() };
            tx.save(&lead, &valid, Lost::Changed);
        }
    }
    if after.attribution.is_none() {
        // Where an affiliate earns, the ledger's line tells of it.
        let paid = format!("paid: {} by invoice {}", paid.amount.get(), paid.invoice);
        tx.create(&audit::caused(app, "order.paid", &after.id.to_string(), order.value.status, paid), Lost::Changed);
    }
    match app.store.commit(tx).await? {
        Commit::Done => {
            Metric::OrdersPaid.one();
            Metric::WebhookLagSeconds.add(now.since(paid.at).max(0));
            if after.attribution.is_some() {
                Metric::CommissionsEarned.one();
            }
            app.queues.hand_on(&owed).await;
            Ok(Some(Recorded::Paid))
        }
        Commit::Lost(lost) if lost.contains(&Lost::Changed) => Ok(None),
        Commit::Lost(_) => surplus(shop, order, paid, "IDR", Surplus::TooLate, now).await,
    }
}

/// The commission of a paid order, with its ledger entry.
fn earn(
    tx: &mut Transaction<Lost>,
    order: &Order,
    paid: &Paid,
    wallet: &Stored<Wallet>,
    signals: Vec<Signal>,
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(attribution) = &order.attribution else { return Ok(()) };
    let amount = earned(attribution, &order.lines, paid.amount)?;
    let commission = Commission {
        affiliate: attribution.affiliate,
        order: order.id,
        order_number: order.number.clone(),
        // What is odd waits for a person; the sale itself is never lost.
        status: if signals.is_empty() { CommissionStatus::Pending } else { CommissionStatus::Held },
        basis: paid.amount,
        rule: attribution.rule,
        amount,
        voided: Rupiah::ZERO,
        placed_at: order.placed_at,
        paid_at: paid.at,
        due_at: None,
        matured_at: None,
        covered_by: None,
        signals,
        void_because: None,
    };
    let (after, entry) = wallet.value.clone().post(Cause::Earned { order: order.id, placed_at: order.placed_at, paid_at: paid.at }, amount, now)?;
    tx.create(&commission, Lost::Changed).save(wallet, &after, Lost::Changed).create(&entry, Lost::Changed);
    Ok(())
}

/// Money that pays nothing is kept as a receipt, once for an invoice, with its refund or its task. The order must still
/// be the one that this was decided on; nothing if it is not, or if the receipt is there already.
async fn surplus(shop: &Shop, read: &Stored<Order>, paid: &Paid, currency: &str, why: Surplus, now: Timestamp) -> Result<Option<Recorded>, Problem> {
    let order = &read.value;
    let receipt = Receipt { order: order.id, paid: paid.clone(), currency: currency.into(), why, recorded_at: now };
    let mut tx = Transaction::new();
    tx.create(&receipt, ()).unchanged(read, ());
    let came = format!("{} {currency} by invoice {}, which pays nothing", paid.amount.get(), paid.invoice);
    tx.create(&audit::caused(&shop.app, "order.surplus", &order.id.to_string(), "", came), ());
    let mut owed = Vec::new();
    if why == Surplus::Unmatched {
        tx.put_same(&Task::new(Subject::UnmatchedReceipt { order: order.id, invoice: paid.invoice.clone() }, now));
        owed.push(OutboxItem::new(Work::MailPaymentHeld { order: order.id, invoice: paid.invoice.clone() }, now));
    } else {
        let refund = surplus_refund(order, paid, why, now);
        owed.extend(send_refund::owed(order.id, refund.id, now));
        tx.create(&refund, ());
    }
    for item in &owed {
        tx.put_same(item);
    }
    let Commit::Done = shop.app.store.commit(tx).await? else { return Ok(None) };
    shop.app.queues.hand_on(&owed).await;
    Ok(Some(Recorded::Surplus(why)))
}

pub(super) fn surplus_refund(order: &Order, paid: &Paid, why: Surplus, now: Timestamp) -> Refund {
    Refund {
        // In a name space of its own: a key that a person chooses for a refund is never an invoice's.
        id: RefundId::named(&["surplus", &order.id.to_string(), &paid.invoice]),
        order: order.id,
        status: RefundStatus::Requested,
        amount: paid.amount,
        reason: if why == Surplus::Duplicate { RefundReason::Duplicate } else { RefundReason::Cancellation },
        note: None,
        ends: false,
        invoice: paid.invoice.clone(),
        method: paid.method.unwrap_or(PaymentMethod::Other),
        of_order: false,
        requested_by: None,
        requested_at: now,
        gateway_id: None,
        given_up_at: None,
        proof: None,
        picture: None,
        updated_at: now,
    }
}

/// Seconds within which the gateway is not asked again about the same link, however often a customer looks.
const ASKED_SECONDS: i64 = 10;

/// How a link stands, as far as the gateway was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStanding {
    /// There is none, or none is needed.
    None,
    Open,
    /// It takes no money any more: another one is to be asked for.
    Ended,
}

/// The payment status of an order: what is stored, healed by asking the gateway while it is pending, though not more often
/// than every few seconds.
pub async fn check(shop: &Shop, id: OrderId) -> Result<(Order, LinkStanding), Problem> {
    let missing = || Problem::new(Code::NotFound);
    let read = shop.app.store.order(id).await?.ok_or_else(missing)?;
    if !read.value.is_payable() || read.value.attempts == 0 {
        return Ok((read.value, LinkStanding::None));
    }
    let attempt = shop.app.store.attempt(id, read.value.attempts).await?.ok_or_else(missing)?;
    let Some(link) = &attempt.value.invoice else { return Ok((read.value, LinkStanding::None)) };
    let now = shop.app.clock.now();
    let known = if attempt.value.ended { LinkStanding::Ended } else { LinkStanding::Open };
    if attempt.value.asked_at.is_some_and(|at| now.since(at) < ASKED_SECONDS) {
        return Ok((read.value, known));
    }
    let Some(invoice) = shop.gateway.read(&link.id).await? else { return Ok((read.value, known)) };
    let ended = !matches!(invoice.status, InvoiceStatus::Pending | InvoiceStatus::Unknown);
    // Lost to another look at the same moment, which has noted the same.
    shop.app.store.save(&attempt, &Attempt { asked_at: Some(now), ended, ..attempt.value.clone() }).await?;
    let standing = if ended { LinkStanding::Ended } else { LinkStanding::Open };
    match record(shop, &invoice).await? {
        Recorded::Unknown | Recorded::NotOurs | Recorded::Unpaid => Ok((read.value, standing)),
        Recorded::Paid | Recorded::Already | Recorded::Surplus(_) => {
            let order = shop.app.store.order(id).await?.ok_or_else(missing)?.value;
            let standing = if order.is_payable() { LinkStanding::Ended } else { LinkStanding::None };
            Ok((order, standing))
        }
    }
}
