//! Refunds that people carry out: what the gateway cannot send back, what failed there, and money that nobody could match.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    record_payment::surplus_refund,
    shop_days,
};
use crate::{
    domain::{
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        order::Order,
        outbox::{OutboxItem, Work},
        payment::Surplus,
        refund::{Refund, RefundStatus},
        text::TransferReference,
    },
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

async fn find(app: &App, order: OrderId, id: RefundId) -> Result<Stored<Refund>, Problem> {
    app.store.refund(order, id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

/// A person takes over a refund that failed at the gateway. It counts as refunded again, as far as that is still left.
pub async fn take_over(app: &App, by: Reviewer, order: OrderId, id: RefundId) -> Result<Refund, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = find(app, order, id).await?;
        if read.value.status == RefundStatus::Manual {
            return Ok(read.value);
        }
        if read.value.status != RefundStatus::Failed {
            return Err(Problem::conflict(format!("the refund is {}: only a failed one is taken over", read.value.status)));
        }
        let after = read.value.clone().moved(RefundStatus::Manual, now)?;
        let mut counted = None;
        let mut tx = Transaction::new();
        tx.save(&read, &after, ()).put_same(&Task::new(Subject::ManualRefund { order, refund: id }, now));
        tx.forget(&keys::task(Task::new(Subject::RefundFailed { order, refund: id }, now).id));
        if after.of_order {
            let stored: Stored<Order> = app.store.order(order).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
            let counts = stored.value.clone().refund_taken_over(after.amount)?;
            tx.save(&stored, &counts, ());
            counted = Some(counts);
        }
        tx.create(&audit::entry(app, by, "refund.take_over", &format!("{order}/{id}"), read.value.status, after.status), ());
        if let Commit::Done = app.store.commit(tx).await? {
            if let Some(order) = counted {
                shop_days::mark(app, &order).await;
            }
            return Ok(after);
        }
    }
    Err(Problem::unavailable("the refund kept colliding"))
}

/// The transfer has been made by hand. Only a refund that waits for one: what is at the gateway may still be sent there.
pub async fn confirm(app: &App, by: Reviewer, order: OrderId, id: RefundId, proof: TransferReference) -> Result<Refund, Problem> {
    let read = find(app, order, id).await?;
    if read.value.status == RefundStatus::Succeeded && read.value.proof.as_ref() == Some(&proof) {
        return Ok(read.value);
    }
    if read.value.status != RefundStatus::Manual {
        return Err(Problem::conflict(format!("the refund is {}: there is no transfer to confirm", read.value.status)));
    }
    let mut done = read.value.clone().moved(RefundStatus::Succeeded, app.clock.now())?;
    done.proof = Some(proof.clone());
    let mut tx = Transaction::new();
    tx.save(&read, &done, ()).forget(&keys::task(Task::new(Subject::ManualRefund { order, refund: id }, done.updated_at).id));
    tx.create(&audit::entry(app, by, "refund.confirm", &format!("{order}/{id}"), read.value.status, &proof), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(done),
        Commit::Lost(_) => Err(Problem::conflict("somebody else has just changed this; look again")),
    }
}

/// Sends back money that could not be matched to what was asked for.
pub async fn refund_receipt(app: &App, by: Reviewer, order: OrderId, invoice: &str) -> Result<Refund, Problem> {
    let now = app.clock.now();
    let missing = || Problem::new(Code::NotFound);
    let read = app.store.order(order).await?.ok_or_else(missing)?;
    let receipt = app.store.receipts(order).await?.into_iter().find(|r| r.value.paid.invoice == invoice).ok_or_else(missing)?.value;
    if receipt.currency != "IDR" {
        return Err(Problem::conflict("this money is not rupiah: send it back by hand, and close the task with what was done"));
    }
    let refund = surplus_refund(&read.value, &receipt.paid, receipt.why, now);
    if let Some(before) = app.store.refund(order, refund.id).await? {
        return Ok(before.value);
    }
    let owed = OutboxItem::new(Work::SendRefund { order, refund: refund.id }, now);
    let mut tx = Transaction::new();
    tx.create(&Refund { requested_by: Some(by.admin), ..refund.clone() }, ()).put_same(&owed);
    if receipt.why == Surplus::Unmatched {
        tx.forget(&keys::task(Task::new(Subject::UnmatchedReceipt { order, invoice: invoice.into() }, now).id));
    }
    tx.create(&audit::entry(app, by, "receipt.refund", &format!("{order}/{invoice}"), "", refund.amount), ());
    match app.store.commit(tx).await? {
        Commit::Done => {
            app.queues.hand_on(&[owed]).await;
            Ok(refund)
        }
        Commit::Lost(_) => Ok(find(app, order, refund.id).await?.value),
    }
}
