//! Whether the books of one order agree: what was paid, what went back, and what its affiliate earns.

use super::{App, Problem};
use crate::{
    domain::{
        ids::OrderId,
        money::Rupiah,
        order::OrderStatus,
        payment::{Paid, Surplus},
        refund::RefundStatus,
        time::{Day, Timestamp},
    },
    store::orders::OrderBooks,
};

/// So long after its deadline an order may still be pending: the gateway is asked before it expires.
const OVERDUE_SECONDS: i64 = 86_400;
/// What is read while it changes is read again this often.
const LOOKS: u32 = 3;
/// How far back orders are looked for while no day of the shop was counted.
const DAYS: u16 = 35;

/// Every day on which orders may have been placed, newest first.
pub async fn days(app: &App, now: Timestamp) -> Result<Vec<Day>, Problem> {
    let today = now.day();
    let first = app.store.first_shop_day().await?.unwrap_or(today).min(today.minus(DAYS));
    let count = u16::try_from(first.days_until(today)).unwrap_or(u16::MAX);
    Ok((0..=count).map(|back| today.minus(back)).collect())
}

/// What does not agree about an order; nothing if all does.
pub async fn disagreement(app: &App, id: OrderId, now: Timestamp) -> Result<Option<&'static str>, Problem> {
    let mut found = None;
    for _ in 0..LOOKS {
        let Some(books) = app.store.order_books(id).await? else { return Ok(Some("a number without an order")) };
        found = of_payment(&books, now)?.or_else(|| of_receipts(&books));
        if found.is_none() {
            found = of_commission(app, &books).await?;
        }
        if found.is_none() {
            return Ok(None);
        }
    }
    Ok(found)
}

fn of_payment(books: &OrderBooks, now: Timestamp) -> Result<Option<&'static str>, Problem> {
    let order = &books.order;
    let went_back = books.refunds.iter().filter(|r| r.of_order && r.status != RefundStatus::Failed).map(|r| r.amount);
    let went_back = Rupiah::sum(went_back)?;
    if went_back != order.refunded {
        return Ok(Some("refunds are not what the order says was refunded"));
    }
    let Some(paid) = &order.paid else {
        let late = order.status == OrderStatus::Pending && now.since(order.pay_by) > OVERDUE_SECONDS;
        return Ok(late.then_some("pending a day past the deadline").or((went_back > Rupiah::ZERO).then_some("refunded without a payment")));
    };
    let attempt = books.attempts.iter().find(|a| a.number == paid.attempt);
    let by_attempt = attempt.is_some_and(|a| a.amount == paid.amount);
    Ok(if went_back > paid.amount {
        Some("more refunded than was paid")
    } else if paid.invoice != Paid::FREE && !by_attempt {
        Some("paid by an invoice that no attempt asked for")
    } else {
        None
    })
}

fn of_receipts(books: &OrderBooks) -> Option<&'static str> {
    let refunded = |invoice: &str| books.refunds.iter().any(|r| !r.of_order && r.invoice == invoice);
    // What a person decides has a task until it is decided, and leaves no other trace.
    let owed = books.receipts.iter().filter(|r| r.why != Surplus::Unmatched);
    owed.into_iter().any(|r| !refunded(&r.paid.invoice)).then_some("money that paid nothing, without a refund")
}

async fn of_commission(app: &App, books: &OrderBooks) -> Result<Option<&'static str>, Problem> {
    let earns = books.order.paid.is_some();
    let commission = app.store.commission(&books.order).await?;
    Ok(match commission {
        None if earns && books.order.attribution.is_some() => Some("paid through an affiliate, without a commission"),
        Some(_) if !earns => Some("a commission of an order that was not paid"),
        Some(c) if books.order.status == OrderStatus::Refunded && c.value.remaining() > Rupiah::ZERO => {
            Some("refunded, and its commission is not void")
        }
        _ => None,
    })
}
