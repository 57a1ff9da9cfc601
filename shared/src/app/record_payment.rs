//! Records a payment: the order paid, the commission earned, the confirmation owed, in one transaction.
//!
//! Every way in leads here (webhook, status check, expiry, cancellation) and may come any number of times. The
//! invoice is always one that the gateway has just been asked for, never what a webhook said.

use super::{Code, Problem, ROUNDS, Shop, audit, metrics::Metric, signals};
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
    /// Not ours.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Changed,
    /// A late payment found no stock or no coupon use left.
    Gone,
}

/// Records what a notice is about. The gateway does not repeat a notice that was taken: if it cannot be asked now, or does
/// not say yet what it announced, that is owed and done later.
pub async fn take_notice(shop: &Shop, invoice: &str, paid: bool) -> Result<(), Problem> {
    let later = match record_notice(shop, invoice).await {
        Ok(recorded) => paid && recorded == Recorded::Unpaid,
        Err(problem) if problem.code == Code::Unavailable => true,
        Err(problem) => return Err(problem),
    };
    if later {
        let owed = OutboxItem::new(Work::RecordInvoice { invoice: invoice.into() }, shop.app.clock.now());
        shop.app.store.create(&owed).await?;
    }
    Ok(())
}

/// Asks the gateway about an invoice and records what it says.
pub async fn record_notice(shop: &Shop, invoice: &str) -> Result<Recorded, Problem> {
    let Some(invoice) = shop.gateway.read(invoice).await? else {
        tracing::info!("notice about an invoice that the gateway does not know");
        return Ok(Recorded::Nothing);
    };
    record(shop, &invoice).await
}

/// Records an invoice as the gateway has just reported it.
pub async fn record(shop: &Shop, invoice: &Invoice) -> Result<Recorded, Problem> {
    let Some(external) = invoice.external() else {
        tracing::info!("an invoice that is not an order's");
        return Ok(Recorded::Nothing);
    };
    let now = shop.app.clock.now();
    if invoice.status == InvoiceStatus::Unknown {
        tracing::warn!(order = %external.order, "the gateway reports a status that is not known here");
    }
    let Some(paid) = invoice.paid(external.attempt, now) else { return Ok(Recorded::Unpaid) };
    for _ in 0..ROUNDS {
        let (order, attempt, receipt) = shop.app.store.order_of_invoice(external.order, external.attempt, &paid.invoice).await?;
        let (Some(order), Some(attempt)) = (order, attempt) else {
            tracing::info!("a payment for an order that does not exist");
            return Ok(Recorded::Nothing);
        };
        // Its money is on its way back, or a person looks at it: it pays nothing any more, whatever has come free since.
        if let Some(receipt) = receipt {
            return Ok(Recorded::Surplus(receipt.value.why));
        }
        if let Some(done) = record_once(shop, &order, &attempt.value, invoice, &paid, now).await? {
            return Ok(done);
        }
    }
    Err(Problem::unavailable("recording the payment kept colliding"))
}

/// A total of zero: paid without the gateway.
pub async fn settle_free(shop: &Shop, id: OrderId) -> Result<Recorded, Problem> {
    let now = shop.app.clock.now();
    for _ in 0..ROUNDS {
        let Some(order) = shop.app.store.order(id).await? else { return Ok(Recorded::Nothing) };
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
    let mut tx = Transaction::new();
    tx.save(order, &after, Lost::Changed).put_same(&mail);
    if late {
        tx.absent(&keys::receipt(after.id, &paid.invoice), Lost::Changed);
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
            app.queues.hand_on(&[mail]).await;
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
    } else {
        let refund = surplus_refund(order, paid, why, now);
        owed.push(OutboxItem::new(Work::SendRefund { order: order.id, refund: refund.id }, now));
        tx.create(&refund, ());
        for item in &owed {
            tx.put_same(item);
        }
    }
    let Commit::Done = shop.app.store.commit(tx).await? else { return Ok(None) };
    shop.app.queues.hand_on(&owed).await;
    Ok(Some(Recorded::Surplus(why)))
}

pub(super) fn surplus_refund(order: &Order, paid: &Paid, why: Surplus, now: Timestamp) -> Refund {
    Refund {
        id: RefundId::named(&[&order.id.to_string(), &paid.invoice]),
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

/// The payment status of an order: what is stored, healed by asking the gateway while it is pending.
pub async fn check(shop: &Shop, id: OrderId) -> Result<Order, Problem> {
    let missing = || Problem::new(Code::NotFound);
    let read = shop.app.store.order(id).await?.ok_or_else(missing)?;
    if !read.value.is_payable() || read.value.attempts == 0 {
        return Ok(read.value);
    }
    let attempt = shop.app.store.attempt(id, read.value.attempts).await?.ok_or_else(missing)?;
    let Some(link) = &attempt.value.invoice else { return Ok(read.value) };
    match record_notice(shop, &link.id).await? {
        Recorded::Nothing | Recorded::Unpaid => Ok(read.value),
        _ => Ok(shop.app.store.order(id).await?.ok_or_else(missing)?.value),
    }
}
