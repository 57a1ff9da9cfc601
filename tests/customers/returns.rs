//! Money that comes too late, comes back badly, or goes back by hand: never twice, never lost.

use qutab_local::wire::Service;
use qutab_tests::World;
use serde_json::{Value, json};

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

fn invoice(order: &Value) -> String {
    order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn seen(w: &World, order: &Value) -> Value {
    w.get(&format!("/api/admin/orders/{}", id(order)), &w.admin("viewer").await).await.ok()
}

async fn paid(w: &World, method: &str) -> Value {
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay_by(&order, method).await;
    w.drain().await;
    order
}

#[tokio::test]
async fn money_on_its_way_back_never_pays_the_order() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let late = w.order(&buyer, "sapi-limosin", None).await;
    w.pass_days(2);
    w.expire().await;
    let buyer = w.customer_again("budi").await;
    let mut all = World::order_body("sapi-limosin", 12, None);
    all["items"][0]["quantity"] = json!(12);
    let rival = w.post("/api/orders", &buyer, all).await.ok();
    let notice = w.wire.zendit.pay(&invoice(&late), "EWALLET", None).unwrap();
    w.webhook(&notice).await;
    w.drain().await;
    assert_eq!(w.wire.zendit.refunded(), 25_000_000, "too late and sold out: it goes back");
    w.post(&format!("/api/orders/{}/cancel", id(&rival)), &buyer, json!({})).await.ok();
    w.webhook(&notice).await;
    w.drain().await;
    assert_eq!((seen(&w, &late).await["status"].as_str(), w.stock("sapi-limosin").await), (Some("expired"), 12), "the same money pays nothing");
    assert_eq!(w.wire.zendit.refunded(), 25_000_000);
}

#[tokio::test]
async fn a_refund_that_failed_is_taken_over_and_confirmed_once() {
    let w = World::new().await;
    let order = paid(&w, "EWALLET").await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/orders/{}", id(&order));
    let opened = w.post(&format!("{path}/refund"), &finance, json!({ "kind": "end", "because": "undeliverable" })).await.ok();
    w.drain().await;
    let refund = format!("{path}/refunds/{}", opened["refund"]["id"].as_str().unwrap());
    let confirm = async || w.post(&format!("{refund}/confirm"), &finance, json!({ "reference": "BCA-991" })).await.status;
    assert_eq!(confirm().await, 409, "the gateway has it: nobody transfers it as well");
    assert_eq!(w.post(&format!("{refund}/take-over"), &finance, json!({})).await.status, 409);
    for event in w.wire.zendit.finish_refunds("FAILED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!((seen(&w, &order).await["refunded"].as_i64(), confirm().await), (Some(0), 409), "failed: first somebody takes it over");
    assert_eq!(w.post(&format!("{refund}/take-over"), &finance, json!({})).await.ok()["status"], "manual");
    assert_eq!(seen(&w, &order).await["refunded"], 3_250_000, "and it counts again");
    assert_eq!((confirm().await, confirm().await), (200, 200), "twice is once");
    let audit: Vec<String> = w.items().iter().filter(|i| i["kind"]["S"] == "audit").map(|i| i["action"]["S"].as_str().unwrap().to_owned()).collect();
    assert!(["refund.take_over", "refund.confirm"].iter().all(|a| audit.iter().filter(|b| b == a).count() == 1), "{audit:?}");
    assert!(!w.items().iter().any(|i| i["kind"]["S"] == "task"), "nothing is left to do");
}

#[tokio::test]
async fn what_this_rail_cannot_send_back_is_a_persons_and_a_passing_refusal_is_not() {
    let w = World::new().await;
    let order = paid(&w, "EWALLET").await;
    let finance = w.admin("finance").await;
    w.wire.zendit.refuse(Some((401, "INVALID_API_KEY")));
    let body = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", id(&order)), &finance, body).await.ok();
    w.work_once().await;
    assert_eq!(seen(&w, &order).await["refunds"][0]["status"], "requested", "a wrong key is mended and tried again");
    w.wire.zendit.refuse(None);
    w.pass_seconds(200);
    qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
    w.drain().await;
    assert_eq!(seen(&w, &order).await["refunds"][0]["status"], "sent");
    // The gateway never tells what became of it: it is asked.
    w.wire.zendit.finish_refunds("SUCCEEDED");
    w.expire().await;
    assert_eq!(seen(&w, &order).await["refunds"][0]["status"], "sent", "not before an hour");
    w.pass_seconds(3_700);
    w.expire().await;
    assert_eq!(seen(&w, &order).await["refunds"][0]["status"], "succeeded");
}

#[tokio::test]
async fn what_the_gateway_refuses_for_a_day_is_a_persons() {
    let w = World::new().await;
    let order = paid(&w, "EWALLET").await;
    w.wire.zendit.refuse(Some((403, "ACCOUNT_SUSPENDED")));
    let body = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", id(&order)), &w.admin("finance").await, body).await.ok();
    let mut seen_so_far = Vec::new();
    for _ in 0..10 {
        w.drain().await;
        seen_so_far.push(seen(&w, &order).await["refunds"][0]["status"].as_str().unwrap().to_owned());
        w.pass_seconds(22_000);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
    }
    assert_eq!(seen_so_far[..4], ["requested"; 4], "it may be mended yet");
    assert_eq!(seen_so_far[9], "manual");
    w.wire.zendit.refuse(None);
    assert_eq!(w.wire.zendit.refunded(), 0, "and the gateway is not asked again");
    assert!(w.items().iter().any(|i| i["kind"]["S"] == "task"));
}

#[tokio::test]
async fn a_notice_outlives_an_outage_of_the_gateway() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let notice = w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap();
    w.wire.take_down(Service::Gateway, true);
    w.webhook(&notice).await;
    w.drain().await;
    assert_eq!(w.wire.queues.depth()["PaymentsDeadLetters"], 0, "no message dies of it");
    for _ in 0..20 {
        w.pass_seconds(6 * 3_600);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.work_once().await;
    }
    w.wire.take_down(Service::Gateway, false);
    w.pass_seconds(6 * 3_600);
    qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
    w.drain().await;
    assert_eq!(seen(&w, &order).await["status"], "paid", "five days later");
}

#[tokio::test]
async fn money_that_nobody_could_match_is_sent_back_by_hand() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let notice = w.wire.zendit.pay(&invoice(&order), "EWALLET", Some(3_000_000)).unwrap();
    w.webhook(&notice).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/orders/{}/receipts/{}/refund", id(&order), invoice(&order));
    assert_eq!(w.post(&path, &w.admin("viewer").await, json!({})).await.status, 403);
    assert_eq!((w.post(&path, &finance, json!({})).await.status, w.post(&path, &finance, json!({})).await.status), (201, 201));
    w.drain().await;
    assert_eq!(w.wire.zendit.refunded(), 3_000_000, "once, and exactly what came");
    assert!(!w.items().iter().any(|i| i["kind"]["S"] == "task"), "the task is done");
    assert_eq!(seen(&w, &order).await["status"], "pending");
}

#[tokio::test]
async fn the_same_request_is_answered_the_same_though_its_coupon_is_used_up_by_it() {
    let w = World::new().await;
    w.coupon("SEKALI", 1, Some(1)).await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("kambing-standar", 1, None);
    body["coupon"] = json!("SEKALI");
    let key = [("idempotency-key", "satu")];
    let first = w.send("POST", "/api/orders", Some(&buyer), &key, Some(body.clone())).await.ok();
    let again = w.send("POST", "/api/orders", Some(&buyer), &key, Some(body.clone())).await.ok();
    assert_eq!(first["id"], again["id"]);
    body["note"] = json!("lain");
    assert_eq!(w.send("POST", "/api/orders", Some(&buyer), &key, Some(body)).await.code(), "idempotency_mismatch");
    let links = format!("/api/orders/{}/payments?new=1", id(&first));
    let key = [("idempotency-key", "tautan")];
    let (one, two) = (
        w.send("POST", &links, Some(&buyer), &key, Some(json!({}))).await.ok(),
        w.send("POST", &links, Some(&buyer), &key, Some(json!({}))).await.ok(),
    );
    assert_eq!(one["payment_url"], two["payment_url"], "one new link for one key");
}

#[tokio::test]
async fn a_refund_is_never_taken_for_one_of_another_kind_whatever_its_key_says() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let first = invoice(&order);
    let new = w.post(&format!("/api/orders/{}/payments?new=1", id(&order)), &buyer, json!({})).await.ok();
    w.webhook(&w.wire.zendit.pay(&invoice(&new), "EWALLET", None).unwrap()).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let body = json!({ "kind": "adjust", "amount": 100_000, "reason": "lebih kecil" });
    let path = format!("/api/admin/orders/{}/refund", id(&order));
    w.send("POST", &path, Some(&finance), &[("idempotency-key", &first)], Some(body)).await.ok();
    w.drain().await;
    w.webhook(&w.wire.zendit.pay(&first, "EWALLET", None).unwrap()).await;
    w.drain().await;
    assert_eq!(seen(&w, &order).await["receipts"].as_array().unwrap().len(), 1, "the second payment is on record");
    assert_eq!(w.wire.zendit.refunded(), 3_350_000, "and goes back whole, beside the adjustment");
}

#[tokio::test]
async fn a_customer_sees_what_became_of_money_for_an_order_that_was_never_paid() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "sapi-limosin", None).await;
    w.post(&format!("/api/orders/{}/cancel", id(&order)), &buyer, json!({})).await.ok();
    let mut all = World::order_body("sapi-limosin", 12, None);
    all["items"][0]["quantity"] = json!(12);
    w.post("/api/orders", &buyer, all).await.ok();
    w.webhook(&w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap()).await;
    w.drain().await;
    let theirs = w.get(&format!("/api/orders/{}", id(&order)), &buyer).await.ok();
    assert_eq!((theirs["status"].as_str(), theirs["paid"].is_null()), (Some("cancelled"), true));
    let came = &theirs["other_payments"][0];
    assert_eq!((came["amount"].as_i64(), came["why"].as_str()), (Some(25_000_000), Some("too_late")));
    assert_eq!((&theirs["refunds"][0]["id"], theirs["refunds"][0]["amount"].as_i64()), (&came["refund_id"], Some(25_000_000)));
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(w.get(&format!("/api/orders/{}", id(&order)), &buyer).await.ok()["refunds"][0]["status"], "succeeded");
}

#[tokio::test]
async fn money_of_another_amount_is_shown_to_its_customer_while_staff_look_at_it() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.webhook(&w.wire.zendit.pay(&invoice(&order), "EWALLET", Some(3_000_000)).unwrap()).await;
    w.drain().await;
    let theirs = w.get(&format!("/api/orders/{}", id(&order)), &buyer).await.ok();
    let came = &theirs["other_payments"][0];
    assert_eq!((theirs["status"].as_str(), came["why"].as_str(), came["amount"].as_i64()), (Some("pending"), Some("unmatched"), Some(3_000_000)));
    assert!(came["refund_id"].is_null(), "nobody has decided");
}
