//! Customers place orders and follow them.

mod place;
mod view;

use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{Code, Problem, Shop, release_order},
    domain::{
        ids::OrderId,
        order::{Actor, Order, OrderStatus},
    },
    http::{Access, CustomerToken, Group, PageQuery, page::Listed},
    store::entity::Stored,
};
use serde_json::{Value, json};

pub fn group(shop: Shop) -> Group {
    Group::named("orders")
        .post("/api/orders", Access::Customer, place::place)
        .get("/api/orders", Access::Customer, list)
        .get("/api/orders/{id}", Access::Customer, one)
        .get("/api/orders/{id}/tracking", Access::Customer, tracking)
        .post("/api/orders/{id}/cancel", Access::Customer, cancel)
        .build(shop)
}

/// The caller's own order; somebody else's does not exist.
async fn own(shop: &Shop, caller: CustomerToken, id: &str) -> Result<Stored<Order>, Problem> {
    let missing = || Problem::new(Code::NotFound);
    let id = OrderId::parse(id).ok_or_else(missing)?;
    shop.app.store.order(id).await?.filter(|o| o.value.customer == caller.id).ok_or_else(missing)
}

async fn list(State(shop): State<Shop>, caller: CustomerToken, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    let status = page.filter("status").map(OrderStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let keys = shop.app.store.orders_of(caller.id, page.limit, page.after.clone()).await?;
    let orders = shop.app.store.behind::<Order>(keys.items).await?;
    let items = orders.iter().filter(|o| status.is_none_or(|s| o.value.status == s)).map(|o| view::summary(&o.value)).collect();
    Ok(Json(page.answer(items, keys.next)))
}

async fn one(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = own(&shop, caller, &id).await?.value;
    let refunds = if order.paid.is_some() { shop.app.store.refunds(order.id).await? } else { Vec::new() };
    Ok(Json(view::detail(&order, &refunds)))
}

async fn tracking(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = own(&shop, caller, &id).await?.value;
    Ok(Json(json!({ "order_id": order.id, "number": order.number, "status": order.status, "steps": view::steps(&order) })))
}

/// Before payment only.
async fn cancel(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = own(&shop, caller, &id).await?;
    let now = shop.app.clock.now();
    let cancelled = release_order::release(&shop, order, OrderStatus::Cancelled, Actor::Customer, None, now).await?;
    Ok(Json(view::detail(&cancelled, &[])))
}
