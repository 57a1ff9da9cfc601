//! Customers place orders and follow them.

mod place;
mod view;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{
        Code, Problem, Shop,
        release_order::{self, Released},
        rename_order::{self, NewNames},
    },
    domain::{
        ids::OrderId,
        order::{MAX_LINES, OrderStatus},
        refund::Refund,
    },
    http::{Access, ActiveCustomer, CustomerToken, Form, Group, PageQuery, items, page::Listed, picture},
    pdf,
    store::orders::Beside,
};
use serde_json::{Value, json};

pub fn group(shop: Shop) -> Group {
    Group::named("orders")
        .post("/api/orders", Access::Customer, place::place)
        .get("/api/orders", Access::Customer, list)
        .get("/api/orders/{id}", Access::Customer, one)
        .get("/api/orders/{id}/tracking", Access::Customer, tracking)
        .get("/api/orders/{id}/receipt", Access::Customer, receipt)
        .patch("/api/orders/{id}/names", Access::Customer, rename)
        .post("/api/orders/{id}/cancel", Access::Customer, cancel)
        .build(shop)
}

async fn list(State(shop): State<Shop>, ActiveCustomer(caller): ActiveCustomer, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    let status = page.filter("status").map(OrderStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let found = shop.app.store.orders_of(caller.id, status, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|o| view::summary(&o.value)))))
}

async fn one(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = caller.order(&shop.app, &id).await?.value;
    let money = shop.app.store.money_beside(order.id).await?;
    Ok(Json(view::detail(&order, &money)))
}

async fn tracking(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = caller.order(&shop.app, &id).await?.value;
    let photos: Vec<Value> = order.photos.iter().map(|p| json!({ "at": p.at, "sizes": picture::sizes(&shop.app.site, &p.picture) })).collect();
    Ok(Json(json!({ "order_id": order.id, "number": order.number, "status": order.status, "steps": view::steps(&order), "photos": photos })))
}

/// The receipt as a file: a bill while the order is not paid.
async fn receipt(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Response, Problem> {
    let store = &shop.app.store;
    let order = caller.order(&shop.app, &id).await?.value;
    let customer = store.customer(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?.value;
    let refunds: Vec<Refund> = store.refunds(order.id).await?.into_iter().map(|r| r.value).collect();
    let file = pdf::receipt(&order, &customer, &refunds, &store.helpdesk().await?.contact);
    let name = format!("attachment; filename=\"{}.pdf\"", order.number);
    Ok(([(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, name)], file).into_response())
}

/// Other shohibul names for some of the items, until the cut-off before Eid.
async fn rename(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let names = form.list("items", 1..=MAX_LINES, |item| {
        let (product, shohibul) = (items::product(item), items::shohibul(item));
        Some(NewNames { product: product?, shohibul: shohibul? })
    });
    form.checked()?;
    let Some(names) = names else { return Err(form.problem()) };
    let id = OrderId::parse(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view::detail(&rename_order::rename(&shop, &caller.session(), id, &names).await?, &Beside::default())))
}

/// Before payment only.
async fn cancel(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = caller.order(&shop.app, &id).await?;
    let now = shop.app.clock.now();
    let cancelled = release_order::release(&shop, order, OrderStatus::Cancelled, Released::Customer, None, now).await?;
    Ok(Json(view::detail(&cancelled, &Beside::default())))
}
