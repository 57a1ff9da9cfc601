//! A customer's own data: read, changed, and erased.

use qutab_tests::{PASSWORD, World};
use serde_json::{Value, json};

async fn change(w: &World, token: &str, body: Value) -> qutab_tests::Answer {
    w.send("PATCH", "/api/profile", Some(token), &[], Some(body)).await
}

async fn delete(w: &World, token: &str, password: &str) -> qutab_tests::Answer {
    w.send("DELETE", "/api/profile", Some(token), &[], Some(json!({ "current_password": password }))).await
}

#[tokio::test]
async fn a_profile_is_read_and_changed() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let before = w.get("/api/profile", &buyer).await;
    assert_eq!(before.headers["cache-control"], "no-store");
    assert_eq!((before.body["name"].as_str(), before.body["language"].as_str()), (Some("Pembeli budi"), Some("id")));
    let body = json!({ "name": "Budi Santoso", "phone": "8123 4567 890", "address": "Jalan Melati 5, Bandung", "language": "en" });
    let after = change(&w, &buyer, body).await.ok();
    assert_eq!(after, w.get("/api/profile", &buyer).await.ok());
    assert_eq!((after["name"].as_str(), after["phone"].as_str()), (Some("Budi Santoso"), Some("+6281234567890")));
    assert_eq!((after["address"].as_str(), after["language"].as_str()), (Some("Jalan Melati 5, Bandung"), Some("en")));
    assert_eq!(change(&w, &buyer, json!({ "language": "id" })).await.ok()["name"], "Budi Santoso", "what is not named stays");
    let wrong = change(&w, &buyer, json!({ "name": "", "phone": "1", "language": "fr" })).await;
    assert_eq!((wrong.status, wrong.body["errors"].as_array().unwrap().len()), (422, 3));
    let mail = change(&w, &buyer, json!({ "email": "lain@example.com" })).await.ok();
    assert_eq!(mail["email"], "budi@example.com", "the address is not changed by the way");
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_and_other_devices_are_logged_out() {
    let w = World::new().await;
    let (phone, laptop) = (w.customer("budi").await, w.customer_again("budi").await);
    let put = async |old: &str, new: &str| {
        w.send("PUT", "/api/profile/password", Some(&laptop), &[], Some(json!({ "current_password": old, "new_password": new }))).await
    };
    let wrong = put("bukan yang lama", "kata sandi baru").await;
    assert_eq!((wrong.status, wrong.body["errors"][0]["code"].as_str()), (422, Some("wrong_password")));
    assert_eq!(put(PASSWORD, "pendek").await.body["errors"][0]["field"], "new_password");
    assert_eq!(put(PASSWORD, "kata sandi baru").await.status, 204);
    assert_eq!(w.get("/api/profile", &phone).await.status, 401);
    assert_eq!(w.get("/api/profile", &laptop).await.status, 200);
    let login = async |password: &str| w.post("/api/auth/login", "", json!({ "email": "budi@example.com", "password": password })).await.status;
    assert_eq!((login(PASSWORD).await, login("kata sandi baru").await), (401, 200));
    w.drain().await;
    assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject == "Kata sandi Anda telah diubah"));
}

#[tokio::test]
async fn an_account_is_deleted_and_the_person_is_gone_but_the_money_stays() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409, "an order is open");
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409, "and is not delivered yet");
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.drain().await;
    assert_eq!(delete(&w, &buyer, "bukan ini").await.status, 422);
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 204);
    assert_eq!(w.get("/api/profile", &buyer).await.status, 401);
    let login = w.post("/api/auth/login", "", json!({ "email": "budi@example.com", "password": PASSWORD })).await;
    assert_eq!(login.code(), "wrong_credentials");
    let left: String = w.items().iter().map(ToString::to_string).collect();
    for person in ["Pembeli budi", "budi@example.com", "Ahmad", "Umar", "Masjid Al Hikmah"] {
        assert!(!left.contains(person), "{person} is still in the table");
    }
    let viewer = w.admin("viewer").await;
    let kept = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &viewer).await.ok();
    assert_eq!((kept["status"].as_str(), kept["total"].as_i64()), (Some("completed"), Some(3_250_000)));
    w.customer("budi").await;
}

#[tokio::test]
async fn money_that_is_owed_keeps_the_account() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409);
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 204);
}

#[tokio::test]
async fn money_that_paid_nothing_and_has_not_gone_back_keeps_the_account() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let notice = w.wire.zendit.pay(&invoice, "EWALLET", Some(3_000_000)).unwrap();
    w.webhook(&notice).await;
    w.drain().await;
    w.pass_days(2);
    w.expire().await;
    w.drain().await;
    let buyer = w.customer_again("budi").await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409, "of another amount than asked: it is owed to somebody");
    let path = format!("/api/admin/orders/{}/receipts/{invoice}/refund", order["id"].as_str().unwrap());
    w.post(&path, &w.admin("finance").await, json!({})).await.ok();
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409, "on its way");
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 204);
}

#[tokio::test]
async fn a_deletion_that_is_refused_changes_nothing() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    for _ in 0..5 {
        w.order(&buyer, "kambing-standar", None).await;
    }
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409);
    let sixth = w.post("/api/orders", &buyer, World::order_body("kambing-standar", 1, None)).await;
    let wait: i64 = sixth.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(sixth.status == 429 && wait > 80_000, "no limit is shortened by it: {wait}");
    let orders = w.get("/api/orders", &buyer).await.ok();
    let path = format!("/api/orders/{}/cancel", orders["items"][0]["id"].as_str().unwrap());
    w.post(&path, &buyer, json!({})).await.ok();
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409);
    assert_eq!(w.order(&buyer, "kambing-standar", None).await["status"], "pending", "and ordering goes on at once");
}

/// An order that is paid waits for nothing, and an index may not show it yet: the account itself still names it.
#[tokio::test]
async fn no_account_goes_while_the_index_does_not_show_its_paid_order() {
    let w = World::lagging().await;
    let buyer = w.customer("budi").await;
    w.wire.replica.as_ref().unwrap().lag(1_000);
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.get("/api/orders", &buyer).await.ok()["items"], json!([]), "the index is behind");
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409);
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(w.get(&path, &buyer).await.ok()["status"], "paid");
}

/// The order is written after the account was found to have none, and before it is removed; and the other way round.
#[tokio::test]
async fn no_order_is_of_an_account_that_is_being_deleted() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let (other, token) = (w.clone(), buyer.clone());
    w.between("TransactWriteItems", "LOGIN#customer", async move {
        other.order(&token, "domba-garut", None).await;
    });
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 409);
    let orders = w.get("/api/orders", &buyer).await.ok();
    w.post(&format!("/api/orders/{}/cancel", orders["items"][0]["id"].as_str().unwrap()), &buyer, json!({})).await.ok();
    let (other, token) = (w.clone(), buyer.clone());
    w.between("TransactWriteItems", "order_number", async move {
        assert_eq!(delete(&other, &token, PASSWORD).await.status, 204);
    });
    let placed = w.post("/api/orders", &buyer, World::order_body("domba-garut", 1, None)).await;
    assert_eq!((placed.status, w.stock("domba-garut").await), (401, 60), "{}", placed.body);
}

#[tokio::test]
async fn what_people_wrote_about_an_order_goes_with_the_account_and_of_the_place_the_region_stays() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("domba-garut", 1, None);
    body["recipient"]["location"] = json!("Jalan Melati 5, Lombok Timur");
    let order = w.post("/api/orders", &buyer, body).await.ok();
    let path = format!("/api/admin/orders/{}", order["id"].as_str().unwrap());
    w.pay(&order).await;
    w.drain().await;
    let (ops, finance) = (w.admin("ops").await, w.admin("finance").await);
    w.post(&format!("{path}/status"), &ops, json!({ "to": "processing", "note": "Untuk Haji Sulaiman" })).await.ok();
    let adjust = json!({ "kind": "adjust", "amount": 100_000, "reason": "Kambing Haji Sulaiman lebih kecil" });
    w.post_once(&format!("{path}/refund"), &finance, adjust).await.ok();
    w.advance(order["id"].as_str().unwrap(), &["distributed", "completed"]).await;
    w.drain().await;
    for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(delete(&w, &buyer, PASSWORD).await.status, 204);
    let kept: Vec<String> =
        w.items().iter().filter(|i| matches!(i["kind"]["S"].as_str(), Some("order" | "refund"))).map(ToString::to_string).collect();
    assert_eq!(kept.len(), 2);
    for written in ["Sulaiman", "Melati"] {
        assert!(!kept.concat().contains(written), "{written} is still on the order");
    }
    assert!(kept.concat().contains("Lombok Timur"), "for the report by region");
}
