//! What customers change, cut at every request.

use super::every_cut;
use qutab_tests::World;
use serde_json::{Value, json};

#[tokio::test]
async fn registering() {
    let body = || json!({ "name": "Budi Santoso", "email": "budi@example.com", "phone": "081234567890", "password": qutab_tests::PASSWORD });
    every_cut(
        async |_: &World| (),
        async |w: &World, (): &()| w.post("/api/auth/register", "", body()).await.status == 202,
        async |w: &World, (): &()| {
            w.drain().await;
            w.customer_again("budi").await;
            assert_eq!(w.items().iter().filter(|i| i["kind"]["S"] == "customer").count(), 1);
            assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject == "Selamat datang di Qurban Tanpa Batas"));
        },
    )
    .await;
}

#[tokio::test]
async fn resetting_a_password() {
    every_cut(
        async |w: &World| {
            w.customer("budi").await;
            w.post("/api/auth/forgot-password", "", json!({ "email": "budi@example.com" })).await.ok();
            w.drain().await;
            w.mailed_token("budi@example.com", "reset-password")
        },
        async |w: &World, token: &String| {
            let answer = w.post("/api/auth/reset-password", "", json!({ "token": token, "password": "kata sandi baru" })).await;
            // A repeat finds the link used up: the password is set.
            answer.status == 204 || answer.code() == "link_refused"
        },
        async |w: &World, _: &String| {
            let login = json!({ "email": "budi@example.com", "password": "kata sandi baru" });
            assert_eq!(w.post("/api/auth/login", "", login).await.status, 200);
            w.drain().await;
            assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject == "Kata sandi Anda telah diubah"));
        },
    )
    .await;
}

#[tokio::test]
async fn changing_names() {
    every_cut(
        async |w: &World| {
            let buyer = w.customer("budi").await;
            let order = w.order(&buyer, "kambing-standar", None).await;
            (buyer, order)
        },
        async |w: &World, (buyer, order): &(String, Value)| {
            let body = json!({ "items": [{ "product_id": order["items"][0]["product_id"], "shohibul": [{ "name": "Zainab" }] }] });
            w.send("PATCH", &format!("/api/orders/{}/names", order["id"].as_str().unwrap()), Some(buyer), &[], Some(body)).await.status == 200
        },
        async |w: &World, (buyer, order): &(String, Value)| {
            let seen = w.get(&format!("/api/orders/{}", order["id"].as_str().unwrap()), buyer).await.ok();
            assert_eq!(seen["items"][0]["shohibul"], json!([{ "name": "Zainab" }]));
        },
    )
    .await;
}

#[tokio::test]
async fn deleting_an_account() {
    every_cut(
        async |w: &World| {
            let buyer = w.customer("budi").await;
            let order = w.order(&buyer, "kambing-standar", None).await;
            w.pay(&order).await;
            w.drain().await;
            w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
            w.drain().await;
            buyer
        },
        async |w: &World, buyer: &String| {
            let body = json!({ "current_password": qutab_tests::PASSWORD });
            matches!(w.send("DELETE", "/api/profile", Some(buyer), &[], Some(body)).await.status, 204 | 401)
        },
        async |w: &World, _: &String| {
            let left: String = w.items().iter().map(ToString::to_string).collect();
            assert!(!left.contains("budi@example.com") && !left.contains("Pembeli budi") && !left.contains("Umar"));
        },
    )
    .await;
}

#[tokio::test]
async fn cancelling_an_order_with_a_coupon() {
    every_cut(
        async |w: &World| {
            w.coupon("SEKALI", 5, Some(1)).await;
            let buyer = w.customer("budi").await;
            let mut body = World::order_body("kambing-standar", 1, None);
            body["coupon"] = json!("SEKALI");
            (buyer.clone(), w.post("/api/orders", &buyer, body).await.ok())
        },
        async |w: &World, (buyer, order): &(String, Value)| {
            let answer = w.post(&format!("/api/orders/{}/cancel", order["id"].as_str().unwrap()), buyer, json!({})).await;
            matches!(answer.status, 200 | 409)
        },
        async |w: &World, _: &(String, Value)| {
            assert_eq!((w.coupon_used("SEKALI"), w.stock("kambing-standar").await), (0, 200));
        },
    )
    .await;
}

#[tokio::test]
async fn proving_an_address() {
    every_cut(
        async |w: &World| {
            let buyer = w.newcomer("budi").await;
            w.drain().await;
            (buyer, w.mailed_token("budi@example.com", "verify-email"))
        },
        async |w: &World, (_, token): &(String, String)| {
            let answer = w.post("/api/auth/verify-email", "", json!({ "token": token })).await;
            answer.status == 204 || answer.code() == "link_refused"
        },
        async |w: &World, (buyer, _): &(String, String)| assert_eq!(w.get("/api/profile", buyer).await.ok()["email_verified"], true),
    )
    .await;
}

#[tokio::test]
async fn changing_a_profile_and_its_password() {
    every_cut(
        async |w: &World| w.customer("budi").await,
        async |w: &World, buyer: &String| {
            let change = json!({ "name": "Budi Baru", "language": "en" });
            let changed = w.send("PATCH", "/api/profile", Some(buyer), &[], Some(change)).await.status == 200;
            let put = json!({ "current_password": qutab_tests::PASSWORD, "new_password": "kata sandi baru" });
            let answer = w.send("PUT", "/api/profile/password", Some(buyer), &[], Some(put)).await;
            // A repeat finds the old password wrong: the new one is set.
            changed && (answer.status == 204 || answer.body["errors"][0]["code"] == "wrong_password")
        },
        async |w: &World, buyer: &String| {
            assert_eq!(w.get("/api/profile", buyer).await.ok()["name"], "Budi Baru");
            let login = json!({ "email": "budi@example.com", "password": "kata sandi baru" });
            assert_eq!(w.post("/api/auth/login", "", login).await.status, 200);
            w.drain().await;
            assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject == "Your password has been changed"));
        },
    )
    .await;
}

#[tokio::test]
async fn asking_for_another_link() {
    every_cut(
        async |w: &World| {
            let buyer = w.customer("budi").await;
            let order = w.order(&buyer, "kambing-standar", None).await;
            (buyer, order)
        },
        async |w: &World, (buyer, order): &(String, Value)| {
            w.post(&format!("/api/orders/{}/payments?new=1", order["id"].as_str().unwrap()), buyer, json!({})).await.status == 201
        },
        async |w: &World, (buyer, order): &(String, Value)| {
            let link = w.post(&format!("/api/orders/{}/payments", order["id"].as_str().unwrap()), buyer, json!({})).await.ok();
            let live = link["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            assert_eq!(w.wire.zendit.invoice(&live).unwrap().status, "PENDING");
            let first = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(w.wire.zendit.invoice(first).unwrap().status, "EXPIRED", "one live link");
        },
    )
    .await;
}
