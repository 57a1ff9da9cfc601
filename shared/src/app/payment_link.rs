//! Payment links: an attempt is stored before the invoice exists, under a name that finds the invoice again.

use super::{
    Code, Problem, ROUNDS, Shop,
    record_payment::{self, LinkStanding, Recorded},
};
use crate::{
    domain::{
        identity::Customer,
        ids::OrderId,
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
    Attempt {
        order: order.id,
        number,
        amount: order.total,
        created_at: now,
        request,
        expires_at: order.pay_by,
        claimed_until,
        invoice: None,
        asked_at: None,
        ended: false,
    }
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

/// The link of a payable order: the stored one, the one that the gateway already has, or a new one.
pub async fn ensure_link(shop: &Shop, order: &Stored<Order>, customer: &Customer) -> Result<InvoiceLink, Problem> {
    let now = shop.app.clock.now();
    let read = live_attempt(shop, &order.value).await?;
    if let Some(link) = read.value.invoice.clone() {
        return Ok(link);
    }
    if read.value.claimed_until > now {
        return Err(Problem::busy("another request is creating the link"));
    }
    let claimed = Attempt { claimed_until: now.plus_seconds(CLAIM_SECONDS), ..read.value.clone() };
    // The order is relied on as well: no link is made for one that is cancelled in between.
    let mut tx = Transaction::new();
    tx.save(&read, &claimed, ()).unchanged(order, ());
    if let Commit::Lost(_) = shop.app.store.commit(tx).await? {
        return Err(Problem::busy("another request is creating the link"));
    }
    let claimed = Stored { value: claimed, revision: read.revision + 1 };
    match found(shop, &claimed.value).await? {
        Some(invoice) => keep(shop, claimed, &invoice).await,
        None => create_link(shop, &order.value, claimed, customer).await,
    }
}

async fn live_attempt(shop: &Shop, order: &Order) -> Result<Stored<Attempt>, Problem> {
    shop.app.store.attempt(order.id, order.attempts).await?.ok_or_else(|| Problem::internal("an order without its attempt"))
}

/// A link that takes money: the stored one while the gateway says so, or another one where it has ended there.
pub async fn open_link(shop: &Shop, order: Stored<Order>, customer: &Customer) -> Result<InvoiceLink, Problem> {
    let (seen, standing) = record_payment::check(shop, order.value.id).await?;
    if !seen.is_payable() {
        return Err(Problem::conflict(format!("the order is {}", seen.status)));
    }
    if standing == LinkStanding::Ended { renew_link(shop, order, customer, None).await } else { ensure_link(shop, &order, customer).await }
}

/// Most links of one order: each new one costs several requests to the gateway.
const MOST_LINKS: u32 = 6;

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
        if let Some(request) = request {
            // Among all links of the order, for another key may have come between.
            let asked = shop.app.store.attempts(order.value.id).await?.into_iter().find(|a| a.value.request.as_deref() == Some(request));
            match asked.map(|a| a.value) {
                Some(Attempt { invoice: Some(link), .. }) => return Ok(link),
                Some(attempt) if attempt.number == order.value.attempts => return ensure_link(shop, &order, customer).await,
                Some(_) => return Err(Problem::conflict("another link has taken the place of this one before it was made")),
                None => {}
            }
        }
        if order.value.attempts >= MOST_LINKS {
            return Err(Problem::conflict(format!(
                "an order has at most {MOST_LINKS} payment links: pay through the last one, or cancel the order and place it again"
            )));
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
    Err(Problem::busy("the link kept colliding"))
}

/// Ends every invoice of the order's live attempt, so that no link outlives the order. An invoice that is already
/// paid is recorded instead, and the caller gets a conflict; one that was paid with a wrong sum pays nothing.
pub async fn end_invoices(shop: &Shop, order: &Order) -> Result<(), Problem> {
    if order.attempts == 0 {
        return Ok(());
    }
    let attempt = live_attempt(shop, order).await?;
    let invoices = shop.gateway.find(attempt.value.external_id()).await?;
    if invoices.is_empty() && attempt.value.invoice.is_none() && attempt.value.claimed_until > shop.app.clock.now() {
        return Err(Problem::busy("a payment link is just being made"));
    }
    for ended in end_all(shop, &attempt.value, invoices).await? {
        match ended.status {
            InvoiceStatus::Paid if matches!(record_payment::record(shop, &ended).await?, Recorded::Paid | Recorded::Already) => {
                return Err(Problem::conflict("the order has just been paid"));
            }
            InvoiceStatus::Paid | InvoiceStatus::Expired => {}
            InvoiceStatus::Pending | InvoiceStatus::Unknown => return Err(Problem::unavailable("the gateway does not say that the link has ended")),
        }
    }
    Ok(())
}

/// Ends the invoices of an attempt: those found by its name, for a race may have made two and a crash may have stored none,
/// and the stored one, for the gateway's list may lag.
async fn end_all(shop: &Shop, attempt: &Attempt, mut invoices: Vec<Invoice>) -> Result<Vec<Invoice>, Problem> {
    let mut ended = Vec::new();
    if let Some(link) = attempt.invoice.as_ref().filter(|link| invoices.iter().all(|i| i.id != link.id)) {
        ended.push(shop.gateway.expire(&link.id).await?);
    }
    for invoice in invoices.drain(..) {
        ended.push(match invoice.status {
            InvoiceStatus::Pending | InvoiceStatus::Unknown => shop.gateway.expire(&invoice.id).await?,
            InvoiceStatus::Paid | InvoiceStatus::Expired => invoice,
        });
    }
    Ok(ended)
}

/// Ends the links of an order that is paid, so that nobody pays it twice.
pub async fn end_links_of_paid(shop: &Shop, id: OrderId) -> Result<(), Problem> {
    let Some(order) = shop.app.store.order(id).await?.map(|o| o.value) else { return Ok(()) };
    for attempt in shop.app.store.attempts(id).await? {
        let paid = order.paid.as_ref().is_some_and(|p| p.attempt == attempt.value.number);
        if paid {
            continue;
        }
        let invoices = shop.gateway.find(attempt.value.external_id()).await?;
        for ended in end_all(shop, &attempt.value, invoices).await? {
            record_payment::record(shop, &ended).await?;
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
            stored.and_then(|s| s.value.invoice).ok_or_else(|| Problem::busy("another request is creating the link"))
        }
    }
}
