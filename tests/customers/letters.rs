//! What customers are told by mail: every cause once, in their language, in both forms, escaped.

use qutab_local::wire::Service;
use qutab_tests::{PASSWORD, World};
use serde_json::{Value, json};

async fn register(w: &World, name: &str, language: &str) -> String {
    let body = json!({ "name": name, "email": "budi@example.com", "phone": "081234567890", "password": PASSWORD, "language": language });
    w.post("/api/auth/register", "", body).await.ok();
    w.customer_again("budi").await
}

async fn pay_and_refund(w: &World, buyer: &str) -> Value {
    let order = w.order(buyer, "domba-garut", None).await;
    w.drain().await;
    w.pay(&order).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    w.drain().await;
    order
}

#[tokio::test]
async fn every_step_is_told_once_in_bahasa_indonesia() {
    let w = World::new().await;
    let buyer = register(&w, "Budi Santoso", "id").await;
    let order = pay_and_refund(&w, &buyer).await;
    let mails = w.mails_to("budi@example.com");
    let subjects: Vec<&str> = mails.iter().map(|m| m.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "Selamat datang di Qurban Tanpa Batas",
            "Pesanan qurban Anda menunggu pembayaran",
            "Pembayaran qurban Anda telah kami terima",
            "Pengembalian dana pesanan Anda",
        ]
    );
    for mail in &mails[1..] {
        for part in [&mail.text, &mail.html] {
            assert!(part.contains(order["number"].as_str().unwrap()) && part.contains("Budi Santoso"), "{part}");
        }
    }
    assert!(mails[1].text.contains(order["payment_url"].as_str().unwrap()), "the way to pay");
    assert!(mails[2].text.contains("Rp3.250.000") && mails[2].html.contains("lang=\"id\""));
}

#[tokio::test]
async fn whoever_reads_english_gets_english() {
    let w = World::new().await;
    let buyer = register(&w, "Ann Smith", "en").await;
    pay_and_refund(&w, &buyer).await;
    let subjects: Vec<String> = w.mails_to("budi@example.com").into_iter().map(|m| m.subject).collect();
    assert_eq!(
        subjects,
        ["Welcome to Qurban Tanpa Batas", "Your qurban order awaits payment", "We have received your qurban payment", "The refund of your order"]
    );
}

#[tokio::test]
async fn a_name_with_markup_is_only_a_name() {
    let w = World::new().await;
    let buyer = register(&w, "<img src=x onerror=alert(1)>", "id").await;
    pay_and_refund(&w, &buyer).await;
    for mail in w.mails_to("budi@example.com") {
        assert!(!mail.html.contains("<img") && mail.html.contains("&#60;img") || mail.html.contains("&lt;img"), "{}", mail.html);
        assert!(mail.text.contains("<img src=x"));
    }
}

#[tokio::test]
async fn a_mail_service_that_is_down_delays_letters_and_loses_none() {
    let w = World::new().await;
    let buyer = register(&w, "Budi Santoso", "id").await;
    w.drain().await;
    w.wire.take_down(Service::Mail, true);
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    for _ in 0..40 {
        w.work_once().await;
    }
    assert_eq!(w.mails_to("budi@example.com").len(), 1, "only what was sent before");
    assert_eq!(w.get(&format!("/api/orders/{}", order["id"].as_str().unwrap()), &buyer).await.ok()["status"], "paid");
    w.wire.take_down(Service::Mail, false);
    for _ in 0..4 {
        w.pass_seconds(3_600);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.drain().await;
    }
    let subjects: Vec<String> = w.mails_to("budi@example.com").into_iter().skip(1).map(|m| m.subject).collect();
    assert_eq!(subjects, ["Pembayaran qurban Anda telah kami terima"], "once; the link to pay has lost its point meanwhile");
}

#[tokio::test]
async fn a_paid_payout_is_told_with_its_reference() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = register(&w, "Budi Santoso", "id").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
    qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.unwrap();
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-778899" })).await.ok();
    w.drain().await;
    let mail = w.mails_to(&affiliate.email).pop().unwrap();
    assert_eq!(mail.subject, "Pencairan komisi Anda telah ditransfer");
    assert!(mail.text.contains("BCA-778899") && mail.text.contains("Rp1.250.000") && mail.text.contains("******7890"), "{}", mail.text);
    assert!(!mail.text.contains("1234567890"), "the number is masked");
}

#[tokio::test]
async fn nobody_is_told_that_an_order_was_closed_once_it_is_paid() {
    let w = World::new().await;
    let buyer = register(&w, "Budi Santoso", "id").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    w.wire.take_down(Service::Mail, true);
    w.pass_days(2);
    assert_eq!(w.expire().await, 1);
    w.work_once().await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap();
    w.webhook(&w.wire.zendit.pay(invoice, "EWALLET", None).unwrap()).await;
    w.work_once().await;
    w.wire.take_down(Service::Mail, false);
    for _ in 0..3 {
        w.pass_seconds(700);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.drain().await;
    }
    let subjects: Vec<String> = w.mails_to("budi@example.com").into_iter().map(|m| m.subject).collect();
    let told = |part: &str| subjects.iter().filter(|s| s.contains(part)).count();
    assert_eq!((told("telah lewat"), told("telah kami terima")), (0, 1), "{subjects:?}");
}

#[tokio::test]
async fn a_schedule_that_runs_as_of_a_later_day_owes_its_mails_from_now_on() {
    let w = World::new().await;
    let buyer = register(&w, "Budi Santoso", "id").await;
    w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    let later = w.now().plus_days(2);
    assert_eq!(qutab::app::release_order::expire_unpaid(&w.shop, later).await.unwrap().expired, 1);
    w.drain().await;
    assert!(w.mails_to("budi@example.com").iter().any(|m| m.subject.contains("telah lewat")), "at once, by today's clock");
}

#[tokio::test]
async fn a_rejection_is_not_told_to_somebody_who_has_applied_again_since() {
    let w = World::new().await;
    let body = json!({ "first_name": "Rina", "last_name": "Wulandari", "email": "rina@promo.example.com", "password": PASSWORD,
        "whatsapp": "081377700011", "city": "Bandung", "primary_platform": "tiktok", "social": { "tiktok": "https://www.tiktok.com/@rina" },
        "reason": "Ingin mengajak pengikut saya berkurban" });
    w.post("/api/affiliate/auth/register", "", body.clone()).await.ok();
    w.drain().await;
    let login = w.post("/api/affiliate/auth/login", "", json!({ "email": "rina@promo.example.com", "password": PASSWORD })).await.ok();
    let token = login["access_token"].as_str().unwrap();
    let id = w.get("/api/affiliate/status", token).await.ok()["affiliate_id"].as_str().unwrap().to_owned();
    w.wire.take_down(Service::Mail, true);
    let ops = w.admin("ops").await;
    w.post(&format!("/api/admin/applications/{id}/reject"), &ops, json!({ "reason": "Profil kosong" })).await.ok();
    w.work_once().await;
    let mut again = body;
    again.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "email" | "password"));
    w.send("PUT", "/api/affiliate/application", Some(token), &[], Some(again)).await.ok();
    w.wire.take_down(Service::Mail, false);
    for _ in 0..3 {
        w.pass_seconds(700);
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.drain().await;
    }
    let mails = w.mails_to("rina@promo.example.com");
    let rejections =
        mails.iter().filter(|m| m.text.contains("belum dapat") || m.text.contains("Profil kosong") || m.subject.contains("belum")).count();
    assert_eq!(rejections, 0, "{:?}", mails.iter().map(|m| &m.subject).collect::<Vec<_>>());
}
