//! Payment links: one takes money at a time, none outlives its order, and asking for them costs the gateway little.

use super::{id, invoice, seen};
use qutab::app::{payment_link, release_order};
use qutab::domain::{ids::OrderId, order::OrderStatus};
use qutab_local::wire::Service;
use qutab_tests::{World, hooked::asks};
use serde_json::{Value, json};

async fn placed(w: &World) -> (String, Value) {
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    (buyer, order)
}

fn links(order: &Value) -> String {
    format!("/api/orders/{}/payments", id(order))
}

async fn cancel(w: &World, shop: &qutab::app::Shop, order: &Value) -> OrderStatus {
    let read = w.shop.app.store.order(OrderId::parse(id(order)).unwrap()).await.unwrap().unwrap();
    let by = release_order::Released::Customer;
    release_order::release(shop, read, OrderStatus::Cancelled, by, None, w.now()).await.unwrap().status
}

#[tokio::test]
async fn a_repeated_key_gets_the_same_link_whatever_came_between() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    let path = format!("{}?new=1", links(&order));
    let ask = async |key: &str| w.send("POST", &path, Some(&buyer), &[("idempotency-key", key)], Some(json!({}))).await.ok()["payment_url"].clone();
    let (a, b, again) = (ask("a").await, ask("b").await, ask("a").await);
    assert!(a == again && a != b);
    let status = w.wire.zendit.invoice(b.as_str().unwrap().rsplit('/').next().unwrap()).unwrap().status;
    assert_eq!(status, "PENDING", "the newest link stays open");
}

#[tokio::test]
async fn a_link_that_has_ended_at_the_gateway_is_replaced_and_said_to_have_ended() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    let payment = format!("/api/orders/{}/payment", id(&order));
    assert_eq!(w.get(&payment, &buyer).await.ok()["link"], "open");
    w.wire.zendit.lapse(&invoice(&order));
    w.pass_seconds(11);
    let seen = w.get(&payment, &buyer).await.ok();
    assert_eq!((seen["order_status"].as_str(), seen["link"].as_str()), (Some("pending"), Some("ended")));
    let fresh = w.post(&links(&order), &buyer, json!({})).await.ok();
    assert_ne!(fresh["payment_url"], order["payment_url"]);
    assert_eq!(w.wire.zendit.invoice(&invoice(&fresh)).unwrap().status, "PENDING");
}

#[tokio::test]
async fn looking_at_a_payment_asks_the_gateway_only_now_and_then() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    let payment = format!("/api/orders/{}/payment", id(&order));
    w.wire.take_traffic();
    for _ in 0..50 {
        w.get(&payment, &buyer).await.ok();
    }
    assert_eq!(w.wire.take_traffic().gateway_trips, 1);
    w.pass_seconds(11);
    w.get(&payment, &buyer).await.ok();
    assert_eq!(w.wire.take_traffic().gateway_trips, 1);
}

#[tokio::test]
async fn an_order_has_few_links_and_a_customer_asks_for_few() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(w.post(&format!("{}?new=1", links(&order)), &buyer, json!({})).await.status);
    }
    let count = |status| answers.iter().filter(|s| **s == status).count();
    assert_eq!((count(201), count(409), count(429)), (5, 25, 10));
}

#[tokio::test]
async fn another_link_is_asked_for_in_so_many_words() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    assert_eq!(w.post(&format!("{}?new=banana", links(&order)), &buyer, json!({})).await.status, 422);
    let same = w.post(&format!("{}?utm_source=mail", links(&order)), &buyer, json!({})).await.ok();
    assert_eq!(same["payment_url"], order["payment_url"]);
    let other = w.post(&format!("{}?new=1&utm_source=mail", links(&order)), &buyer, json!({})).await.ok();
    assert_ne!(other["payment_url"], order["payment_url"]);
}

#[tokio::test]
async fn the_stored_link_of_a_cancelled_order_ends_though_the_gateways_list_lags() {
    let w = World::new().await;
    let (_, order) = placed(&w).await;
    let (shop, hook) = w.hooked();
    hook.instead(|r| r.uri().contains("external_id="), 200, "[]");
    assert_eq!(cancel(&w, &shop, &order).await, OrderStatus::Cancelled);
    assert_eq!(w.wire.zendit.invoice(&invoice(&order)).unwrap().status, "EXPIRED");
}

#[tokio::test]
async fn no_link_is_made_for_an_order_that_is_cancelled_in_between() {
    let w = World::new().await;
    w.wire.take_down(Service::Gateway, true);
    let (_, order) = placed(&w).await;
    w.wire.take_down(Service::Gateway, false);
    w.pass_seconds(60);
    let oid = OrderId::parse(id(&order)).unwrap();
    let read = w.shop.app.store.order(oid).await.unwrap().unwrap();
    let customer = w.shop.app.store.customer(read.value.customer).await.unwrap().unwrap().value;
    let (shop, hook) = w.hooked();
    let (other, cancelled) = (w.clone(), order.clone());
    hook.before(|r| asks(r, "TransactWriteItems", "claimed_until"), async move {
        cancel(&other, &other.shop.clone(), &cancelled).await;
    });
    assert!(payment_link::ensure_link(&shop, &read, &customer).await.is_err());
    assert_eq!((seen(&w, &order).await["status"].as_str(), w.wire.zendit.invoices().len()), (Some("cancelled"), 0));
}

#[tokio::test]
async fn an_older_link_that_pays_ends_the_newer_one() {
    let w = World::new().await;
    let (buyer, order) = placed(&w).await;
    let newer = w.post(&format!("{}?new=1", links(&order)), &buyer, json!({})).await.ok();
    w.webhook(&w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap()).await;
    w.drain().await;
    assert_eq!(seen(&w, &order).await["status"], "paid");
    assert_eq!(w.wire.zendit.invoice(&invoice(&newer)).unwrap().status, "EXPIRED");
}
