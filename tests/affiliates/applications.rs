//! Application, review, login, profile.

use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};

const RINA: &str = "rina@promo.example.com";

fn application() -> Value {
    json!({ "first_name": "Rina", "last_name": "Wulandari", "email": RINA, "password": PASSWORD, "whatsapp": "0813 7770 0011", "city": "Bandung",
        "primary_platform": "tiktok", "social": { "tiktok": "https://www.tiktok.com/@rina.w?lang=id", "youtube": "youtube.com/@rinaw" },
        "reason": "Ingin mengajak pengikut saya berkurban" })
}

async fn apply(w: &World, body: Value) -> Answer {
    w.post("/api/affiliate/auth/register", "", body).await
}

async fn login(w: &World, password: &str) -> Answer {
    w.post("/api/affiliate/auth/login", "", json!({ "email": RINA, "password": password })).await
}

async fn token(w: &World) -> String {
    login(w, PASSWORD).await.ok()["access_token"].as_str().unwrap().to_owned()
}

async fn status(w: &World, token: &str) -> Value {
    w.get("/api/affiliate/status", token).await.ok()
}

#[tokio::test]
async fn an_application_waits_for_review_and_is_approved_with_a_code() {
    let w = World::new().await;
    assert_eq!(apply(&w, application()).await.status, 202);
    let token = token(&w).await;
    let before = status(&w, &token).await;
    assert_eq!((before["status"].as_str(), before["code"].is_null()), (Some("pending"), true));
    assert_eq!(w.get("/api/affiliate/referral-link", &token).await.status, 409, "not yet");
    let ops = w.admin("ops").await;
    let pending = w.get("/api/admin/applications?status=pending", &ops).await.ok();
    let listed = &pending["items"][0];
    assert_eq!((listed["first_name"].as_str(), listed["city"].as_str()), (Some("Rina"), Some("Bandung")));
    assert_eq!(listed["social"], json!({ "tiktok": "https://tiktok.com/@rina.w", "youtube": "https://youtube.com/@rinaw" }));
    let id = before["affiliate_id"].as_str().unwrap();
    w.post(&format!("/api/admin/applications/{id}/approve"), &ops, json!({})).await.ok();
    w.drain().await;
    let after = status(&w, &token).await;
    let code = after["code"].as_str().unwrap();
    assert_eq!((after["status"].as_str(), code.len()), (Some("approved"), 7));
    assert!(!code.contains(['0', 'O', '1', 'l', 'I', 'i', 'o', 'L']), "no look-alikes: {code}");
    let mails = w.mails_to(RINA);
    let subjects: Vec<&str> = mails.iter().map(|m| m.subject.as_str()).collect();
    assert_eq!(subjects, ["Pendaftaran afiliasi Anda telah kami terima", "Selamat, Anda telah menjadi afiliasi Qutab"]);
    assert!(mails[1].text.contains(code));
}

#[tokio::test]
async fn every_wrong_field_of_an_application_is_named_and_links_must_be_profiles() {
    let w = World::new().await;
    let empty = apply(&w, json!({})).await;
    assert_eq!((empty.status, empty.body["errors"].as_array().unwrap().len()), (422, 9), "{}", empty.body);
    for (platform, link) in
        [("tiktok", "https://tiktok.com/rina"), ("tiktok", "https://evil.test/@rina"), ("instagram", "https://instagram.com/p/abc")]
    {
        let mut body = application();
        body["social"] = json!({ platform: link });
        let refused = apply(&w, body).await;
        assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (422, Some("bad_profile_link")), "{link}");
    }
    let mut unlinked = application();
    unlinked["social"] = json!({ "youtube": "https://youtube.com/@rinaw" });
    assert_eq!(apply(&w, unlinked).await.body["errors"][0]["field"], "social", "the primary platform needs its link");
}

#[tokio::test]
async fn a_rejection_says_why_and_can_be_answered_by_another_application() {
    let w = World::new().await;
    apply(&w, application()).await.ok();
    let token = token(&w).await;
    let ops = w.admin("ops").await;
    let id = status(&w, &token).await["affiliate_id"].as_str().unwrap().to_owned();
    let again = async || w.send("PUT", "/api/affiliate/application", Some(&token), &[], Some(application())).await;
    assert_eq!(again().await.status, 409, "it is being reviewed");
    w.post(&format!("/api/admin/applications/{id}/reject"), &ops, json!({ "reason": "Akun terlalu baru" })).await.ok();
    w.drain().await;
    let seen = status(&w, &token).await;
    assert_eq!((seen["status"].as_str(), seen["rejection_reason"].as_str()), (Some("rejected"), Some("Akun terlalu baru")));
    assert!(w.mails_to(RINA).last().unwrap().text.contains("Akun terlalu baru"));
    let balance = w.get("/api/affiliate/balance", &token).await.ok();
    assert_eq!((balance["available"].as_i64(), balance["can_request_payout"].as_bool()), (Some(0), Some(false)), "no money without an approval");
    assert_eq!(again().await.ok()["status"], "pending");
    assert!(status(&w, &token).await["rejection_reason"].is_null());
    w.post(&format!("/api/admin/applications/{id}/approve"), &ops, json!({ "code": "RINA-2027" })).await.ok();
    assert_eq!(status(&w, &token).await["code"], "RINA-2027");
    assert_eq!(again().await.status, 409, "approved");
}

#[tokio::test]
async fn a_customer_and_an_affiliate_are_two_logins() {
    let w = World::new().await;
    apply(&w, application()).await.ok();
    let affiliate = token(&w).await;
    assert_eq!(w.post("/api/auth/login", "", json!({ "email": RINA, "password": PASSWORD })).await.status, 401);
    assert_eq!(w.get("/api/profile", &affiliate).await.status, 401);
    let customer = w.customer("budi").await;
    assert_eq!(w.get("/api/affiliate/status", &customer).await.status, 401);
    let shouted = json!({ "first_name": "Lain", "last_name": "Orang", "email": RINA.to_uppercase(), "password": "bukan-milik-rina" });
    let mut second = application();
    second.as_object_mut().unwrap().extend(shouted.as_object().unwrap().clone());
    assert_eq!(apply(&w, second).await.status, 202, "looks as ever");
    assert_eq!(login(&w, "bukan-milik-rina").await.status, 401, "and changes nothing");
    let out = w.post("/api/affiliate/auth/logout", &affiliate, json!({})).await;
    assert_eq!((out.status, w.get("/api/affiliate/status", &affiliate).await.status), (204, 401));
}

#[tokio::test]
async fn an_affiliates_forgotten_password_is_reset() {
    let w = World::new().await;
    apply(&w, application()).await.ok();
    let before = token(&w).await;
    w.post("/api/affiliate/auth/forgot-password", "", json!({ "email": RINA })).await.ok();
    w.drain().await;
    let link = w.mailed_token(RINA, "affiliate/reset-password");
    let body = json!({ "token": link, "password": "kata sandi baru" });
    assert_eq!(w.post("/api/auth/reset-password", "", body.clone()).await.code(), "link_refused", "another audience's");
    assert_eq!(w.post("/api/affiliate/auth/reset-password", "", body).await.status, 204);
    assert_eq!((login(&w, PASSWORD).await.status, login(&w, "kata sandi baru").await.status), (401, 200));
    assert_eq!(w.get("/api/affiliate/status", &before).await.status, 401);
}

#[tokio::test]
async fn a_profile_is_read_and_changed_and_its_password_too() {
    let w = World::new().await;
    apply(&w, application()).await.ok();
    let (phone, laptop) = (token(&w).await, token(&w).await);
    let change = async |body: Value| w.send("PATCH", "/api/affiliate/profile", Some(&laptop), &[], Some(body)).await;
    let body = json!({ "first_name": "Rina Ayu", "whatsapp": "081288887777", "social": { "instagram": "https://www.instagram.com/rina.ayu/" }, "language": "en" });
    let after = change(body).await.ok();
    assert_eq!(after, w.get("/api/affiliate/profile", &laptop).await.ok());
    assert_eq!((after["first_name"].as_str(), after["last_name"].as_str()), (Some("Rina Ayu"), Some("Wulandari")));
    assert_eq!((after["whatsapp"].as_str(), &after["social"]), (Some("+6281288887777"), &json!({ "instagram": "https://instagram.com/rina.ayu" })));
    assert_eq!(change(json!({ "whatsapp": "1", "social": { "instagram": "https://evil.test" } })).await.body["errors"].as_array().unwrap().len(), 2);
    for attempt in ["status", "commission", "balance"] {
        assert_eq!(change(json!({ attempt: "approved" })).await.status, 422, "{attempt} is decided by the server");
    }
    let put = json!({ "current_password": PASSWORD, "new_password": "kata sandi baru" });
    assert_eq!(w.send("PUT", "/api/affiliate/profile/password", Some(&laptop), &[], Some(put)).await.status, 204);
    assert_eq!((w.get("/api/affiliate/profile", &phone).await.status, w.get("/api/affiliate/profile", &laptop).await.status), (401, 200));
}
