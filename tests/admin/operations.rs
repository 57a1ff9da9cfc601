//! Settings, questions, the audit log, tasks.

use qutab_tests::World;
use serde_json::{Value, json};

async fn put(w: &World, path: &str, who: &str, body: Value) -> qutab_tests::Answer {
    w.send("PUT", path, Some(&w.admin(who).await), &[], Some(body)).await
}

#[tokio::test]
async fn settings_are_checked_versioned_and_in_force_at_once() {
    let w = World::new().await;
    let seen = w.get("/api/admin/settings", &w.admin("viewer").await).await.ok();
    assert_eq!((seen["hold_days"].as_i64(), seen["minimum_payout"].as_i64()), (Some(30), Some(100_000)));
    let change = async |who: &str, body: Value| put(&w, "/api/admin/settings", who, body).await;
    assert_eq!(change("finance", json!({ "version": 1, "hold_days": 1 })).await.status, 403, "policy is the owner's");
    let wrong = json!({ "version": 1, "commission_rule": { "kind": "percent", "rate": 20_000 }, "hold_days": 999, "payment_hours": 0,
        "seasons": [{ "year": 1448, "eid": "besok" }], "self_referral": { "kind": "maybe" } });
    let refused = change("owner", wrong).await;
    let fields: Vec<&str> = refused.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["commission_rule.rate", "hold_days", "self_referral.kind", "payment_hours", "seasons[0].eid"]);
    let tiers = json!([{ "at_least_days": 10, "rate": 5_000 }, { "at_least_days": 5, "rate": 9_000 }]);
    assert_eq!(
        change("owner", json!({ "version": 1, "refund_tiers": tiers })).await.body["errors"][0]["field"],
        "refund_tiers",
        "nearer to Eid never more"
    );
    let rina = w.affiliate("rina").await;
    let changed = change("owner", json!({ "version": 1, "commission_rule": { "kind": "percent", "rate": 800 } })).await.ok();
    assert_eq!((changed["version"].as_i64(), changed["hold_days"].as_i64()), (Some(2), Some(30)), "the rest stays");
    assert_eq!(change("owner", json!({ "version": 1, "hold_days": 10 })).await.status, 409, "somebody was faster");
    let buyer = w.customer("budi").await;
    let click = w.click(&rina.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.balance(&rina).await.0, 220_000, "eight percent, without a deployment");
    let versions = w.get("/api/admin/settings/versions", &w.admin("viewer").await).await.ok();
    assert_eq!((versions["items"].as_array().unwrap().len(), versions["items"][0]["settings"]["commission_rule"]["rate"].as_i64()), (1, Some(800)));
    let change_login = change("owner", json!({ "version": 2, "access_minutes": 5, "refresh_days": 7 })).await.ok();
    assert_eq!(change_login["version"], 3);
    let login = json!({ "email": "budi@example.com", "password": qutab_tests::PASSWORD });
    let login = w.post("/api/auth/login", "", login).await;
    assert_eq!((login.body["expires_in"].as_i64(), login.headers["set-cookie"].to_str().unwrap().contains("Max-Age=604800")), (Some(300), true));
    let window = json!({ "version": 3, "payout_window": { "first_day": 20, "last_day": 5 } });
    assert_eq!(change("owner", window).await.body["errors"][0]["field"], "payout_window");
    assert_eq!(
        change("owner", json!({ "version": 3, "payout_window": { "first_day": 1, "last_day": 5 } })).await.ok()["payout_window"]["last_day"],
        5
    );
    assert!(change("owner", json!({ "version": 4, "payout_window": null })).await.ok()["payout_window"].is_null());
}

#[tokio::test]
async fn questions_and_contact_are_changed_for_everybody() {
    let w = World::new().await;
    let item = json!({ "reader": "customer", "question": { "id": "Bisa cicil?", "en": "Instalments?" }, "answer": { "id": "Belum bisa.", "en": "Not yet." } });
    assert_eq!(put(&w, "/api/admin/faq", "viewer", json!({ "items": [item] })).await.status, 403);
    assert_eq!(put(&w, "/api/admin/faq", "ops", json!({ "items": [{ "reader": "nobody" }] })).await.status, 422);
    put(&w, "/api/admin/faq", "ops", json!({ "items": [item] })).await.ok();
    let shown = w.send("GET", "/api/helpdesk/faq?lang=en", None, &[], None).await.ok();
    assert_eq!((shown["items"].as_array().unwrap().len(), shown["items"][0]["question"].as_str()), (1, Some("Instalments?")));
    let contact = json!({ "whatsapp": "0812-9999-0000", "email": "cs@qutab.id", "hours": { "id": "Setiap hari", "en": "Every day" } });
    put(&w, "/api/admin/contact", "ops", contact).await.ok();
    let link = w.send("GET", "/api/helpdesk/whatsapp-link", None, &[], None).await.ok();
    assert!(link["url"].as_str().unwrap().starts_with("https://wa.me/6281299990000?text="), "{link}");
    assert_eq!(w.get("/api/admin/contact", &w.admin("viewer").await).await.ok()["email"], "cs@qutab.id");
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_when_from_where() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    w.pass_days(1);
    let suspend = format!("/api/admin/affiliates/{}/suspend", rina.id);
    w.post(&suspend, &w.admin("ops").await, json!({ "reason": "klik palsu" })).await.ok();
    w.pass_seconds(1);
    put(&w, "/api/admin/settings", "owner", json!({ "version": 1, "hold_days": 14 })).await.ok();
    w.pass_seconds(1);
    let finance = w.admin("finance").await;
    let log = async |query: &str| {
        let mut all = w.get(&format!("/api/admin/audit-log?{query}"), &finance).await.ok()["items"].as_array().unwrap().clone();
        all.retain(|e| e["action"] != "staff.login");
        all
    };
    let logins = w.get("/api/admin/audit-log?action=staff.login", &finance).await.ok();
    assert_eq!((logins["items"].as_array().unwrap().len(), logins["items"][0]["subject"].as_str()), (4, Some("finance")), "who came in");
    let all = log("").await;
    let actions: Vec<&str> = all.iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["settings.change", "affiliate.suspend", "affiliate.approve"], "newest first, over two days");
    assert_eq!((all[0]["before"]["hold_days"].as_i64(), all[0]["after"]["hold_days"].as_i64()), (Some(30), Some(14)));
    assert_eq!((all[1]["address"].as_str(), all[1]["after"].as_str()), (Some("203.0.113.7"), Some("suspended: klik palsu")));
    assert_eq!(log("action=affiliate").await.len(), 2);
    assert_eq!(log(&format!("subject={}&action=affiliate.suspend", rina.id)).await.len(), 1);
    assert_eq!(log(&format!("admin={}", all[0]["admin"].as_str().unwrap())).await.len(), 1);
    assert_eq!(log("from=2026-11-23&to=2026-11-23").await.len(), 1);
    assert_eq!(w.get("/api/admin/audit-log", &w.admin("ops").await).await.status, 403);
    w.pass_seconds(1);
    let file = w.get("/api/admin/audit-log/export.csv", &finance).await;
    assert_eq!(qutab::http::csv::rows(std::str::from_utf8(&file.bytes).unwrap()).unwrap().len(), 7);
    assert_eq!(log("").await[0]["action"], "audit.export", "that too");
    for method in ["PUT", "PATCH", "DELETE", "POST"] {
        let answer = w.send(method, "/api/admin/audit-log", Some(&w.admin("owner").await), &[], Some(json!({}))).await;
        assert!(matches!(answer.status, 404 | 405), "{method}: nothing in it is ever changed");
    }
}

#[tokio::test]
async fn tasks_wait_until_somebody_has_seen_to_them() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    w.webhook(&w.wire.zendit.pay(&invoice, "EWALLET", Some(1_000)).unwrap()).await;
    w.drain().await;
    let ops = w.admin("ops").await;
    let tasks = async || w.get("/api/admin/tasks", &ops).await.ok()["items"].as_array().unwrap().clone();
    let open = tasks().await;
    assert_eq!(
        (open.len(), open[0]["subject"]["kind"].as_str(), open[0]["subject"]["order"].clone()),
        (1, Some("unmatched_receipt"), order["id"].clone())
    );
    let path = format!("/api/admin/tasks/{}/close", open[0]["id"].as_str().unwrap());
    assert_eq!(w.post(&path, &ops, json!({})).await.status, 422, "what was done?");
    assert_eq!(w.post(&path, &ops, json!({ "note": "dikembalikan" })).await.status, 409, "money in rupiah goes back by a refund");
    let refund = format!("/api/admin/orders/{}/receipts/{invoice}/refund", order["id"].as_str().unwrap());
    w.post(&refund, &w.admin("finance").await, json!({})).await.ok();
    w.drain().await;
    assert_eq!(w.post(&path, &ops, json!({ "note": "lagi" })).await.status, 404);
    assert!(tasks().await.is_empty());
    w.webhook(&w.wire.zendit.pay(&invoice, "EWALLET", None).map_or(json!({ "id": invoice, "status": "PAID" }), |n| n)).await;
    w.drain().await;
    assert!(tasks().await.is_empty(), "the same notice opens nothing again");
}
