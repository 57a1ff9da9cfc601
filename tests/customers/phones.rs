//! Messages by WhatsApp: off by default; where they are on, the same news once, after the mail.

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use qutab::whatsapp::WhatsApp;
use qutab_local::wire::Service;
use qutab_tests::{PASSWORD, World};
use serde_json::json;

/// A world in which messages are switched on.
async fn with_messages() -> World {
    let mut w = World::new().await;
    let wire = SharedHttpConnector::new(w.wire.clone());
    w.notifier.whatsapp = Some(WhatsApp::new(wire, "https://whatsapp.test/v23.0", "1055", "secret"));
    w
}

async fn buyer(w: &World, phone: &str) -> String {
    let body = json!({ "name": "Budi Santoso", "email": "budi@example.com", "phone": phone, "password": PASSWORD });
    w.post("/api/auth/register", "", body).await.ok();
    w.customer_again("budi").await
}

#[tokio::test]
async fn nothing_is_sent_unless_it_is_switched_on() {
    let w = World::new().await;
    let buyer = buyer(&w, "081234567890").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    assert!(w.wire.whatsapp.all().is_empty() && w.mails_to("budi@example.com").len() == 2);
}

#[tokio::test]
async fn news_of_an_order_comes_by_mail_and_by_phone() {
    let w = with_messages().await;
    let buyer = buyer(&w, "081234567890").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    w.pay(&order).await;
    w.drain().await;
    let sent = w.wire.whatsapp.all();
    let templates: Vec<&str> = sent.iter().map(|(_, template, _)| template.as_str()).collect();
    assert_eq!(templates, ["order_placed", "order_paid"]);
    assert!(sent.iter().all(|(to, _, blanks)| to == "6281234567890" && blanks[0] == "Budi Santoso" && blanks[2] == "Rp3.250.000"));
    assert!(!w.items().iter().any(|i| i["kind"]["S"] == "outbox"), "nothing is owed any more");
}

#[tokio::test]
async fn a_service_that_is_down_is_asked_again_and_one_that_refuses_is_not() {
    let w = with_messages().await;
    let buyer = buyer(&w, "081234560000").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    assert!(w.wire.whatsapp.all().is_empty(), "this number has no WhatsApp");
    assert!(!w.items().iter().any(|i| matches!(i["kind"]["S"].as_str(), Some("outbox" | "task"))), "given up: the mail said it");
    w.wire.take_down(Service::Messages, true);
    let affiliate = w.affiliate("rina").await;
    for _ in 0..40 {
        w.work_once().await;
    }
    assert!(w.wire.whatsapp.all().is_empty());
    w.wire.take_down(Service::Messages, false);
    w.pass_seconds(7 * 3_600);
    qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
    w.drain().await;
    let sent = w.wire.whatsapp.all();
    assert_eq!((sent.len(), sent[0].1.as_str(), sent[0].2[1].as_str()), (1, "affiliate_approved", affiliate.code.as_str()));
}

#[tokio::test]
async fn a_payout_that_came_back_is_told_as_one_that_came_back() {
    let w = with_messages().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("siti").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    w.pass_days(31);
    w.mature().await;
    let affiliate = w.affiliate_again(&affiliate).await;
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok()["id"].as_str().unwrap().to_owned();
    let finance = w.admin("finance").await;
    let decide = async |who: &str, what: &str, body| w.post(&format!("/api/admin/payouts/{payout}/{what}"), who, body).await.ok();
    decide(&finance, "process", json!({})).await;
    decide(&finance, "pay", json!({ "reference": "BCA-1" })).await;
    w.drain().await;
    let owner = w.admin("owner").await;
    decide(&owner, "reverse", json!({ "reason": "rekening ditutup" })).await;
    w.drain().await;
    let told: Vec<String> = w.wire.whatsapp.all().into_iter().map(|(_, template, _)| template).filter(|t| t.starts_with("payout")).collect();
    assert_eq!(told, ["payout_paid", "payout_returned"]);
}
