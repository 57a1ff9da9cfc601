//! A payment that the gateway has announced stays open work until it says so when it is asked, or a person decides.

use super::{close_task, id, invoice, seen, tasks};
use qutab::app::notices::{self, Notice};
use qutab::domain::{ids::OutboxId, outbox::NoticeAbout, verdict::Announced};
use qutab_local::wire::Service;
use qutab_tests::World;
use serde_json::{Value, json};

async fn expired(w: &World) -> Value {
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    w.pass_days(2);
    w.expire().await;
    w.drain().await;
    order
}

fn announcement(order: &Value) -> Value {
    json!({ "id": invoice(order), "status": "PAID", "external_id": format!("qutab-{}-1", id(order)) })
}

#[tokio::test]
async fn an_announced_payment_is_looked_for_until_the_gateway_says_so() {
    let w = World::new().await;
    let order = expired(&w).await;
    assert_eq!(w.webhook(&announcement(&order)).await.status, 200);
    w.drain().await;
    w.days_pass(1).await;
    assert_eq!((seen(&w, &order).await["status"].as_str(), w.kind("outbox").len()), (Some("expired"), 1), "it is owed still");
    w.wire.zendit.pay(&invoice(&order), "BANK_TRANSFER", None).unwrap();
    w.days_pass(1).await;
    assert_eq!((seen(&w, &order).await["status"].as_str(), w.kind("outbox").len()), (Some("paid"), 0));
}

#[tokio::test]
async fn a_payment_that_was_announced_and_never_comes_is_a_persons() {
    let w = World::new().await;
    let order = expired(&w).await;
    w.webhook(&announcement(&order)).await;
    w.days_pass(4).await;
    assert_eq!(tasks(&w), ["notice_not_confirmed"]);
    assert_eq!((close_task(&w, 0).await, w.kind("outbox").len(), tasks(&w).len()), (204, 0, 0));
}

#[tokio::test]
async fn an_announcement_of_an_invoice_that_the_gateway_does_not_know_yet_is_kept() {
    let w = World::new().await;
    let order = expired(&w).await;
    let (shop, hook) = w.hooked();
    hook.instead(|r| r.uri().contains("/v2/invoices/inv"), 404, r#"{"error_code":"INVOICE_NOT_FOUND_ERROR"}"#);
    w.wire.zendit.pay(&invoice(&order), "BANK_TRANSFER", None).unwrap();
    let notice = Notice { about: NoticeAbout::Invoice, gateway_id: invoice(&order), announced: Some(Announced::Paid), foreign: false };
    notices::take(&shop, notice).await.unwrap();
    assert_eq!(w.kind("outbox").len(), 1);
    w.days_pass(1).await;
    assert_eq!(seen(&w, &order).await["status"], "paid");
}

#[tokio::test]
async fn a_test_of_the_gateways_own_is_answered_and_leaves_nothing() {
    let w = World::new().await;
    let tests = [
        json!({ "id": "579c8d61f23fa4ca35e52da4", "external_id": "invoice_123124123", "status": "PAID", "amount": 50_000 }),
        json!({ "event": "payout.succeeded", "data": { "id": "disb-7baa7335", "reference_id": "ref_test" } }),
        json!({ "event": "refund.succeeded", "data": { "id": "rfd-6f4a377d", "reference_id": "b2756a1e" } }),
    ];
    for test in tests {
        assert_eq!(w.webhook(&test).await.status, 200);
    }
    w.drain().await;
    assert_eq!((w.kind("outbox").len(), tasks(&w).len()), (0, 0));
}

#[tokio::test]
async fn an_announcement_is_not_swallowed_by_an_older_look_under_way() {
    let w = World::new().await;
    let order = expired(&w).await;
    w.wire.take_down(Service::Gateway, true);
    w.webhook(&json!({ "id": invoice(&order), "status": "EXPIRED", "external_id": format!("qutab-{}-1", id(&order)) })).await;
    w.work_payments().await;
    w.wire.take_down(Service::Gateway, false);
    w.pass_seconds(120);
    // A worker has claimed it and has its answer: expired.
    let outbox = OutboxId::parse(w.kind("outbox")[0]["id"]["S"].as_str().unwrap()).unwrap();
    let claimed = w.shop.app.store.claim(outbox, w.now()).await.unwrap().unwrap();
    // The customer pays late, and the gateway stammers just when another worker looks.
    let notice = w.wire.zendit.pay(&invoice(&order), "BANK_TRANSFER", None).unwrap();
    w.wire.take_down(Service::Gateway, true);
    w.webhook(&notice).await;
    w.work_payments().await;
    w.wire.take_down(Service::Gateway, false);
    w.shop.app.store.settle(&claimed).await.unwrap();
    w.days_pass(1).await;
    assert_eq!(seen(&w, &order).await["status"], "paid");
}

#[tokio::test]
async fn a_late_payment_for_a_deleted_account_goes_back() {
    let w = World::new().await;
    let order = expired(&w).await;
    let buyer = w.customer_again("budi").await;
    let gone = json!({ "current_password": qutab_tests::PASSWORD });
    assert_eq!(w.send("DELETE", "/api/profile", Some(&buyer), &[], Some(gone)).await.status, 204);
    w.webhook(&w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap()).await;
    w.drain().await;
    let now = seen(&w, &order).await;
    assert_eq!((now["status"].as_str(), now["receipts"].as_array().unwrap().len(), w.wire.zendit.refunded()), (Some("expired"), 1, 3_250_000));
}

#[tokio::test]
async fn an_amount_with_a_point_and_a_zero_is_an_amount() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap();
    let (shop, hook) = w.hooked();
    let mut said = json!(w.wire.zendit.invoice(&invoice(&order)).unwrap());
    said["amount"] = json!(3_250_000.0);
    said["paid_amount"] = json!(3_250_000.0);
    hook.instead(|r| r.uri().contains("/v2/invoices/inv"), 200, &said.to_string());
    let notice = Notice { about: NoticeAbout::Invoice, gateway_id: invoice(&order), announced: Some(Announced::Paid), foreign: false };
    notices::take(&shop, notice).await.unwrap();
    assert_eq!(seen(&w, &order).await["status"], "paid");
}

#[tokio::test]
async fn money_for_an_order_that_does_not_exist_is_a_persons() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap();
    let (shop, hook) = w.hooked();
    let mut said = json!(w.wire.zendit.invoice(&invoice(&order)).unwrap());
    said["external_id"] = json!("qutab-ord_01JZZZZZZZZZZZZZZZZZZZZZZZ-1");
    hook.instead(|r| r.uri().contains("/v2/invoices/inv"), 200, &said.to_string());
    let notice = Notice { about: NoticeAbout::Invoice, gateway_id: invoice(&order), announced: Some(Announced::Paid), foreign: false };
    notices::take(&shop, notice).await.unwrap();
    assert_eq!(tasks(&w), ["money_contradiction"]);
}
