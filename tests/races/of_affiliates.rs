//! Affiliates and those who review them, at the same time.

use super::{Job, at_once};
use qutab_tests::{PASSWORD, World};
use serde_json::json;
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

/// An application that waits; its id.
async fn applied(w: &World, name: &str) -> String {
    let email = format!("{name}@promo.example.com");
    let body = json!({ "first_name": name, "last_name": "Promotor", "email": email, "password": PASSWORD, "whatsapp": "081377700011",
        "city": "Bandung", "primary_platform": "instagram", "social": { "instagram": format!("https://instagram.com/{name}") },
        "reason": "Ingin mengajak pengikut saya berkurban" });
    w.send_from(&format!("198.51.100.{}", name.len()), "POST", "/api/affiliate/auth/register", body).await.ok();
    let login = json!({ "email": email, "password": PASSWORD });
    let token = w.post("/api/affiliate/auth/login", "", login).await.ok()["access_token"].as_str().unwrap().to_owned();
    w.get("/api/affiliate/status", &token).await.ok()["affiliate_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_given_to_ten_at_once_is_one_affiliates() {
    let w = World::new().await;
    let mut ids = Vec::new();
    for n in 1..=10 {
        ids.push(applied(&w, &"n".repeat(n + 3)).await);
    }
    let ops = w.admin("ops").await;
    let mut approvals = Vec::new();
    for (n, id) in ids.into_iter().enumerate() {
        // The same code but for its case.
        let code = if n % 2 == 0 { "BERKAH-2026" } else { "berkah-2026" };
        let (w, ops, path) = (w.clone(), ops.clone(), format!("/api/admin/applications/{id}/approve"));
        approvals.push(tokio::spawn(async move { w.post(&path, &ops, json!({ "code": code })).await.status }));
    }
    let mut statuses = Vec::new();
    for approval in approvals {
        statuses.push(approval.await.unwrap());
    }
    assert_eq!((statuses.iter().filter(|s| **s == 200).count(), statuses.iter().filter(|s| **s == 409).count()), (1, 9), "{statuses:?}");
    let items = w.items();
    let of = |kind: &str| items.iter().filter(|i| i["kind"]["S"] == kind).count();
    assert_eq!((of("referral_code"), of("wallet")), (1, 1), "who lost has neither a code nor a wallet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_approved_by_ten_at_once_has_one_code() {
    let w = World::new().await;
    let id = applied(&w, "rina").await;
    let ops = w.admin("ops").await;
    let mut approvals = Vec::new();
    for _ in 0..10 {
        let (w, ops, path) = (w.clone(), ops.clone(), format!("/api/admin/applications/{id}/approve"));
        approvals.push(tokio::spawn(async move { w.post(&path, &ops, json!({})).await.ok()["code"].as_str().unwrap().to_owned() }));
    }
    let mut codes = BTreeSet::new();
    for approval in approvals {
        codes.insert(approval.await.unwrap());
    }
    assert_eq!(codes.len(), 1, "everybody is told the same: {codes:?}");
    assert_eq!(w.items().iter().filter(|i| i["kind"]["S"] == "referral_code").count(), 1);
}

/// A person decides while the order is refunded and the daily run passes: the commission is taken back exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_is_decided_while_the_order_is_refunded_and_commissions_mature() {
    for (round, decision) in ["release", "void", "release", "void"].into_iter().enumerate() {
        let w = World::new().await;
        let affiliate = w.affiliate("rina").await;
        let body = json!({ "name": "Pembeli Aneh", "email": "x@yopmail.com", "phone": "081255550000", "password": PASSWORD });
        w.post("/api/auth/register", "", body).await.ok();
        let login = w.post("/api/auth/login", "", json!({ "email": "x@yopmail.com", "password": PASSWORD })).await.ok();
        let click = w.click(&affiliate.code).await;
        let order = w.order(login["access_token"].as_str().unwrap(), "kambing-standar", Some(&click)).await;
        w.pay(&order).await;
        w.drain().await;
        let id = order["id"].as_str().unwrap().to_owned();
        w.advance(&id, &["processing", "distributed", "completed"]).await;
        let (finance, due) = (w.admin("finance").await, w.now().plus_days(31));
        let (a, b, c, token, other) = (w.clone(), w.clone(), w.clone(), finance.clone(), finance.clone());
        let (signal, refund) = (format!("/api/admin/signals/{id}/{decision}"), format!("/api/admin/orders/{id}/refund"));
        let decide: Job = Box::new(move |rt: &Runtime| {
            let status = rt.block_on(a.post(&signal, &token, json!({ "reason": "sudah ditelepon" }))).status;
            assert!(matches!(status, 200 | 409), "{status}");
        });
        let back: Job = Box::new(move |rt: &Runtime| {
            rt.block_on(b.post(&refund, &other, json!({ "kind": "end", "because": "undeliverable" }))).ok();
        });
        let mature: Job = Box::new(move |rt: &Runtime| {
            let event = serde_json::from_value(json!({ "time": due })).unwrap();
            rt.block_on(qutab_tests::grants::acting("maturation", maturation::run(&c.shop.app, event))).unwrap();
        });
        at_once([decide, back, mature]);
        w.drain().await;
        assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0), "round {round}");
        w.check_ledgers().await;
    }
}
