//! What staff see of an order.

use qutab::{
    app::App,
    domain::{
        order::{Actor, Order, OrderLine, OrderStatus},
        payment::Paid,
        refund::Refund,
    },
    http::picture,
};
use serde_json::{Value, json};

pub fn refund_view(r: &Refund) -> Value {
    json!({
        "id": r.id, "amount": r.amount, "status": r.status, "reason": r.reason, "note": r.note, "ends_order": r.ends,
        "of_order": r.of_order, "requested_at": r.requested_at, "updated_at": r.updated_at, "reference": r.proof, "has_proof": r.picture.is_some(),
    })
}

pub fn order(app: &App, order: &Order) -> Value {
    let line = |l: &OrderLine| json!({ "product_id": l.product, "name": l.name, "quantity": l.quantity, "unit_price": l.unit_price, "shohibul": l.shohibul });
    let paid = |p: &Paid| json!({ "amount": p.amount, "at": p.at, "method": p.method, "invoice": p.invoice, "attempt": p.attempt });
    json!({
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer,
        "status": order.status,
        "items": order.lines.iter().map(line).collect::<Vec<_>>(),
        "recipient": order.recipient,
        "note": order.note,
        "subtotal": order.subtotal,
        "discount": order.coupon.as_ref().map(|c| c.discount).unwrap_or_default(),
        "total": order.total,
        "coupon": order.coupon.as_ref().map(|c| &c.code),
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
        "paid": order.paid.as_ref().map(paid),
        "refunded": order.refunded,
        "refundable": order.refundable(),
        "affiliate_id": order.attribution.as_ref().map(|a| a.affiliate),
        "flag": order.flag,
        "signals": order.signals,
        "history": steps(order),
        "photos": order.photos.iter().map(|p| json!({ "at": p.at, "sizes": picture::sizes(&app.site, &p.picture) })).collect::<Vec<_>>(),
    })
}

fn steps(order: &Order) -> Vec<Value> {
    let first = json!({ "status": OrderStatus::Pending, "at": order.placed_at, "by": Actor::Customer, "note": null });
    let later = order.history.iter().map(|s| json!({ "status": s.to, "at": s.at, "by": s.by, "note": s.note }));
    std::iter::once(first).chain(later).collect()
}
