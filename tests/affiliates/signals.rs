//! Odd sales: the commission waits for a person, the sale never does.

use qutab::domain::settings::{SelfReferral, Settings, SignalRules};
use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::{Value, json};

async fn buy(w: &World, affiliate: &Affiliate, email: &str) -> Value {
    let body = json!({ "name": "Pembeli Aneh", "email": email, "phone": "081255550000", "password": PASSWORD });
    w.post("/api/auth/register", "", body).await.ok();
    let login = w.post("/api/auth/login", "", json!({ "email": email, "password": PASSWORD })).await.ok();
    let click = w.click(&affiliate.code).await;
    let order = w.order(login["access_token"].as_str().unwrap(), "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    order
}

async fn held(w: &World) -> Vec<(String, Value)> {
    let list = w.get("/api/admin/signals", &w.admin("viewer").await).await.ok();
    list["items"].as_array().unwrap().iter().map(|c| (c["id"].as_str().unwrap().to_owned(), c["signals"].clone())).collect()
}

async fn decide(w: &World, order: &Value, what: &str) -> u16 {
    let path = format!("/api/admin/signals/{}/{what}", order["id"].as_str().unwrap());
    w.post(&path, &w.admin("finance").await, json!({ "reason": "sudah ditelepon" })).await.status
}

async fn set(w: &World, settings: Settings) {
    w.shop.app.store.append(&settings).await.unwrap();
}

#[tokio::test]
async fn a_disposable_address_holds_the_commission_until_a_person_releases_it() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let order = buy(&w, &affiliate, "x@mailinator.com").await;
    assert_eq!(held(&w).await, [(order["id"].as_str().unwrap().to_owned(), json!(["disposable_mail"]))]);
    assert_eq!(w.balance(&affiliate).await.0, 137_500, "earned, and pending");
    let seen = w.get("/api/affiliate/commissions?status=held", &affiliate.token).await.ok();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.pass_days(31);
    assert_eq!(w.mature().await, 0, "what is held does not mature");
    assert_eq!(
        w.post(&format!("/api/admin/signals/{}/release", order["id"].as_str().unwrap()), &w.admin("viewer").await, json!({ "reason": "x" }))
            .await
            .status,
        403
    );
    assert_eq!((decide(&w, &order, "release").await, decide(&w, &order, "release").await), (200, 200), "twice is once");
    assert!(held(&w).await.is_empty());
    assert_eq!((w.mature().await, decide(&w, &order, "void").await), (1, 409), "decided");
    assert!(w.items().iter().any(|i| i["kind"]["S"] == "audit" && i["action"]["S"] == "commission.decide"), "recorded");
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_held_commission_can_be_taken_back_and_the_sale_stands() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let order = buy(&w, &affiliate, "x@yopmail.com").await;
    assert_eq!((decide(&w, &order, "void").await, decide(&w, &order, "void").await), (200, 200));
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0));
    assert_eq!(decide(&w, &order, "release").await, 409, "a void is never undone");
    let seen = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &w.admin("viewer").await).await.ok();
    assert_eq!(seen["status"], "paid");
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0), "nothing is taken twice");
    w.check_ledgers().await;
}

#[tokio::test]
async fn every_sign_is_seen() {
    let w = World::new().await;
    set(
        &w,
        Settings { signals: SignalRules { orders_of_one_visitor: 3, flood_clicks: 40 }, self_referral: SelfReferral::Allow, ..Settings::default() },
    )
    .await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    for n in 0..2 {
        buy(&w, &rina, &format!("a{n}@example.com")).await;
    }
    assert!(held(&w).await.is_empty());
    buy(&w, &rina, "a2@example.com").await;
    assert_eq!(held(&w).await.pop().unwrap().1, json!(["many_from_one_visitor"]));
    // A buyer who is the affiliate, where the policy lets that earn.
    w.pass_days(1);
    buy(&w, &tono, "tono+1@promo.example.com").await;
    assert_eq!(held(&w).await.pop().unwrap().1, json!(["self_referral"]));
    w.pass_days(1);
    for _ in 0..45 {
        w.click(&tono.code).await;
    }
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
    buy(&w, &tono, "b@example.com").await;
    assert_eq!(held(&w).await.pop().unwrap().1, json!(["click_flood"]));
    w.pass_days(1);
    let (rina, tono) = (w.affiliate_again(&rina).await, w.affiliate_again(&tono).await);
    w.verify_bank(&rina).await;
    w.verify_bank(&tono).await;
    buy(&w, &tono, "c@example.com").await;
    assert_eq!(held(&w).await.pop().unwrap().1, json!(["shared_bank_account"]), "the second one with the same account");
    w.pass_days(1);
    let order = {
        let buyer = w.customer("siti").await;
        let click = w.click(&rina.code).await;
        w.order(&buyer, "domba-garut", Some(&click)).await
    };
    w.post(&format!("/api/admin/affiliates/{}/suspend", rina.id), &w.admin("ops").await, json!({ "reason": "klik palsu" })).await.ok();
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(held(&w).await.pop().unwrap().1, json!(["suspended"]), "suspended between order and payment");
    w.check_ledgers().await;
}

/// Whether the next sale of `affiliate` to this buyer is somebody's.
async fn is_attributed(w: &World, affiliate: &Affiliate, buyer: &str) -> bool {
    let click = w.click(&affiliate.code).await;
    let order = w.order(buyer, "kambing-standar", Some(&click)).await;
    let seen = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &w.admin("viewer").await).await.ok();
    assert_eq!(seen["affiliate_id"].is_null(), seen["flag"] == "self_referral", "{seen}");
    w.post(&format!("/api/orders/{}/cancel", order["id"].as_str().unwrap()), buyer, json!({})).await.ok();
    seen["affiliate_id"].is_string()
}

#[tokio::test]
async fn a_second_self_is_recognised_under_another_spelling_and_by_numbers_of_the_past() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.verify_bank(&affiliate).await;
    let buyer = w.customer("budi").await;
    let change = async |token: &str, path: &str, body: Value| w.send("PATCH", path, Some(token), &[], Some(body)).await.ok();
    // The account holder is "Promotor Handal".
    let spellings =
        ["promotor  HANDAL", "Pr\u{43e}motor Handal", "Prom\u{3bf}tor Handal", "\u{ff30}romotor Handal", "Pr\u{f3}motor-Handal", "Prom0tor Handal"];
    for name in spellings {
        change(&buyer, "/api/profile", json!({ "name": name })).await;
        assert!(!is_attributed(&w, &affiliate, &buyer).await, "{name}");
    }
    change(&buyer, "/api/profile", json!({ "name": "Budi Santoso" })).await;
    assert!(is_attributed(&w, &affiliate, &buyer).await, "somebody else");
    let number = w.get("/api/affiliate/profile", &affiliate.token).await.ok()["whatsapp"].clone();
    change(&buyer, "/api/profile", json!({ "phone": number })).await;
    assert!(!is_attributed(&w, &affiliate, &buyer).await, "the same number");
    change(&buyer, "/api/profile", json!({ "phone": "081299990001" })).await;
    assert!(!is_attributed(&w, &affiliate, &buyer).await, "changed for a minute");
    let other = w.customer("siti").await;
    let hers = w.get("/api/profile", &other).await.ok()["phone"].clone();
    change(&affiliate.token, "/api/affiliate/profile", json!({ "whatsapp": hers })).await;
    change(&affiliate.token, "/api/affiliate/profile", json!({ "whatsapp": number })).await;
    assert!(!is_attributed(&w, &affiliate, &other).await, "a number that the affiliate had before");
}

#[tokio::test]
async fn an_affiliate_is_told_why_an_order_of_their_own_earns_nothing() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let number = w.get("/api/affiliate/profile", &affiliate.token).await.ok()["whatsapp"].clone();
    w.send("PATCH", "/api/profile", Some(&buyer), &[], Some(json!({ "phone": number }))).await.ok();
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    let leads = w.get("/api/affiliate/referrals", &affiliate.token).await.ok();
    let lead = &leads["items"][0];
    assert_eq!(
        (lead["flag"].as_str(), lead["status"].as_str(), lead["commission"].is_null()),
        (Some("self_referral"), Some("void"), true),
        "{leads}"
    );
    assert!(!lead["customer"].as_str().unwrap().contains("budi"), "masked as every name");
    assert_eq!(w.balance(&affiliate).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_rivals_clicks_hold_nobodys_sale() {
    let w = World::new().await;
    set(&w, Settings { signals: SignalRules { orders_of_one_visitor: 100, flood_clicks: 40 }, ..Settings::default() }).await;
    let rina = w.affiliate("rina").await;
    for _ in 0..60 {
        w.send_at("198.51.100.66", "GET", &format!("/r/{}", rina.code), "", &[], Value::Null).await;
    }
    let count = async || {
        let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
        qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
    };
    count().await;
    buy(&w, &rina, "jujur@example.com").await;
    assert!(held(&w).await.is_empty(), "whoever clicked sixty times bought nothing");
    for _ in 0..45 {
        w.click(&rina.code).await;
    }
    w.pass_seconds(300);
    count().await;
    let order = buy(&w, &rina, "banjir@example.com").await;
    assert_eq!(held(&w).await, [(order["id"].as_str().unwrap().to_owned(), json!(["click_flood"]))], "a flood of the buyer's own");
}
