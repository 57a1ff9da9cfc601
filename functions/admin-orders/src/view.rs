//! What staff see of an order.

use qutab::{
    app::App,
    domain::{order::Order, refund::Refund},
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
    json!({
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer,
        "status": order.status,
        "items": order.lines,
        "recipient": order.recipient,
        "note": order.note,
        "subtotal": order.subtotal,
        "total": order.total,
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
        "paid": order.paid,
        "refunded": order.refunded,
        "refundable": order.refundable(),
        "affiliate_id": order.attribution.as_ref().map(|a| a.affiliate),
        "flag": order.flag,
        "signals": order.signals,
        "coupon": order.coupon,
        "history": order.history,
        "photos": order.photos.iter().map(|p| json!({ "at": p.at, "sizes": picture::sizes(&app.site, &p.picture) })).collect::<Vec<_>>(),
    })
}
