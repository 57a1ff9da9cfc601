//! Payment links and their status.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        Code, Problem, Shop, payment_link,
        record_payment::{self, LinkStanding},
    },
    domain::Wrong,
    http::{Access, CustomerToken, Group, IdempotencyKey},
    store::throttle::Limit,
};
use serde_json::{Value, json};

pub fn group(shop: Shop) -> Group {
    Group::named("payments")
        .post("/api/orders/{id}/payments", Access::Customer, link)
        .get("/api/orders/{id}/payment", Access::Customer, status)
        .build(shop)
}

/// Requests for links of one customer: each may cost several requests to the gateway.
const LINKS: Limit = Limit { attempts: 30, seconds: 600 };

/// `?new=1` asks for another link, `0` or nothing for the present one; other parameters are somebody's campaign.
fn wants_new(query: Option<&str>) -> Result<bool, Problem> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    match pairs.into_iter().find(|(name, _)| *name == "new").map(|(_, value)| value) {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(Problem::field("new", Wrong::new("unknown_value", "must be one of 0, 1"))),
    }
}

/// A link that takes money, or `?new=1` for another one: the old one ends at the gateway first.
async fn link(
    State(shop): State<Shop>,
    caller: CustomerToken,
    Path(id): Path<String>,
    query: axum::extract::RawQuery,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let new = wants_new(query.0.as_deref())?;
    let order = caller.order(&shop.app, &id).await?;
    if let Some(wait) = shop.app.store.throttle(&format!("links#{}", caller.id), LINKS, shop.app.clock.now()).await? {
        return Err(Problem::too_many(wait));
    }
    if !order.value.is_payable() || order.value.attempts == 0 {
        return Err(Problem::conflict(format!("the order is {}", order.value.status)));
    }
    let customer = shop.app.store.customer(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?.value;
    let link = if new {
        payment_link::renew_link(&shop, order.clone(), &customer, key.as_deref()).await?
    } else {
        payment_link::open_link(&shop, order.clone(), &customer).await?
    };
    let body = json!({ "order_id": order.value.id, "payment_url": link.url, "amount": order.value.total, "expires_at": order.value.pay_by });
    Ok((StatusCode::CREATED, Json(body)))
}

/// What is stored; while the order is pending the gateway is asked, so that a lost webhook heals.
async fn status(State(shop): State<Shop>, caller: CustomerToken, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let order = caller.order(&shop.app, &id).await?.value;
    // The gateway being out of reach is no reason to refuse what is known.
    let (order, link) = record_payment::check(&shop, order.id).await.unwrap_or((order, LinkStanding::Open));
    Ok(Json(json!({
        "order_id": order.id,
        "order_status": order.status,
        "amount": order.total,
        "paid": order.paid.as_ref().map(|p| json!({ "amount": p.amount, "at": p.at, "method": p.method })),
        "expires_at": order.pay_by,
        "link": link,
    })))
}
