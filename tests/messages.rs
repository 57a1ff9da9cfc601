//! Queues at their worst: poison, duplicates in one batch, a mail service that refuses, transactions that collide.

use qutab::{
    domain::{
        ids::AffiliateId,
        outbox::{OutboxItem, Work},
    },
    store::transaction::{Commit, Transaction},
};
use qutab_local::wire::Service;
use qutab_tests::World;
use serde_json::{Value, json};

/// Paid orders whose webhooks lie in the queue.
async fn paid_orders(w: &World, count: usize) -> Vec<Value> {
    let buyer = w.customer("budi").await;
    let mut orders = Vec::new();
    for _ in 0..count {
        let order = w.order(&buyer, "kambing-standar", None).await;
        w.pay(&order).await;
        orders.push(order);
    }
    orders
}

async fn statuses(w: &World) -> Vec<String> {
    let buyer = w.customer_again("budi").await;
    let orders = w.get("/api/orders?limit=50", &buyer).await.ok();
    orders["items"].as_array().unwrap().iter().map(|o| o["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_poison_message_among_ten_spoils_nothing_and_can_be_redriven() {
    let w = World::new().await;
    paid_orders(&w, 4).await;
    w.wire.queues.send("PaymentsQueue", "{\"kind\":\"nobody knows\"").unwrap();
    paid_orders_more(&w, 5).await;
    w.work_payments().await;
    assert!(statuses(&w).await.iter().all(|s| s == "paid"), "the other nine were paid at the first delivery");
    w.drain().await;
    let depth = w.wire.queues.depth();
    assert_eq!((depth["PaymentsQueue"], depth["PaymentsDeadLetters"]), (0, 1), "{depth:?}");
    assert_eq!(w.wire.queues.redrive("PaymentsDeadLetters", "PaymentsQueue"), 1);
    assert_eq!(w.wire.queues.depth()["PaymentsQueue"], 1);
}

async fn paid_orders_more(w: &World, count: usize) {
    let buyer = w.customer("sari").await;
    for _ in 0..count {
        let order = w.order(&buyer, "kambing-standar", None).await;
        w.pay(&order).await;
    }
}

#[tokio::test]
async fn the_same_notice_twice_in_one_batch_pays_once() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    for _ in 0..8 {
        w.webhook(&json!({ "id": invoice, "status": "PAID" })).await;
    }
    w.work_payments().await;
    assert_eq!(w.balance(&affiliate).await.0, 137_500);
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_goes_to_a_person_and_is_not_tried_for_ever() {
    let w = World::new().await;
    let body = json!({ "name": "Tanpa Alamat", "email": "reject@example.com", "phone": "081299990000", "password": qutab_tests::PASSWORD });
    w.post("/api/auth/register", "", body).await.ok();
    let login = json!({ "email": "reject@example.com", "password": qutab_tests::PASSWORD });
    let buyer = w.post("/api/auth/login", "", login).await.ok()["access_token"].as_str().unwrap().to_owned();
    let order = w.order(&buyer, "kambing-standar", None).await;
    w.pay(&order).await;
    w.drain().await;
    let items = w.items();
    let kind = |kind: &str| items.iter().filter(|i| i["kind"]["S"] == kind).cloned().collect::<Vec<_>>();
    assert!(kind("outbox").is_empty(), "nothing is owed any more");
    let tasks = kind("task");
    assert_eq!(tasks.len(), 2, "the welcome and the confirmation");
    assert!(tasks.iter().all(|t| t["subject"]["M"]["kind"]["S"] == "mail_refused"));
}

#[tokio::test]
async fn work_that_keeps_failing_is_tried_less_and_less_and_told_to_a_person() {
    let w = World::new().await;
    let order = paid_orders(&w, 1).await.remove(0);
    w.drain().await;
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    w.wire.take_down(Service::Gateway, true);
    let mut tries = 0;
    for _ in 0..60 {
        w.pass_seconds(6 * 3_600);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.work_once().await;
        tries += 1;
        if w.items().iter().any(|i| i["kind"]["S"] == "task") {
            break;
        }
    }
    assert!((8..=12).contains(&tries), "told after {tries} tries");
    w.wire.take_down(Service::Gateway, false);
    w.pass_days(1);
    qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
    w.drain().await;
    assert_eq!(w.wire.zendit.refunded(), 2_750_000, "and it heals by itself once the gateway is back");
    assert!(!w.items().iter().any(|i| i["kind"]["S"] == "outbox"));
}

#[tokio::test]
async fn transactions_that_collide_are_tried_again() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    w.wire.collide(2);
    assert_eq!(w.order(&buyer, "kambing-standar", None).await["status"], "pending");
    assert_eq!(w.stock("kambing-standar").await, 199);
}

/// Two decisions about one payout share a name in the outbox: the second must not go with the first.
#[tokio::test]
async fn news_that_comes_while_older_news_is_being_told_stays_owed() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    w.drain().await;
    let (affiliate, app) = (AffiliateId::parse(&rina.id).unwrap(), &w.shop.app);
    let news = |now| OutboxItem::new(Work::MailBankDecided { affiliate }, now);
    let owe = async || {
        let mut tx = Transaction::<()>::new();
        tx.put_same(&news(w.now()));
        assert!(matches!(app.store.commit(tx).await.unwrap(), Commit::Done));
    };
    owe().await;
    let first = app.store.claim(news(w.now()).id, w.now()).await.unwrap().unwrap();
    w.pass_seconds(5);
    owe().await;
    app.store.settle(&first).await.unwrap();
    let second = app.store.claim(first.id, w.now()).await.unwrap().expect("the second is there still");
    app.store.settle(&second).await.unwrap();
    assert!(app.store.claim(first.id, w.now()).await.unwrap().is_none());
}
