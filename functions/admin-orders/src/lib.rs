//! Orders: their list, their progress, cancellation and refunds.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        Code, Problem, Shop, advance_order, manual_refund, refund_order,
        refund_order::Asked,
        release_order::{self, Released},
    },
    domain::{
        Wrong,
        ids::{OrderId, RefundId},
        money::Rupiah,
        order::{Order, OrderStatus, RefundKind},
        refund::Refund,
        staff::Permission,
        text::{Note, TransferReference},
        time::Day,
    },
    http::{Access, AdminCaller, Form, Group, IdempotencyKey, PageQuery, page::Listed},
    store::keys,
};
use serde_json::{Value, json};

pub fn group(shop: Shop) -> Group {
    Group::named("admin-orders")
        .get("/api/admin/orders", Access::Admin(Permission::Read), list)
        .get("/api/admin/orders/{id}", Access::Admin(Permission::Read), one)
        .post("/api/admin/orders/{id}/status", Access::Admin(Permission::RunOrders), advance)
        .post("/api/admin/orders/{id}/cancel", Access::Admin(Permission::RunOrders), cancel)
        .post("/api/admin/orders/{id}/refund", Access::Admin(Permission::Refund), refund)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/take-over", Access::Admin(Permission::Refund), take_over)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/confirm", Access::Admin(Permission::Refund), confirm)
        .post("/api/admin/orders/{id}/receipts/{invoice}/refund", Access::Admin(Permission::Refund), refund_receipt)
        .build(shop)
}

fn id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

/// The orders placed on one day of Jakarta (`?day=`, today if absent), by status.
async fn list(State(shop): State<Shop>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let day = match page.filter("day") {
        Some(text) => Day::parse(text).ok_or_else(|| Problem::field("day", Wrong::new("bad_day", "must be YYYY-MM-DD")))?,
        None => shop.app.clock.now().day(),
    };
    let status = page.filter("status").map(OrderStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let numbered = shop.app.store.orders_on(day, page.limit, page.after.clone()).await?;
    let orders = shop.app.store.behind::<Order>(numbered.items.iter().map(|n| keys::order(n.value.order)).collect()).await?;
    let items = orders.iter().filter(|o| status.is_none_or(|s| o.value.status == s)).map(|o| view(&o.value, &[])).collect();
    Ok(Json(page.answer(items, numbered.next)))
}

async fn one(State(shop): State<Shop>, caller: AdminCaller, Path(order): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let order = shop.app.store.order(id(&order)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let refunds: Vec<Refund> = shop.app.store.refunds(order.id).await?.into_iter().map(|r| r.value).collect();
    let settings = shop.app.store.settings().await?;
    let mut body = view(&order, &refunds);
    body["proposed_refund"] = json!(order.proposed_refund(&settings, shop.app.clock.now())?);
    Ok(Json(body))
}

async fn advance(State(shop): State<Shop>, caller: AdminCaller, Path(order): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::RunOrders)?.into();
    let to = form.text("to", OrderStatus::parse);
    let note = form.maybe_text("note", Note::parse);
    form.checked()?;
    let Some(to) = to else { return Err(form.problem()) };
    Ok(Json(view(&advance_order::advance(&shop.app, by, id(&order)?, to, note).await?, &[])))
}

async fn cancel(State(shop): State<Shop>, caller: AdminCaller, Path(order): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::RunOrders)?.into();
    let note = form.text("reason", Note::parse);
    form.checked()?;
    let read = shop.app.store.order(id(&order)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let now = shop.app.clock.now();
    Ok(Json(view(&release_order::release(&shop, read, OrderStatus::Cancelled, Released::Admin(by), note, now).await?, &[])))
}

async fn refund(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path(order): Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::Refund)?.into();
    let amount = form.maybe_integer("amount", 0..=1_000_000_000_000).map(Rupiah::new);
    let kind = form.text("kind", |text| match text {
        "end" => Ok(RefundKind::Ends),
        "adjust" => Ok(RefundKind::Adjusts),
        _ => Err(Wrong::new("unknown_value", "must be one of end, adjust")),
    });
    let reason = form.maybe_text("reason", Note::parse);
    let undeliverable = form.maybe_text("because", |text| match text {
        "undeliverable" => Ok(true),
        "customer" => Ok(false),
        _ => Err(Wrong::new("unknown_value", "must be one of undeliverable, customer")),
    });
    form.checked()?;
    let Some(kind) = kind else { return Err(form.problem()) };
    let asked = Asked { amount, kind, reason, undeliverable: undeliverable.unwrap_or(false), idempotency_key: key };
    let opened = refund_order::refund_order(&shop.app, by, id(&order)?, asked).await?;
    Ok((StatusCode::CREATED, Json(json!({ "refund": refund_view(&opened.refund), "order": view(&opened.order, &[]) }))))
}

/// The manual transfer has been made: its reference is recorded.
async fn confirm(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path((order, refund)): Path<(String, String)>,
    mut form: Form,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::Refund)?.into();
    let proof = form.text("reference", TransferReference::parse);
    form.checked()?;
    let Some(proof) = proof else { return Err(form.problem()) };
    Ok(Json(refund_view(&manual_refund::confirm(&shop.app, by, id(&order)?, refund_id(&refund)?, proof).await?)))
}

fn refund_id(text: &str) -> Result<RefundId, Problem> {
    RefundId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

/// A refund failed at the gateway: a person transfers it.
async fn take_over(State(shop): State<Shop>, caller: AdminCaller, Path((order, refund)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::Refund)?.into();
    Ok(Json(refund_view(&manual_refund::take_over(&shop.app, by, id(&order)?, refund_id(&refund)?).await?)))
}

/// Money that could not be matched goes back.
async fn refund_receipt(
    State(shop): State<Shop>,
    caller: AdminCaller,
    Path((order, invoice)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::Refund)?.into();
    Ok((StatusCode::CREATED, Json(refund_view(&manual_refund::refund_receipt(&shop.app, by, id(&order)?, &invoice).await?))))
}

fn refund_view(r: &Refund) -> Value {
    json!({
        "id": r.id, "amount": r.amount, "status": r.status, "reason": r.reason, "note": r.note, "ends_order": r.ends,
        "of_order": r.of_order, "requested_at": r.requested_at, "updated_at": r.updated_at, "reference": r.proof,
    })
}

fn view(order: &Order, refunds: &[Refund]) -> Value {
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
        "history": order.history,
        "refunds": refunds.iter().map(refund_view).collect::<Vec<_>>(),
    })
}
