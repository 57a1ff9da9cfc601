//! Refunds end by the gateway's word, or with a person once it has said that it took nothing.

use super::{close_task, id, invoice, seen, tasks};
use qutab_local::wire::{Cut, Position};
use qutab_tests::World;
use serde_json::{Value, json};

async fn paid(w: &World) -> Value {
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    order
}

/// The path of the refund that ends the order.
async fn opened(w: &World, order: &Value) -> String {
    let body = json!({ "kind": "end", "because": "undeliverable" });
    let opened = w.post(&format!("/api/admin/orders/{}/refund", id(order)), &w.admin("finance").await, body).await.ok();
    format!("/api/admin/orders/{}/refunds/{}", id(order), opened["refund"]["id"].as_str().unwrap())
}

async fn taken_and_lost(w: &World) {
    for at in 0..12 {
        w.wire.arm(Cut { at, position: Position::AnswerLost, dies: true });
        w.work_payments().await;
        w.wire.revive();
        if w.wire.zendit.refunded() > 0 {
            return;
        }
        w.pass_seconds(1_000);
        w.sweep().await;
    }
    panic!("the gateway was never asked");
}

async fn tries(w: &World, count: usize) {
    for _ in 0..count {
        w.pass_seconds(700);
        w.sweep().await;
        w.drain().await;
    }
}

async fn refund_status(w: &World, order: &Value) -> String {
    seen(w, order).await["refunds"][0]["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_never_sent_by_hand_as_well() {
    let w = World::new().await;
    let order = paid(&w).await;
    let refund = opened(&w, &order).await;
    taken_and_lost(&w).await;
    w.wire.zendit.refuse(Some((400, "MAXIMUM_REFUND_AMOUNT_REACHED")));
    tries(&w, 8).await;
    w.wire.zendit.refuse(None);
    assert_eq!((refund_status(&w, &order).await.as_str(), tasks(&w).len()), ("sent", 0));
    let confirm = w.post(&format!("{refund}/confirm"), &w.admin("finance").await, json!({ "reference": "BCA-991" })).await;
    assert_eq!((confirm.status, w.wire.zendit.refunded()), (409, 3_250_000));
}

#[tokio::test]
async fn a_refund_that_the_gateway_cannot_send_is_a_persons_once_no_request_can_be_under_way() {
    let w = World::new().await;
    let order = paid(&w).await;
    opened(&w, &order).await;
    w.wire.zendit.refuse(Some((400, "INELIGIBLE_TRANSACTION")));
    w.drain().await;
    assert_eq!(refund_status(&w, &order).await, "requested");
    tries(&w, 8).await;
    assert_eq!((refund_status(&w, &order).await.as_str(), tasks(&w)), ("manual", vec!["manual_refund".to_owned()]));
}

#[tokio::test]
async fn a_partial_refund_is_not_sent_twice_after_the_gateway_has_forgotten_its_key() {
    let w = World::new().await;
    let order = paid(&w).await;
    let body = json!({ "kind": "adjust", "amount": 100_000, "reason": "lebih kecil" });
    w.post_once(&format!("/api/admin/orders/{}/refund", id(&order)), &w.admin("finance").await, body).await.ok();
    taken_and_lost(&w).await;
    w.wire.zendit.forget_keys();
    tries(&w, 4).await;
    assert_eq!((w.wire.zendit.refunded(), refund_status(&w, &order).await.as_str()), (100_000, "sent"));
}

#[tokio::test]
async fn a_manual_refund_that_the_gateway_settles_rings_and_leaves_no_task_to_transfer() {
    let w = World::new().await;
    let order = paid(&w).await;
    opened(&w, &order).await;
    // The gateway hides what it took from its list, and tells of it later.
    taken_and_lost(&w).await;
    w.wire.zendit.refuse(Some((400, "MAXIMUM_REFUND_AMOUNT_REACHED")));
    w.wire.zendit.hide_lists(true);
    tries(&w, 8).await;
    assert_eq!((refund_status(&w, &order).await.as_str(), close_task(&w, 0).await), ("manual", 409));
    w.wire.zendit.hide_lists(false);
    w.wire.zendit.refuse(None);
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!((refund_status(&w, &order).await.as_str(), tasks(&w)), ("succeeded", vec!["money_contradiction".to_owned()]));
    assert_eq!(close_task(&w, 0).await, 204);
}

#[tokio::test]
async fn a_refund_sent_by_hand_and_by_the_gateway_rings() {
    let w = World::new().await;
    let order = paid(&w).await;
    let refund = opened(&w, &order).await;
    taken_and_lost(&w).await;
    w.wire.zendit.refuse(Some((400, "MAXIMUM_REFUND_AMOUNT_REACHED")));
    w.wire.zendit.hide_lists(true);
    tries(&w, 8).await;
    w.wire.zendit.hide_lists(false);
    w.post(&format!("{refund}/confirm"), &w.admin("finance").await, json!({ "reference": "BCA-991" })).await.ok();
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(tasks(&w), ["money_contradiction"]);
}

#[tokio::test]
async fn a_refund_that_is_unsettled_for_days_is_a_persons() {
    let w = World::new().await;
    let order = paid(&w).await;
    opened(&w, &order).await;
    w.drain().await;
    w.days_pass(2).await;
    assert!(tasks(&w).is_empty());
    w.days_pass(2).await;
    assert_eq!((tasks(&w), close_task(&w, 0).await), (vec!["refund_unsettled".to_owned()], 409));
    w.wire.zendit.finish_refunds("SUCCEEDED");
    w.days_pass(1).await;
    assert_eq!((refund_status(&w, &order).await.as_str(), tasks(&w).len()), ("succeeded", 0));
}

#[tokio::test]
async fn a_refund_that_the_gateway_no_longer_knows_is_taken_over_only_then() {
    let w = World::new().await;
    let order = paid(&w).await;
    let refund = opened(&w, &order).await;
    w.drain().await;
    w.days_pass(4).await;
    let take_over = async || w.post(&format!("{refund}/take-over"), &w.admin("finance").await, json!({})).await.status;
    assert_eq!(take_over().await, 409, "it says that it has it");
    w.wire.zendit.hide_lists(true);
    assert_eq!(take_over().await, 409, "it has it under its own id");
    w.wire.zendit.lose_everything(true);
    assert_eq!((take_over().await, refund_status(&w, &order).await.as_str(), tasks(&w)), (200, "manual", vec!["manual_refund".to_owned()]));
}

#[tokio::test]
async fn a_failed_refund_that_succeeded_after_all_counts_again() {
    let w = World::new().await;
    let order = paid(&w).await;
    opened(&w, &order).await;
    w.drain().await;
    for event in w.wire.zendit.finish_refunds("FAILED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!((seen(&w, &order).await["refunded"].clone(), tasks(&w)), (json!(0), vec!["refund_failed".to_owned()]));
    for event in w.wire.zendit.turn_refunds("FAILED", "SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    let now = seen(&w, &order).await;
    assert_eq!((now["refunded"].clone(), now["refunds"][0]["status"].clone(), tasks(&w).len()), (json!(3_250_000), json!("succeeded"), 0));
}

#[tokio::test]
async fn the_key_that_a_person_chooses_for_a_refund_is_never_an_invoices() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let first = invoice(&order);
    let second = w.post(&format!("/api/orders/{}/payments?new=1", id(&order)), &buyer, json!({})).await.ok();
    w.webhook(&w.wire.zendit.pay(&invoice(&second), "EWALLET", None).unwrap()).await;
    w.drain().await;
    let body = json!({ "kind": "adjust", "amount": 100_000, "reason": "lebih kecil" });
    let path = format!("/api/admin/orders/{}/refund", id(&order));
    w.send("POST", &path, Some(&w.admin("finance").await), &[("idempotency-key", &first)], Some(body)).await.ok();
    w.webhook(&w.wire.zendit.pay(&first, "EWALLET", None).unwrap()).await;
    w.drain().await;
    assert_eq!((seen(&w, &order).await["receipts"].as_array().unwrap().len(), w.wire.zendit.refunded()), (1, 3_350_000));
}

#[tokio::test]
async fn a_receipt_in_rupiah_is_closed_by_its_refund_and_not_by_a_note() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let paid = invoice(&order);
    w.webhook(&w.wire.zendit.pay(&paid, "EWALLET", Some(3_000_000)).unwrap()).await;
    w.drain().await;
    assert_eq!((tasks(&w), close_task(&w, 0).await), (vec!["unmatched_receipt".to_owned()], 409));
    let subjects: Vec<String> = w.mails_to("budi@example.com").into_iter().map(|m| m.subject).collect();
    assert!(subjects.contains(&"Pembayaran Anda sedang kami periksa".to_owned()), "{subjects:?}");
    for _ in 0..2 {
        let path = format!("/api/admin/orders/{}/receipts/{paid}/refund", id(&order));
        w.post(&path, &w.admin("finance").await, json!({})).await.ok();
    }
    w.drain().await;
    assert_eq!((tasks(&w).len(), w.wire.zendit.refunded()), (0, 3_000_000));
}

#[tokio::test]
async fn whoever_pays_twice_is_told_that_it_comes_back() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let second = w.post(&format!("/api/orders/{}/payments?new=1", id(&order)), &buyer, json!({})).await.ok();
    w.webhook(&w.wire.zendit.pay(&invoice(&second), "EWALLET", None).unwrap()).await;
    w.drain().await;
    w.webhook(&w.wire.zendit.pay(&invoice(&order), "EWALLET", None).unwrap()).await;
    w.drain().await;
    let refunds: Vec<_> = w.mails_to("budi@example.com").into_iter().filter(|m| m.subject == "Pengembalian dana pesanan Anda").collect();
    assert!(refunds.len() == 1 && refunds[0].text.contains("pembayaran kedua"), "{refunds:?}");
}
