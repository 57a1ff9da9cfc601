//! Coupons at the checkout: why one is not valid, what it takes off, and that a use is counted exactly once.

use qutab::domain::{
    catalog::Category,
    coupon::{Coupon, Discount},
    money::Rupiah,
};
use qutab_local::seed::product_id;
use qutab_tests::{Answer, World};
use serde_json::{Value, json};

const GOAT: &str = "kambing-standar";

async fn validate(w: &World, buyer: &str, code: &str, items: &[(&str, u32)]) -> Answer {
    let items: Vec<Value> = items.iter().map(|(slug, quantity)| json!({ "product_id": product_id(slug), "quantity": quantity })).collect();
    w.post("/api/coupons/validate", buyer, json!({ "code": code, "items": items })).await
}

async fn order(w: &World, buyer: &str, slug: &str, code: &str) -> Answer {
    let mut body = World::order_body(slug, 1, None);
    body["coupon"] = json!(code);
    w.post("/api/orders", buyer, body).await
}

#[tokio::test]
async fn a_valid_coupon_shows_what_it_takes_off() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let quote = validate(&w, &buyer, " berkah10 ", &[(GOAT, 1), ("domba-garut", 1)]).await.ok();
    assert_eq!((quote["valid"].as_bool(), quote["code"].as_str()), (Some(true), Some("BERKAH10")));
    assert_eq!((quote["subtotal"].as_i64(), quote["discount"].as_i64()), (Some(6_000_000), Some(500_000)), "capped");
    assert_eq!(quote["total"], 5_500_000);
    assert_eq!(w.coupon_used("BERKAH10"), 0, "asking takes nothing");
    let wrong = w.post("/api/coupons/validate", &buyer, json!({ "code": "!", "items": [{ "product_id": "x", "quantity": 0 }] })).await;
    assert_eq!((wrong.status, wrong.body["errors"].as_array().unwrap().len()), (422, 3));
    assert_eq!(w.post("/api/coupons/validate", "", json!({})).await.status, 401);
}

#[tokio::test]
async fn every_reason_against_a_coupon_is_told() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let base = |code| w.plain_coupon(code);
    w.put_coupon(Coupon { active: false, ..base("MATI") }).await;
    w.put_coupon(Coupon { valid_from: w.now().plus_days(1), ..base("BESOK") }).await;
    w.put_coupon(Coupon { valid_until: w.now(), ..base("KEMARIN") }).await;
    w.put_coupon(Coupon { limit: 3, used: 3, ..base("HABIS") }).await;
    w.put_coupon(Coupon { categories: vec![Category::Sapi], ..base("SAPI") }).await;
    w.put_coupon(Coupon { minimum_order: Rupiah::new(2_750_001), ..base("BESAR") }).await;
    w.put_coupon(Coupon { per_customer: Some(1), ..base("SEKALI") }).await;
    assert_eq!(order(&w, &buyer, GOAT, "SEKALI").await.status, 201);
    for (code, reason) in [
        ("TIADA", "coupon_unknown"),
        ("MATI", "coupon_inactive"),
        ("BESOK", "coupon_not_yet_valid"),
        ("KEMARIN", "coupon_expired"),
        ("HABIS", "coupon_used_up"),
        ("SAPI", "coupon_not_for_these_items"),
        ("BESAR", "coupon_below_minimum"),
        ("SEKALI", "coupon_used_by_you"),
    ] {
        let quote = validate(&w, &buyer, code, &[(GOAT, 1)]).await.ok();
        assert_eq!((quote["valid"].as_bool(), quote["reason"]["code"].as_str()), (Some(false), Some(reason)), "{code}");
        assert_eq!((quote["discount"].as_i64(), quote["total"].as_i64()), (Some(0), Some(2_750_000)));
        let refused = order(&w, &buyer, GOAT, code).await;
        assert_eq!((refused.status, refused.code()), (422, "coupon_refused"), "{code}");
        assert_eq!(refused.body["errors"][0]["code"], reason);
    }
}

#[tokio::test]
async fn a_coupon_for_some_items_looks_at_those_only() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    w.put_coupon(Coupon { categories: vec![Category::Domba], minimum_order: Rupiah::new(3_000_000), ..w.plain_coupon("DOMBA") }).await;
    let quote = validate(&w, &buyer, "DOMBA", &[(GOAT, 2), ("domba-garut", 1)]).await.ok();
    assert_eq!((quote["discount"].as_i64(), quote["total"].as_i64()), (Some(325_000), Some(8_425_000)));
}

#[tokio::test]
async fn the_discount_is_on_the_order_and_on_what_is_paid() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    w.put_coupon(Coupon { discount: Discount::Fixed { amount: Rupiah::new(9_000_000) }, ..w.plain_coupon("GRATIS") }).await;
    let placed = order(&w, &buyer, GOAT, "berkah10").await.ok();
    assert_eq!((placed["discount"].as_i64(), placed["total"].as_i64()), (Some(275_000), Some(2_475_000)));
    let invoice = placed["payment_url"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(w.wire.zendit.invoice(invoice).unwrap().amount, 2_475_000);
    let free = order(&w, &buyer, GOAT, "GRATIS").await.ok();
    assert_eq!((free["total"].as_i64(), free["payment_url"].as_str()), (Some(0), None));
    w.drain().await;
    let seen = w.get(&format!("/api/orders/{}", free["id"].as_str().unwrap()), &buyer).await.ok();
    assert_eq!((seen["status"].as_str(), seen["coupon"].as_str()), (Some("paid"), Some("GRATIS")), "nothing to pay: paid");
}

#[tokio::test]
async fn a_use_is_given_back_once_when_the_order_ends_unpaid() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    w.put_coupon(Coupon { per_customer: Some(1), limit: 2, ..w.plain_coupon("SEKALI") }).await;
    let first = order(&w, &buyer, GOAT, "SEKALI").await.ok();
    assert_eq!(w.coupon_used("SEKALI"), 1);
    let cancel = format!("/api/orders/{}/cancel", first["id"].as_str().unwrap());
    w.post(&cancel, &buyer, json!({})).await.ok();
    w.post(&cancel, &buyer, json!({})).await;
    assert_eq!(w.coupon_used("SEKALI"), 0, "once, however often it is cancelled");
    let second = order(&w, &buyer, GOAT, "SEKALI").await.ok();
    w.pass_days(1);
    assert_eq!((w.expire().await, w.expire().await, w.coupon_used("SEKALI")), (1, 0, 0));
    let buyer = w.customer_again("budi").await;
    let third = order(&w, &buyer, GOAT, "SEKALI").await.ok();
    w.pay(&third).await;
    w.drain().await;
    assert_eq!(w.coupon_used("SEKALI"), 1);
    // Late money takes the coupon again, and goes back if the customer's own limit is reached.
    w.pay(&second).await;
    w.drain().await;
    assert_eq!((w.coupon_used("SEKALI"), w.wire.zendit.refunded()), (1, 2_475_000));
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    let finance = w.admin("finance").await;
    w.post(&format!("/api/admin/orders/{}/refund", third["id"].as_str().unwrap()), &finance, refund).await.ok();
    assert_eq!(w.coupon_used("SEKALI"), 1, "a refunded order has used its coupon");
}

/// Of two uses one is given back, and the other still counts.
#[tokio::test]
async fn a_customers_uses_are_counted_one_by_one() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    w.put_coupon(Coupon { per_customer: Some(2), limit: 9, ..w.plain_coupon("DUAKALI") }).await;
    for _ in 0..2 {
        w.pay(&order(&w, &buyer, GOAT, "DUAKALI").await.ok()).await;
        w.drain().await;
    }
    assert_eq!(order(&w, &buyer, GOAT, "DUAKALI").await.status, 422);
    let other = w.customer("siti").await;
    w.pay(&order(&w, &other, GOAT, "DUAKALI").await.ok()).await;
    w.drain().await;
    let unpaid = order(&w, &other, GOAT, "DUAKALI").await.ok();
    assert_eq!(w.coupon_used("DUAKALI"), 4);
    w.post(&format!("/api/orders/{}/cancel", unpaid["id"].as_str().unwrap()), &other, json!({})).await.ok();
    assert_eq!(w.coupon_used("DUAKALI"), 3);
    w.pay(&order(&w, &other, GOAT, "DUAKALI").await.ok()).await;
    w.drain().await;
    assert_eq!((order(&w, &other, GOAT, "DUAKALI").await.status, w.coupon_used("DUAKALI")), (422, 4), "one was used, and now two are");
}

#[tokio::test]
async fn codes_cannot_be_guessed_in_bulk() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut last = None;
    for at in 0..61 {
        last = Some(validate(&w, &buyer, &format!("TEBAK{at}"), &[(GOAT, 1)]).await);
    }
    assert_eq!(last.unwrap().status, 429);
}
