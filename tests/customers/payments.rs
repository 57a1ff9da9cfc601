//! Payment links, their status, and money on its way back, as the customer sees them.

use qutab_local::wire::Service;
use qutab_tests::World;
use serde_json::{Value, json};

fn path(order: &Value, rest: &str) -> String {
    format!("/api/orders/{}{rest}", order["id"].as_str().unwrap())
}

fn invoice(url: &Value) -> String {
    url.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_is_given_again_and_another_one_ends_the_first() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let same = w.post(&path(&order, "/payments"), &buyer, json!({})).await.ok();
    assert_eq!(same["payment_url"], order["payment_url"]);
    assert_eq!((same["amount"].as_i64(), &same["expires_at"]), (Some(3_250_000), &order["pay_by"]));
    let new = w.post(&path(&order, "/payments?new=1"), &buyer, json!({})).await.ok();
    assert_ne!(new["payment_url"], order["payment_url"]);
    let (old, new) = (invoice(&order["payment_url"]), invoice(&new["payment_url"]));
    assert_eq!(w.wire.zendit.invoice(&old).unwrap().status, "EXPIRED");
    let fresh = w.wire.zendit.invoice(&new).unwrap();
    assert_eq!((fresh.status.as_str(), fresh.amount, json!(fresh.expiry_date)), ("PENDING", 3_250_000, order["pay_by"].clone()));
    w.webhook(&w.wire.zendit.pay(&new, "QRIS", None).unwrap()).await;
    w.drain().await;
    assert_eq!(w.post(&path(&order, "/payments"), &buyer, json!({})).await.status, 409, "paid: no more links");
    assert_eq!(w.post(&path(&order, "/payments"), &w.customer("siti").await, json!({})).await.status, 404);
}

#[tokio::test]
async fn asking_for_the_status_heals_a_lost_notice() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let status = async || w.get(&path(&order, "/payment"), &buyer).await.ok();
    assert_eq!((status().await["order_status"].as_str(), status().await["paid"].is_null()), (Some("pending"), true));
    w.wire.zendit.pay(&invoice(&order["payment_url"]), "EWALLET", None).unwrap();
    w.pass_seconds(11);
    w.wire.take_down(Service::Gateway, true);
    assert_eq!(status().await["order_status"], "pending", "the gateway is out of reach: what is known");
    w.wire.take_down(Service::Gateway, false);
    let healed = status().await;
    assert_eq!((healed["order_status"].as_str(), healed["paid"]["method"].as_str()), (Some("paid"), Some("ewallet")));
    w.drain().await;
    assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject.contains("telah kami terima")), "and it is confirmed as ever");
}

#[tokio::test]
async fn the_expiry_job_asks_the_gateway_before_it_ends_an_order() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let (unpaid, paid) = (w.order(&buyer, "domba-garut", None).await, w.order(&buyer, "domba-garut", None).await);
    w.wire.zendit.pay(&invoice(&paid["payment_url"]), "EWALLET", None).unwrap();
    w.pass_days(1);
    w.wire.take_down(Service::Gateway, true);
    assert_eq!(w.expire().await, 0, "no answer: nothing is ended");
    w.wire.take_down(Service::Gateway, false);
    assert_eq!(w.expire().await, 1);
    let buyer = w.customer_again("budi").await;
    let status = async |order: &Value| w.get(&path(order, ""), &buyer).await.ok()["status"].as_str().unwrap().to_owned();
    assert_eq!((status(&unpaid).await, status(&paid).await), ("expired".to_owned(), "paid".to_owned()));
    w.drain().await;
    assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject == "Batas pembayaran pesanan Anda telah lewat"));
}

#[tokio::test]
async fn refunds_in_part_and_in_full_are_seen_by_the_customer() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let refund = format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap());
    w.post_once(&refund, &finance, json!({ "kind": "adjust", "amount": 250_000, "reason": "lebih kecil" })).await.ok();
    w.drain().await;
    let seen = w.get(&path(&order, ""), &buyer).await.ok();
    assert_eq!((seen["status"].as_str(), seen["refunded"].as_i64()), (Some("paid"), Some(250_000)));
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.post(&refund, &finance, json!({ "kind": "end", "because": "undeliverable" })).await.ok();
    w.drain().await;
    let seen = w.get(&path(&order, ""), &buyer).await.ok();
    assert_eq!((seen["status"].as_str(), seen["refunded"].as_i64()), (Some("refunded"), Some(3_250_000)));
    let statuses: Vec<&str> = seen["refunds"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert!(statuses.contains(&"succeeded") && statuses.contains(&"sent"), "{statuses:?}");
    assert_eq!(w.mails_to("budi@example.com").iter().filter(|m| m.subject == "Pengembalian dana pesanan Anda").count(), 2);
}
