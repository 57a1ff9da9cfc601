//! Orders as their customers see them.

use qutab::{
    domain::{
        order::{Actor, Order, OrderStatus},
        payment::Receipt,
        refund::Refund,
    },
    store::orders::Beside,
};
use serde_json::{Value, json};

/// The answer to placing an order: only what was fixed then, so that a repeated request gets it word for word.
pub fn placed(order: &Order, payment_url: Option<&str>) -> Value {
    json!({
        "id": order.id,
        "number": order.number,
        "status": OrderStatus::Pending,
        "items": lines(order),
        "recipient": order.recipient,
        "subtotal": order.subtotal,
        "discount": discount(order),
        "total": order.total,
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
        "payment_url": payment_url,
    })
}

pub fn summary(order: &Order) -> Value {
    json!({
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "total": order.total,
        "placed_at": order.placed_at,
        "items": lines(order),
    })
}

/// The order, with all money that came or went beside its payment: also that of an order that was never paid.
pub fn detail(order: &Order, beside: &Beside) -> Value {
    let refund = |r: &Refund| json!({ "id": r.id, "amount": r.amount, "status": r.status, "requested_at": r.requested_at });
    // Money in another currency, or of another payment than was asked for, is shown as it came.
    let unused = |r: &Receipt| {
        let refund = beside.refunds.iter().find(|back| back.invoice == r.paid.invoice && !back.of_order);
        json!({ "amount": r.paid.amount, "currency": r.currency, "why": r.why, "at": r.recorded_at, "refund_id": refund.map(|back| back.id) })
    };
    json!({
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "items": lines(order),
        "recipient": order.recipient,
        "note": order.note,
        "terms_version": order.terms,
        "coupon": order.coupon.as_ref().map(|c| &c.code),
        "subtotal": order.subtotal,
        "discount": discount(order),
        "total": order.total,
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
        "paid": order.paid.as_ref().map(|p| json!({ "amount": p.amount, "at": p.at, "method": p.method })),
        "refunded": order.refunded,
        "refunds": beside.refunds.iter().map(refund).collect::<Vec<_>>(),
        "other_payments": beside.receipts.iter().map(unused).collect::<Vec<_>>(),
        "tracking": steps(order),
    })
}

/// The dated history: placed, then every change of status.
pub fn steps(order: &Order) -> Vec<Value> {
    let first = json!({ "status": OrderStatus::Pending, "at": order.placed_at, "by": Actor::Customer, "note": null });
    let later = order.history.iter().map(|s| json!({ "status": s.to, "at": s.at, "by": s.by, "note": s.note }));
    std::iter::once(first).chain(later).collect()
}

fn lines(order: &Order) -> Vec<Value> {
    let line = |l: &qutab::domain::order::OrderLine| json!({ "product_id": l.product, "name": l.name, "quantity": l.quantity, "unit_price": l.unit_price, "shohibul": l.shohibul });
    order.lines.iter().map(line).collect()
}

fn discount(order: &Order) -> qutab::domain::money::Rupiah {
    order.coupon.as_ref().map(|c| c.discount).unwrap_or_default()
}
