//! The path that earns the money, told through the API.

use qutab_tests::World;
use serde_json::json;

const GOAT: &str = "kambing-standar";
const PRICE: i64 = 2_750_000;
const COMMISSION: i64 = 137_500;

/// An attributed order that was paid, with its affiliate.
async fn sale(w: &World) -> (qutab_tests::Affiliate, String, serde_json::Value) {
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, GOAT, Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    (affiliate, buyer, order)
}

#[tokio::test]
async fn a_click_becomes_an_order_a_commission_and_a_payout() {
    let w = World::new().await;
    let before = w.stock(GOAT).await;
    let (affiliate, buyer, order) = sale(&w).await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(w.stock(GOAT).await, before - 1);
    assert_eq!(w.get(&format!("/api/orders/{id}"), &buyer).await.ok()["status"], "paid");
    assert_eq!(w.balance(&affiliate).await, (COMMISSION, 0, 0, 0));
    let subjects: Vec<String> = w.wire.mailbox.all().into_iter().map(|m| m.subject).collect();
    assert!(subjects.contains(&"Pembayaran qurban Anda telah kami terima".to_owned()), "{subjects:?}");
    assert!(subjects.contains(&"Selamat, Anda telah menjadi afiliasi Qutab".to_owned()), "{subjects:?}");

    w.pass_days(31);
    assert_eq!(w.mature().await, 0, "an order that is not completed does not mature");
    w.advance(id, &["processing", "distributed", "completed"]).await;
    assert_eq!(w.mature().await, 1);
    assert_eq!(w.mature().await, 0, "a second run finds nothing");

    // Tokens have run out meanwhile.
    let affiliate = w.affiliate_again(&affiliate).await;
    assert_eq!(w.balance(&affiliate).await, (0, COMMISSION, 0, 0));
    let refused = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "payout_not_eligible"));
    w.verify_bank(&affiliate).await;
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
    assert_eq!(w.balance(&affiliate).await, (0, 0, COMMISSION, 0));
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    let paid = w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-0001" })).await.ok();
    assert_eq!(paid["status"], "paid");
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, COMMISSION));
    let again = w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-0002" })).await;
    assert_eq!(again.status, 409, "paid once");

    // A refund after the payout takes the commission back: the balance goes below zero.
    let owner = w.admin("owner").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    let opened = w.post(&format!("/api/admin/orders/{id}/refund"), &owner, refund).await.ok();
    assert_eq!(opened["refund"]["amount"], PRICE);
    assert_eq!(w.balance(&affiliate).await, (0, -COMMISSION, 0, COMMISSION));
    w.drain().await;
    assert_eq!(w.wire.zendit.refunded(), PRICE);
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    let seen = w.get(&format!("/api/admin/orders/{id}"), &w.admin("viewer").await).await.ok();
    assert_eq!((seen["status"].as_str(), seen["refunds"][0]["status"].as_str()), (Some("refunded"), Some("succeeded")));
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_refund_before_maturation_voids_and_is_never_matured() {
    let w = World::new().await;
    let (affiliate, _, order) = sale(&w).await;
    let id = order["id"].as_str().unwrap();
    let before = w.stock(GOAT).await;
    let finance = w.admin("finance").await;
    // A third first, which adjusts; then the rest, which ends. Together exactly everything.
    let part = json!({ "kind": "adjust", "amount": 1_000_000, "reason": "hewan lebih kecil" });
    w.post_once(&format!("/api/admin/orders/{id}/refund"), &finance, part).await.ok();
    assert_eq!(w.balance(&affiliate).await.0, COMMISSION - 50_000);
    w.post(&format!("/api/admin/orders/{id}/refund"), &finance, json!({ "kind": "end", "because": "undeliverable" })).await.ok();
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0));
    assert_eq!(w.stock(GOAT).await, before + 1, "not yet processed: the animal is on sale again");
    let more = w.post_once(&format!("/api/admin/orders/{id}/refund"), &finance, json!({ "kind": "adjust", "amount": 1, "reason": "salah" })).await;
    assert_eq!(more.status, 409);
    w.drain().await;
    w.pass_days(40);
    assert_eq!(w.mature().await, 0);
    w.check_ledgers().await;
}

#[tokio::test]
async fn money_is_asked_for_at_the_gateway_and_never_taken_from_a_webhook() {
    let w = World::new().await;
    let buyer = w.customer("sari").await;
    let order = w.order(&buyer, GOAT, None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap();
    let forged = json!({ "id": invoice, "external_id": "x", "status": "PAID", "amount": PRICE });
    let missing = w.send("POST", "/webhooks/zendit", None, &[], Some(forged.clone())).await;
    let wrong = w.send("POST", "/webhooks/zendit", None, &[("x-callback-token", "guess")], Some(forged.clone())).await;
    assert_eq!((missing.status, wrong.status), (401, 401));
    assert_eq!(w.webhook(&forged).await.status, 200);
    assert_eq!(w.webhook(&json!({ "id": "test", "external_id": "invoice_123124123", "status": "PAID" })).await.status, 200);
    w.drain().await;
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(w.get(&path, &buyer).await.ok()["status"], "pending", "the gateway knows of no payment");
    // Another amount than asked pays nothing.
    let notice = w.wire.zendit.pay(invoice, "QRIS", Some(PRICE - 1)).unwrap();
    w.webhook(&notice).await;
    w.drain().await;
    assert_eq!(w.get(&path, &buyer).await.ok()["status"], "pending");
}

#[tokio::test]
async fn a_lost_webhook_heals_and_a_late_payment_is_honoured_or_returned() {
    let w = World::new().await;
    let buyer = w.customer("dewi").await;
    let order = w.order(&buyer, GOAT, None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    w.wire.zendit.pay(&invoice, "EWALLET", None).unwrap();
    let status = w.get(&format!("/api/orders/{}/payment", order["id"].as_str().unwrap()), &buyer).await.ok();
    assert_eq!(status["order_status"], "paid", "asking heals what the webhook did not say");

    let before = w.stock(GOAT).await;
    let late = w.order(&buyer, GOAT, None).await;
    w.pass_days(1);
    assert_eq!(w.expire().await, 1);
    assert_eq!(w.expire().await, 0);
    assert_eq!(w.stock(GOAT).await, before, "given back once");
    w.pay(&late).await;
    w.drain().await;
    assert_eq!(w.stock(GOAT).await, before - 1, "paid late: taken again");

    // Nothing is left: the late money goes back in full.
    let buyer = w.customer("dewi").await;
    let sold_out = w.order(&buyer, "sapi-limosin", None).await;
    w.pass_days(1);
    w.expire().await;
    let all = w.post("/api/orders", &w.customer("juragan").await, World::order_body("sapi-limosin", 12, None)).await;
    assert_eq!(all.status, 201);
    w.pay(&sold_out).await;
    w.drain().await;
    assert_eq!(w.wire.zendit.refunded(), 25_000_000);
}

#[tokio::test]
async fn the_same_key_means_the_same_order() {
    let w = World::new().await;
    let buyer = w.customer("tono").await;
    let before = w.stock(GOAT).await;
    let key = [("idempotency-key", "pesan-1")];
    let first = w.send("POST", "/api/orders", Some(&buyer), &key, Some(World::order_body(GOAT, 1, None))).await;
    let second = w.send("POST", "/api/orders", Some(&buyer), &key, Some(World::order_body(GOAT, 1, None))).await;
    let other = w.send("POST", "/api/orders", Some(&buyer), &key, Some(World::order_body(GOAT, 2, None))).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!((other.status, other.code()), (409, "idempotency_mismatch"));
    assert_eq!(w.stock(GOAT).await, before - 1);
}

#[tokio::test]
async fn nobody_earns_on_their_own_order() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let body = json!({ "name": "Rina Promotor", "email": "RINA+beli@promo.example.com", "phone": "081299998888", "password": qutab_tests::PASSWORD });
    w.post("/api/auth/register", "", body).await.ok();
    let body = json!({ "email": "rina+beli@promo.example.com", "password": qutab_tests::PASSWORD });
    let buyer = w.post("/api/auth/login", "", body).await.ok()["access_token"].as_str().unwrap().to_owned();
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, GOAT, Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0));
    let seen = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &w.admin("viewer").await).await.ok();
    assert_eq!((seen["status"].as_str(), seen["flag"].as_str()), (Some("paid"), Some("self_referral")));
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_nothing_changes() {
    let w = World::new().await;
    let buyer = w.customer("ani").await;
    let before = w.stock(GOAT).await;
    let body =
        json!({ "items": [{ "product_id": "nope", "quantity": 0, "shohibul": [{}], "price": 1 }], "recipient": 5, "consent": "ya", "total": 1 });
    let answer = w.post("/api/orders", &buyer, body).await;
    assert_eq!(answer.status, 422);
    let named: Vec<&str> = answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    for field in
        ["total", "items[0].price", "items[0].product_id", "items[0].quantity", "items[0].shohibul[0].name", "recipient", "terms_version", "consent"]
    {
        assert!(named.contains(&field), "{field} is missing in {named:?}");
    }
    assert_eq!(w.stock(GOAT).await, before);
}
