//! What affiliates change and what is decided about them, cut at every request.

use super::{every_cut, matured};
use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::{Value, json};

fn application(reason: &str) -> Value {
    json!({ "first_name": "Rina", "last_name": "Promotor", "email": "rina@promo.example.com", "password": PASSWORD, "whatsapp": "081377700011",
        "city": "Bandung", "primary_platform": "instagram", "social": { "instagram": "https://instagram.com/rina" }, "reason": reason })
}

async fn token(w: &World) -> String {
    let login = json!({ "email": "rina@promo.example.com", "password": PASSWORD });
    w.post("/api/affiliate/auth/login", "", login).await.ok()["access_token"].as_str().unwrap().to_owned()
}

async fn applied(w: &World) -> (String, String) {
    w.post("/api/affiliate/auth/register", "", application("Ingin mengajak pengikut")).await.ok();
    let token = token(w).await;
    let id = w.get("/api/affiliate/status", &token).await.ok()["affiliate_id"].as_str().unwrap().to_owned();
    (id, token)
}

fn mails(w: &World, subject: &str) -> usize {
    w.mails_to("rina@promo.example.com").iter().filter(|m| m.subject == subject).count()
}

#[tokio::test]
async fn applying() {
    every_cut(
        async |_: &World| (),
        async |w: &World, (): &()| w.post("/api/affiliate/auth/register", "", application("Ingin mengajak pengikut")).await.status == 202,
        async |w: &World, (): &()| {
            w.drain().await;
            assert_eq!(w.items().iter().filter(|i| i["kind"]["S"] == "affiliate").count(), 1);
            assert!(mails(w, "Pendaftaran afiliasi Anda telah kami terima") >= 1);
            token(w).await;
        },
    )
    .await;
}

#[tokio::test]
async fn approving() {
    every_cut(
        async |w: &World| (applied(w).await, w.admin("ops").await),
        async |w: &World, ((id, _), ops): &((String, String), String)| {
            w.post(&format!("/api/admin/applications/{id}/approve"), ops, json!({})).await.status == 200
        },
        async |w: &World, ((_, token), _): &((String, String), String)| {
            w.drain().await;
            let status = w.get("/api/affiliate/status", token).await.ok();
            assert_eq!(status["status"], "approved");
            w.click(status["code"].as_str().unwrap()).await;
            let items = w.items();
            let of = |kind: &str| items.iter().filter(|i| i["kind"]["S"] == kind).count();
            assert_eq!((of("referral_code"), of("wallet")), (1, 1));
            assert!(mails(w, "Selamat, Anda telah menjadi afiliasi Qutab") >= 1);
        },
    )
    .await;
}

#[tokio::test]
async fn applying_again_after_a_rejection() {
    every_cut(
        async |w: &World| {
            let (id, token) = applied(w).await;
            let ops = w.admin("ops").await;
            w.post(&format!("/api/admin/applications/{id}/reject"), &ops, json!({ "reason": "Profil belum aktif" })).await.ok();
            token
        },
        async |w: &World, token: &String| {
            let answer = w.send("PUT", "/api/affiliate/application", Some(token), &[], Some(application("Profil saya sudah aktif"))).await;
            // A repeat finds the application pending again.
            matches!(answer.status, 200 | 409)
        },
        async |w: &World, token: &String| {
            let status = w.get("/api/affiliate/status", token).await.ok();
            assert_eq!((status["status"].as_str(), status["rejection_reason"].is_null()), (Some("pending"), true));
        },
    )
    .await;
}

#[tokio::test]
async fn changing_the_bank_account() {
    every_cut(
        async |w: &World| {
            let affiliate = matured(w).await;
            w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
            affiliate
        },
        async |w: &World, affiliate: &Affiliate| {
            let body = json!({ "bank_code": "009", "account_number": "1234567", "holder_name": "Rina Wulandari", "current_password": PASSWORD });
            w.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(body)).await.status == 200
        },
        async |w: &World, affiliate: &Affiliate| {
            w.drain().await;
            let seen = w.get("/api/affiliate/bank-account", &affiliate.token).await.ok();
            assert_eq!((seen["bank_name"].as_str(), seen["status"].as_str()), (Some("BNI"), Some("pending")));
            let why = w.get("/api/affiliate/payouts/eligibility", &affiliate.token).await.ok();
            assert!(why["reasons"].as_array().unwrap().contains(&json!("bank_not_verified")), "{why}");
            assert!(mails(w, "Rekening pencairan Anda telah diubah") >= 1);
        },
    )
    .await;
}
