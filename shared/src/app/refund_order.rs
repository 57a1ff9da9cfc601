//! Opens a refund: the order, the commission and the ledger change at the request; the money follows.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    shop_days,
};
use crate::{
    domain::{
        commission::{Commission, CommissionStatus},
        ids::{OrderId, RefundId},
        money::Rupiah,
        order::{Order, RefundKind},
        outbox::{OutboxItem, Work},
        payment::PaymentMethod,
        refund::{Refund, RefundReason, RefundStatus},
        text::Note,
        time::Timestamp,
        wallet::{Cause, Wallet},
    },
    store::{
        catalog::AVAILABLE,
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

#[derive(Debug, Clone)]
pub struct Asked {
    /// The season's proposal when nothing is said. Another amount needs a reason.
    pub amount: Option<Rupiah>,
    pub kind: RefundKind,
    pub reason: Option<Note>,
    /// The platform could not deliver: everything goes back.
    pub undeliverable: bool,
    pub idempotency_key: Option<String>,
}

/// The refund, and the order after it.
#[derive(Debug)]
pub struct Opened {
    pub refund: Refund,
    pub order: Order,
}

pub async fn refund_order(app: &App, by: Reviewer, id: OrderId, asked: Asked) -> Result<Opened, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        // A name space of its own: a key may be any text, and an invoice of this order is one.
        let refund_id = match &asked.idempotency_key {
            Some(key) => RefundId::named(&["asked", &id.to_string(), key]),
            None => RefundId::fresh(now, &app.entropy),
        };
        // The version before named it without the name space; a retry across a deployment finds it there.
        let older_id = asked.idempotency_key.as_ref().map_or(refund_id, |key| RefundId::named(&[&id.to_string(), key]));
        let (order_key, refund_key, older_key) = (keys::order(id), keys::refund(id, refund_id), keys::refund(id, older_id));
        let asked_for =
            [order_key.clone(), refund_key.clone(), keys::settings()].into_iter().chain((older_key != refund_key).then(|| older_key.clone()));
        let mut found = app.store.get_many(asked_for).await?;
        let order: Stored<Order> = found.take(&order_key)?.ok_or_else(|| Problem::new(Code::NotFound))?;
        let older = found.take::<Refund>(&older_key)?.filter(|r| r.value.of_order);
        if let Some(before) = found.take::<Refund>(&refund_key)?.or(older) {
            return same(before.value, order.value, &asked);
        }
        let settings = found.take(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        let amount = amount(&order.value, &asked, &settings, now)?;
        let after = order.value.clone().refund(amount, asked.kind, asked.reason.clone(), now)?;
        let refund = new_refund(refund_id, &after, amount, &asked, by, now);
        let (tx, owed) = write(app, by, &order, &after, &refund, now).await?;
        shop_days::mark(app, &after).await?;
        if let Commit::Done = app.store.commit(tx).await? {
            app.queues.hand_on(&owed).await;
            return Ok(Opened { refund, order: after });
        }
    }
    Err(Problem::busy("the refund kept colliding"))
}

/// The amount: what was asked for with a reason, else what the season proposes.
fn amount(order: &Order, asked: &Asked, settings: &crate::domain::settings::Settings, now: Timestamp) -> Result<Rupiah, Problem> {
    let proposed = if asked.undeliverable { order.refundable() } else { order.proposed_refund(settings, now)? };
    match asked.amount {
        Some(amount) if amount != proposed && asked.reason.is_none() => {
            let message = format!("another amount than the proposed {proposed} needs a reason");
            Err(Problem::field("reason", crate::domain::Wrong::new("required", message)))
        }
        Some(amount) => Ok(amount),
        None => Ok(proposed),
    }
}

fn same(before: Refund, order: Order, asked: &Asked) -> Result<Opened, Problem> {
    let reason = if asked.undeliverable { RefundReason::Cancellation } else { RefundReason::RequestedByCustomer };
    let fits = asked.amount.is_none_or(|a| a == before.amount)
        && before.ends == (asked.kind == RefundKind::Ends)
        && (&before.note, before.reason) == (&asked.reason, reason);
    if fits { Ok(Opened { refund: before, order }) } else { Err(Problem::new(Code::IdempotencyMismatch)) }
}

fn new_refund(id: RefundId, order: &Order, amount: Rupiah, asked: &Asked, by: Reviewer, now: Timestamp) -> Refund {
    let paid = order.paid.as_ref();
    Refund {
        id,
        order: order.id,
        // Nothing to send: done at once.
        status: if amount == Rupiah::ZERO { RefundStatus::Succeeded } else { RefundStatus::Requested },
        amount,
        reason: if asked.undeliverable { RefundReason::Cancellation } else { RefundReason::RequestedByCustomer },
        note: asked.reason.clone(),
        ends: asked.kind == RefundKind::Ends,
        invoice: paid.map(|p| p.invoice.clone()).unwrap_or_default(),
        method: paid.and_then(|p| p.method).unwrap_or(PaymentMethod::Other),
        of_order: true,
        requested_by: Some(by.admin),
        requested_at: now,
        gateway_id: None,
        given_up_at: None,
        proof: None,
        picture: None,
        updated_at: now,
    }
}

async fn write(
    app: &App,
    by: Reviewer,
    read: &Stored<Order>,
    after: &Order,
    refund: &Refund,
    now: Timestamp,
) -> Result<(Transaction<()>, Vec<OutboxItem>), Problem> {
    let mut owed = vec![OutboxItem::new(Work::MailRefund { order: after.id, refund: refund.id }, now)];
    if refund.status == RefundStatus::Requested {
        owed.push(OutboxItem::new(Work::SendRefund { order: after.id, refund: refund.id }, now));
    }
    let mut tx = Transaction::new();
    tx.save(read, after, ()).create(refund, ());
    for item in &owed {
        tx.put_same(item);
    }
    if refund.ends && read.value.returns_stock_on_refund() {
        for line in &after.lines {
            tx.give_back(&keys::stock(line.product), AVAILABLE, line.quantity, ());
        }
    }
    void_commission(app, &mut tx, after, refund, now).await?;
    let subject = format!("{}/{}", after.id, refund.id);
    tx.create(&audit::entry(app, by, "order.refund", &subject, read.value.status.as_str(), refund.amount), ());
    Ok((tx, owed))
}

/// Takes back what the refund takes back of the commission, from wherever the money is now.
async fn void_commission(app: &App, tx: &mut Transaction<()>, order: &Order, refund: &Refund, now: Timestamp) -> Result<(), Problem> {
    let Some(attribution) = &order.attribution else { return Ok(()) };
    let (commission_key, wallet_key) = (keys::commission(attribution.affiliate, order.placed_at, order.id), keys::wallet(attribution.affiliate));
    let mut found = app.store.get_many([commission_key.clone(), wallet_key.clone()]).await?;
    let commission: Option<Stored<Commission>> = found.take(&commission_key)?;
    let wallet: Option<Stored<Wallet>> = found.take(&wallet_key)?;
    let (Some(commission), Some(wallet)) = (commission, wallet) else { return Ok(()) };
    if commission.value.status == CommissionStatus::Void {
        return Ok(());
    }
    let paid = order.paid.as_ref().map_or(Rupiah::ZERO, |p| p.amount);
    let (after, taken) = commission.value.clone().voided_by(order.refunded, paid, refund.ends)?;
    tx.save(&commission, &after, ());
    if taken > Rupiah::ZERO {
        let cause = if commission.value.status == CommissionStatus::Available {
            Cause::VoidedAvailable { order: order.id, refund: refund.id }
        } else {
            Cause::VoidedPending { order: order.id, refund: refund.id }
        };
        let (mut after, entry) = wallet.value.clone().post(cause, taken, now)?;
        if let Some((covered_by, matured_at)) = commission.value.covered_by.zip(commission.value.matured_at) {
            after.note_taken_back(covered_by, matured_at, taken, now)?;
        }
        tx.save(&wallet, &after, ()).create(&entry, ());
    }
    Ok(())
}
