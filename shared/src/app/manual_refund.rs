//! Refunds that people carry out: what the gateway cannot send back, what failed there, and money that nobody could match.

use super::{
    App, Code, Problem, ROUNDS, Shop,
    audit::{self, Reviewer},
    record_payment::surplus_refund,
    send_refund::{self, owed},
    shop_days,
};
use crate::{
    domain::{
        ids::{OrderId, RefundId},
        job::{Subject, Task},
        order::Order,
        payment::Surplus,
        refund::{Refund, RefundStatus},
        text::TransferReference,
        time::Timestamp,
        verdict::Verdict,
    },
    gateway::RefundAnswer,
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

async fn find(app: &App, order: OrderId, id: RefundId) -> Result<Stored<Refund>, Problem> {
    app.store.refund(order, id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

/// A person takes over a refund that failed at the gateway, or that the gateway no longer knows although it had taken it. It
/// counts as refunded again, as far as that is still left.
pub async fn take_over(shop: &Shop, by: Reviewer, order: OrderId, id: RefundId) -> Result<Refund, Problem> {
    let app = &shop.app;
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = find(app, order, id).await?;
        let after = match read.value.status {
            RefundStatus::Manual => return Ok(read.value),
            RefundStatus::Failed => read.value.clone().taken_over(now)?,
            RefundStatus::Sent => match look_up(shop, &read.value, now).await? {
                Verdict::NotTaken(proof) => read.value.clone().left_to_a_person(proof)?,
                Verdict::Taken(_) => return Err(Problem::conflict("the gateway has this refund and has not said that it failed")),
                Verdict::Undecided => return Err(Problem::unavailable("the request to refund may still be under way")),
            },
            status => return Err(Problem::conflict(format!("the refund is {status}: only a failed one is taken over"))),
        };
        let failed = read.value.status == RefundStatus::Failed;
        let mut counted = None;
        let mut tx = Transaction::new();
        tx.save(&read, &after, ()).put_same(&Task::new(Subject::ManualRefund { order, refund: id }, now));
        let open = if failed { Subject::RefundFailed { order, refund: id } } else { Subject::RefundUnsettled { order, refund: id } };
        tx.forget(&keys::task(Task::new(open, now).id));
        if failed && after.of_order {
            let stored: Stored<Order> = app.store.order(order).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
            let counts = stored.value.clone().refund_taken_over(after.amount)?;
            tx.save(&stored, &counts, ());
            counted = Some(counts);
        }
        tx.create(&audit::entry(app, by, "refund.take_over", &format!("{order}/{id}"), read.value.status, after.status), ());
        if let Some(order) = counted {
            shop_days::mark(app, &order).await?;
        }
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(after);
        }
    }
    Err(Problem::unavailable("the refund kept colliding"))
}

/// Asks the gateway for a refund that it had taken: by its own id, and under our name.
async fn look_up(shop: &Shop, refund: &Refund, now: Timestamp) -> Result<Verdict<RefundAnswer>, Problem> {
    if let Some(id) = &refund.gateway_id
        && let Some(answer) = shop.gateway.read_refund(id).await?
    {
        return Ok(Verdict::Taken(answer));
    }
    Ok(send_refund::look_up(shop, refund, now).await?.verdict(refund.updated_at))
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
    let done = read.value.clone().confirmed(proof.clone(), app.clock.now())?;
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
    // Found by its invoice, for the name of a refund has changed once.
    if let Some(before) = app.store.refunds(order).await?.into_iter().find(|r| !r.value.of_order && r.value.invoice == invoice) {
        return Ok(before.value);
    }
    let refund = surplus_refund(&read.value, &receipt.paid, receipt.why, now);
    let owed = owed(order, refund.id, now);
    let mut tx = Transaction::new();
    tx.create(&Refund { requested_by: Some(by.admin), ..refund.clone() }, ());
    for item in &owed {
        tx.put_same(item);
    }
    if receipt.why == Surplus::Unmatched {
        tx.forget(&keys::task(Task::new(Subject::UnmatchedReceipt { order, invoice: invoice.into() }, now).id));
    }
    tx.create(&audit::entry(app, by, "receipt.refund", &format!("{order}/{invoice}"), "", refund.amount), ());
    match app.store.commit(tx).await? {
        Commit::Done => {
            app.queues.hand_on(&owed).await;
            Ok(refund)
        }
        Commit::Lost(_) => Ok(find(app, order, refund.id).await?.value),
    }
}
