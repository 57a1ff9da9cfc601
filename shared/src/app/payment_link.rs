//! Payment links: an attempt is stored before the invoice exists, under a name that finds the invoice again.

use super::{
    Code, Problem, ROUNDS, Shop,
    record_payment::{self, Recorded},
};
use crate::{
    domain::{
        identity::Customer,
        order::Order,
        payment::{Attempt, InvoiceLink},
        time::Timestamp,
    },
    gateway::{Invoice, InvoiceStatus, Payer},
    store::{
        entity::Stored,
        transaction::{Commit, Transaction},
    },
};

/// How long one request may take to create an invoice before another may try.
const CLAIM_SECONDS: i64 = 45;
/// The gateway takes no shorter invoice than a minute.
const SHORTEST: i64 = 60;

/// The first attempt of a new order, claimed by the request that places it.
pub(super) fn first_attempt(order: &Order, now: Timestamp) -> Attempt {
    attempt(order, 1, None, now)
}

fn attempt(order: &Order, number: u32, request: Option<String>, now: Timestamp) -> Attempt {
    let claimed_until = now.plus_seconds(CLAIM_SECONDS);
    Attempt { order: order.id, number, amount: order.total, created_at: now, request, expires_at: order.pay_by, claimed_until, invoice: None }
}

/// Creates the invoice of an attempt that this request has claimed, and stores its link.
pub(super) async fn create_link(shop: &Shop, order: &Order, claimed: Stored<Attempt>, customer: &Customer) -> Result<InvoiceLink, Problem> {
    let now = shop.app.clock.now();
    let left = claimed.value.expires_at.since(now);
    if left < SHORTEST {
        return Err(Problem::conflict("the payment deadline has passed"));
    }
    let payer = Payer { name: &customer.name, email: &customer.email, phone: &customer.phone };
    let invoice = match shop.gateway.create(&claimed.value, order, &payer, left).await {
        Ok(invoice) => invoice,
        // Unknown outcome: the invoice is looked for under its name before anybody creates another.
        Err(_) => found(shop, &claimed.value).await?.ok_or_else(|| Problem::unavailable("no invoice was created"))?,
    };
    keep(shop, claimed, &invoice).await
}

/// The live link of a payable order: the stored one, the one that the gateway already has, or a new one.
pub async fn ensure_link(shop: &Shop, order: &Order, customer: &Customer) -> Result<InvoiceLink, Problem> {
    let now = shop.app.clock.now();
    let read = shop.app.store.attempt(order.id, order.attempts).await?.ok_or_else(|| Problem::internal("an order without its attempt"))?;
    if let Some(link) = read.value.invoice.clone() {
        return Ok(link);
    }
    if read.value.claimed_until > now {
        return Err(Problem::unavailable("another request is creating the link"));
    }
    let claimed = Attempt { claimed_until: now.plus_seconds(CLAIM_SECONDS), ..read.value.clone() };
    if let Commit::Lost(_) = shop.app.store.save(&read, &claimed).await? {
        return Err(Problem::unavailable("another request is creating the link"));
    }
    let claimed = Stored { value: claimed, revision: read.revision + 1 };
    match found(shop, &claimed.value).await? {
        Some(invoice) => keep(shop, claimed, &invoice).await,
        None => create_link(shop, order, claimed, customer).await,
    }
}

/// Another link for a payable order. The old invoice is ended at the gateway first; if it turns out paid, that is recorded.
/// A request that comes again under the same key gets the link that it got before.
pub async fn renew_link(shop: &Shop, order: Stored<Order>, customer: &Customer, request: Option<&str>) -> Result<InvoiceLink, Problem> {
    let mut order = order;
    for _ in 0..ROUNDS {
        let now = shop.app.clock.now();
        if !order.value.is_payable() {
            return Err(Problem::conflict(format!("the order is {}", order.value.status)));
        }
        if order.value.pay_by.since(now) < SHORTEST {
            return Err(Problem::conflict("the payment deadline has passed"));
        }
        let live = shop.app.store.attempt(order.value.id, order.value.attempts).await?;
        if request.is_some() && live.is_some_and(|a| a.value.request.as_deref() == request) {
            return ensure_link(shop, &order.value, customer).await;
        }
        end_invoices(shop, &order.value).await?;
        let mut renewed = order.value.clone();
        renewed.attempts += 1;
        let next = attempt(&renewed, renewed.attempts, request.map(str::to_owned), now);
        let mut tx = Transaction::new();
        tx.save(&order, &renewed, ()).create(&next, ());
        if let Commit::Done = shop.app.store.commit(tx).await? {
            return create_link(shop, &renewed, Stored { value: next, revision: 1 }, customer).await;
        }
        order = shop.app.store.order(order.value.id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    }
    Err(Problem::unavailable("the link kept colliding"))
}

/// Ends every invoice of the order's live attempt, so that no link outlives the order. An invoice that is already
/// paid is recorded instead, and the caller gets a conflict; one that was paid with a wrong sum pays nothing.
pub async fn end_invoices(shop: &Shop, order: &Order) -> Result<(), Problem> {
    if order.attempts == 0 {
        return Ok(());
    }
    let attempt = shop.app.store.attempt(order.id, order.attempts).await?.ok_or_else(|| Problem::internal("an order without its attempt"))?;
    // Found by name, not by the stored id: a race may have made two, a crash may have stored none.
    let invoices = shop.gateway.find(attempt.value.external_id()).await?;
    if invoices.is_empty() && attempt.value.invoice.is_none() && attempt.value.claimed_until > shop.app.clock.now() {
        return Err(Problem::unavailable("a payment link is just being made"));
    }
    for invoice in invoices {
        let ended = match invoice.status {
            InvoiceStatus::Pending => shop.gateway.expire(&invoice.id).await?,
            _ => invoice,
        };
        if ended.status == InvoiceStatus::Paid && matches!(record_payment::record(shop, &ended).await?, Recorded::Paid | Recorded::Already) {
            return Err(Problem::conflict("the order has just been paid"));
        }
    }
    Ok(())
}

async fn found(shop: &Shop, attempt: &Attempt) -> Result<Option<Invoice>, Problem> {
    let invoices = shop.gateway.find(attempt.external_id()).await?;
    Ok(invoices.into_iter().find(|i| i.amount == attempt.amount && i.status != InvoiceStatus::Expired))
}

async fn keep(shop: &Shop, claimed: Stored<Attempt>, invoice: &Invoice) -> Result<InvoiceLink, Problem> {
    let link = InvoiceLink { id: invoice.id.clone(), url: invoice.url.clone() };
    let linked = Attempt { invoice: Some(link.clone()), ..claimed.value.clone() };
    match shop.app.store.save(&claimed, &linked).await? {
        Commit::Done => Ok(link),
        // Either our own write after a lost answer, or somebody else's link: what is stored is the link.
        Commit::Lost(_) => {
            let stored = shop.app.store.read_back(&linked).await?;
            stored.and_then(|s| s.value.invoice).ok_or_else(|| Problem::unavailable("another request is creating the link"))
        }
    }
}
