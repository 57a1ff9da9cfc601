//! Applications, affiliates, bank accounts and identity cards, as staff look at them.

use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::{Value, json};

const PICTURE: &[u8] = include_bytes!("../../infra/local/pictures/domba-garut.jpg");

async fn apply(w: &World, name: &str, city: &str) -> String {
    let email = format!("{name}@promo.example.com");
    let body = json!({ "first_name": name, "last_name": "Wulandari", "email": email, "password": PASSWORD, "whatsapp": "081377700011",
        "city": city, "primary_platform": "tiktok", "social": { "tiktok": format!("https://www.tiktok.com/@{name}") },
        "reason": "Ingin mengajak pengikut saya berkurban" });
    w.post("/api/affiliate/auth/register", "", body).await.ok();
    let login = w.post("/api/affiliate/auth/login", "", json!({ "email": email, "password": PASSWORD })).await.ok();
    w.get("/api/affiliate/status", login["access_token"].as_str().unwrap()).await.ok()["affiliate_id"].as_str().unwrap().to_owned()
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|a| a["first_name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn applications_are_listed_searched_read_and_decided() {
    let w = World::new().await;
    let (viewer, ops) = (w.admin("viewer").await, w.admin("ops").await);
    let (rina, tono) = (apply(&w, "rina", "Bandung").await, apply(&w, "tono", "Malang").await);
    w.pass_seconds(1);
    apply(&w, "sari", "Bandung").await;
    let list = async |query: &str| w.get(&format!("/api/admin/applications{query}"), &viewer).await.ok();
    assert_eq!(list("").await["items"].as_array().unwrap().len(), 3);
    assert_eq!(names(&list("?q=bandung%20sari").await), ["sari"]);
    assert_eq!(list("?q=tiktok.com/@tono").await["items"][0]["city"], "Malang");
    let whole = w.get(&format!("/api/admin/applications/{rina}"), &viewer).await.ok();
    assert_eq!((whole["social"]["tiktok"].as_str(), whole["reason"].as_str().map(str::len)), (Some("https://tiktok.com/@rina"), Some(38)));
    let decide = async |id: &str, what: &str, body: Value| w.post(&format!("/api/admin/applications/{id}/{what}"), &ops, body).await;
    assert_eq!(decide(&tono, "reject", json!({})).await.body["errors"][0]["field"], "reason");
    assert_eq!(decide(&tono, "reject", json!({ "reason": "Profil kosong" })).await.ok()["rejection_reason"], "Profil kosong");
    assert_eq!(decide(&rina, "approve", json!({ "code": "x" })).await.status, 422);
    assert_eq!(decide(&rina, "approve", json!({ "code": "RINA-2026" })).await.ok()["code"], "RINA-2026");
    assert_eq!(decide(&rina, "approve", json!({})).await.ok()["code"], "RINA-2026", "approved is approved");
    assert_eq!(decide(&tono, "approve", json!({})).await.status, 409, "only what waits");
    assert_eq!((names(&list("?status=rejected").await), names(&list("").await)), (vec!["tono"], vec!["sari"]));
    assert_eq!(w.get("/api/admin/applications?status=lost", &viewer).await.status, 422);
}

#[tokio::test]
async fn an_affiliate_is_seen_whole_suspended_reinstated_recoded_and_given_a_rate() {
    let w = World::new().await;
    let (viewer, ops) = (w.admin("viewer").await, w.admin("ops").await);
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    w.verify_bank(&rina).await;
    w.verify_bank(&tono).await;
    let path = format!("/api/admin/affiliates/{}", tono.id);
    let seen = async || w.get(&path, &viewer).await.ok();
    let whole = seen().await;
    assert_eq!((whole["same_bank_account_as"].clone(), whole["bank_account"]["account_number"].as_str()), (json!([rina.id]), Some("******7890")));
    assert_eq!(names(&w.get("/api/admin/affiliates?q=tono", &viewer).await.ok()), ["tono"]);
    assert_eq!(w.post(&format!("{path}/suspend"), &ops, json!({})).await.status, 422, "why?");
    for _ in 0..2 {
        w.post(&format!("{path}/suspend"), &ops, json!({ "reason": "klik palsu" })).await.ok();
    }
    assert_eq!(seen().await["suspension_reason"], "klik palsu");
    assert!(w.get("/api/affiliate/payouts/eligibility", &tono.token).await.ok()["reasons"].as_array().unwrap().contains(&json!("not_approved")));
    w.post(&format!("{path}/reinstate"), &ops, json!({})).await.ok();
    assert_eq!(seen().await["status"], "approved");
    let code = async |code: &str| w.send("PUT", &format!("{path}/code"), Some(&ops), &[], Some(json!({ "code": code }))).await;
    assert_eq!(code(&rina.code).await.status, 409, "somebody else's");
    assert_eq!(code("TONO-QURBAN").await.ok()["code"], "TONO-QURBAN");
    assert_eq!(code(&tono.code).await.ok()["code"], json!(tono.code), "back to what was theirs");
    assert!(!w.click("tono-qurban").await.is_empty(), "and the other one works on");
    let rate = async |rule: Value| w.send("PUT", &format!("{path}/commission"), Some(&ops), &[], Some(json!({ "rule": rule }))).await;
    assert_eq!(rate(json!({ "kind": "percent", "rate": 10_001 })).await.status, 422);
    rate(json!({ "kind": "percent", "rate": 1_000 })).await.ok();
    let sell = async || {
        let buyer = w.customer_again("budi").await;
        let click = w.click(&tono.code).await;
        let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
        w.pay(&order).await;
        w.drain().await;
    };
    w.customer("budi").await;
    sell().await;
    assert_eq!(w.balance(&tono).await.0, 275_000, "ten percent");
    rate(Value::Null).await.ok();
    sell().await;
    assert_eq!(w.balance(&tono).await.0, 412_500, "five again");
}

async fn card(w: &World, affiliate: &Affiliate) {
    let body =
        json!({ "content_type": "image/jpeg", "bytes": PICTURE.len(), "nik": "3273014107900001", "consent": true, "consent_version": "ktp-2026-01" });
    let opened = w.post("/api/affiliate/bank-account/ktp", &affiliate.token, body).await.ok();
    let request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
    let request = request.header("content-length", PICTURE.len()).body(PICTURE.to_vec().into()).unwrap();
    assert_eq!(w.wire.files.answer(request).await.status(), 200);
    let path = format!("/api/affiliate/bank-account/ktp/{}/complete", opened["upload_id"].as_str().unwrap());
    w.post(&path, &affiliate.token, json!({})).await.ok();
    w.drain().await;
}

#[tokio::test]
async fn an_identity_card_is_shown_to_one_admin_once_and_it_is_noted() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let (finance, owner, ops) = (w.admin("finance").await, w.admin("owner").await, w.admin("ops").await);
    let path = format!("/api/admin/bank-accounts/{}/ktp", rina.id);
    assert_eq!(w.get(&path, &finance).await.status, 404, "there is none yet");
    card(&w, &rina).await;
    let seen = w.get(&format!("/api/admin/affiliates/{}", rina.id), &w.admin("viewer").await).await.ok();
    assert_eq!(seen["ktp"]["status"], "pending");
    assert_eq!(w.get(&path, &ops).await.status, 403);
    let shown = w.get(&path, &finance).await.ok();
    assert_eq!((shown["nik"].as_str(), shown["picture"]["expires_in"].as_i64()), (Some("3273014107900001"), Some(300)));
    let link = shown["picture"]["path"].as_str().unwrap();
    assert_eq!(w.get(link, &owner).await.status, 404, "another admin's link");
    let picture = w.get(link, &finance).await;
    assert_eq!((picture.status, picture.headers["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    assert!(picture.bytes.starts_with(b"\xff\xd8\xff") && picture.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(
        (picture.headers["cache-control"].to_str().unwrap(), picture.headers["x-content-type-options"].to_str().unwrap()),
        ("no-store", "nosniff")
    );
    assert_eq!(w.get(link, &finance).await.status, 404, "once");
    let late = w.get(&path, &finance).await.ok()["picture"]["path"].as_str().unwrap().to_owned();
    w.pass_seconds(301);
    assert_eq!(w.get(&late, &finance).await.status, 404, "too late");
    let audit: Vec<String> = w.items().iter().filter(|i| i["kind"]["S"] == "audit").map(|i| i["action"]["S"].as_str().unwrap().to_owned()).collect();
    assert_eq!((audit.iter().filter(|a| *a == "ktp.open").count(), audit.iter().filter(|a| *a == "ktp.read").count()), (2, 1));
}

#[tokio::test]
async fn bank_accounts_wait_in_a_queue_and_are_decided_as_they_were_seen() {
    let w = World::new().await;
    let (rina, finance) = (w.affiliate("rina").await, w.admin("finance").await);
    let save = async |number: &str| {
        let body = json!({ "bank_code": "014", "account_number": number, "holder_name": "Rina Wulandari", "current_password": PASSWORD });
        w.send("PUT", "/api/affiliate/bank-account", Some(&rina.token), &[], Some(body)).await.ok();
    };
    save("1234567890").await;
    card(&w, &rina).await;
    let queue = w.get("/api/admin/bank-accounts", &w.admin("viewer").await).await.ok();
    assert_eq!((queue["items"].as_array().unwrap().len(), queue["items"][0]["account_number"].as_str()), (1, Some("******7890")));
    let path = format!("/api/admin/bank-accounts/{}", rina.id);
    assert_eq!(w.get(&path, &w.admin("viewer").await).await.status, 403, "whole numbers are for who compares them");
    let seen = w.get(&path, &finance).await.ok();
    assert_eq!(seen["account_number"], "1234567890");
    save("9876543210").await;
    let verify = async |version: &Value| w.post(&format!("{path}/verify"), &finance, json!({ "version": version })).await;
    assert_eq!(verify(&seen["version"]).await.status, 409, "another account than the one that was seen");
    let reject = json!({ "version": 2, "reason": "Nama tidak sama" });
    assert_eq!(w.post(&format!("{path}/reject"), &finance, reject.clone()).await.ok()["status"], "rejected");
    assert_eq!(w.post(&format!("{path}/reject"), &finance, reject).await.status, 200, "twice is once");
    w.drain().await;
    assert!(w.mails_to(&rina.email).last().unwrap().text.contains("Nama tidak sama"));
    let own = w.get("/api/affiliate/bank-account", &rina.token).await.ok();
    assert_eq!((own["rejection_reason"].as_str(), own["ktp"]["status"].as_str()), (Some("Nama tidak sama"), Some("rejected")));
    assert_eq!(w.get("/api/admin/bank-accounts?status=rejected", &finance).await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_card_that_came_after_the_look_is_not_decided_on_unseen() {
    let w = World::new().await;
    let (rina, finance) = (w.affiliate("rina").await, w.admin("finance").await);
    let body = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Rina Wulandari", "current_password": PASSWORD });
    w.send("PUT", "/api/affiliate/bank-account", Some(&rina.token), &[], Some(body)).await.ok();
    let path = format!("/api/admin/bank-accounts/{}", rina.id);
    let look = async || w.get(&format!("{path}/ktp"), &finance).await.ok()["upload_id"].clone();
    let verify = async |card: &Value| w.post(&format!("{path}/verify"), &finance, json!({ "version": 1, "ktp_upload_id": card })).await;
    card(&w, &rina).await;
    let first = look().await;
    w.pass_seconds(60);
    card(&w, &rina).await;
    assert_eq!(verify(&first).await.status, 409);
    let second = look().await;
    assert_eq!(verify(&second).await.ok()["status"], "verified");
    let line = w.items().into_iter().find(|i| i["action"]["S"] == "bank_account.decide").unwrap();
    assert!(line["after"]["S"].as_str().unwrap().ends_with(&format!("version 1, card {}", second.as_str().unwrap())), "{line}");
}

#[tokio::test]
async fn a_rejected_account_is_looked_at_again_when_it_is_saved_again_and_a_verification_can_be_taken_back() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let body = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Promotor Handal", "current_password": PASSWORD });
    let save = async || w.send("PUT", "/api/affiliate/bank-account", Some(&rina.token), &[], Some(body.clone())).await.ok();
    save().await;
    let finance = w.admin("finance").await;
    let decide = async |what: &str, body: Value| w.post(&format!("/api/admin/bank-accounts/{}/{what}", rina.id), &finance, body).await;
    decide("reject", json!({ "version": 1, "reason": "KTP buram, kirim ulang" })).await.ok();
    let again = save().await;
    assert_eq!((again["status"].as_str(), again["rejection_reason"].is_null()), (Some("pending"), true));
    assert_eq!(decide("verify", json!({ "version": 1 })).await.status, 409, "the version that was rejected is not the one that waits");
    assert_eq!(decide("verify", json!({ "version": 2 })).await.ok()["status"], "verified");
    assert_eq!(save().await["status"], "verified", "saving a verified account again asks for nothing");
    w.drain().await;
    let mails = w.mails_to(&rina.email).len();
    assert_eq!(decide("reject", json!({ "version": 2, "reason": "ternyata milik orang lain" })).await.ok()["status"], "rejected");
    w.drain().await;
    let why = w.get("/api/affiliate/payouts/eligibility", &rina.token).await.ok()["reasons"].clone();
    assert!(why.as_array().unwrap().contains(&json!("bank_not_verified")), "no payout leaves to it: {why}");
    assert_eq!(w.mails_to(&rina.email).len(), mails + 1, "and its owner is told");
}
