//! What an affiliate promotes with: link, QR code, materials, coupons; and the leads that come of it.

use qutab::domain::{
    coupon::Coupon,
    ids::{AffiliateId, MaterialId, PictureId},
    material::{Material, MaterialKind},
    picture::Picture,
    text::Title,
};
use qutab_tests::World;
use serde_json::{Value, json};

#[tokio::test]
async fn a_link_can_be_copied_embedded_and_scanned() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let link = w.get("/api/affiliate/referral-link", &affiliate.token).await.ok();
    let url = link["url"].as_str().unwrap();
    assert_eq!(url, format!("https://api.shop.test/r/{}", affiliate.code));
    assert_eq!(link["embed_code"], format!("<a href=\"{url}\" rel=\"noopener\" target=\"_blank\">Qurban Tanpa Batas</a>"));
    let drawn = w.get("/api/affiliate/referral-link/qr", &affiliate.token).await;
    assert_eq!((drawn.status, drawn.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    let svg = String::from_utf8(drawn.bytes).unwrap();
    assert!(svg.contains("<svg") && svg.contains("</svg>") && svg.matches('h').count() > 100, "a drawing of many modules");
}

#[tokio::test]
async fn materials_are_listed_with_sizes_and_addresses() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let material = Material {
        id: MaterialId::named(&["spanduk"]),
        title: Title::parse("Spanduk Idul Adha").unwrap(),
        kind: MaterialKind::Banner,
        picture: Picture { id: PictureId::named(&["spanduk"]), width: 1200, height: 630 },
        created_at: w.now(),
    };
    w.shop.app.store.create(&material).await.unwrap();
    let seen = w.get("/api/affiliate/materials", &affiliate.token).await.ok();
    let banner = &seen["items"][0];
    assert_eq!((banner["title"].as_str(), banner["kind"].as_str()), (Some("Spanduk Idul Adha"), Some("banner")));
    assert_eq!(banner["sizes"][2]["width"], 1200);
    assert!(banner["sizes"][2]["url"].as_str().unwrap().starts_with("http://s3.local/media/pictures/pic_"));
}

#[tokio::test]
async fn own_coupons_are_listed_with_their_use_and_nobody_elses() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    w.put_coupon(Coupon { affiliate: AffiliateId::parse(&rina.id), limit: 2, ..w.plain_coupon("RINA10") }).await;
    w.put_coupon(Coupon { affiliate: AffiliateId::parse(&tono.id), ..w.plain_coupon("TONO10") }).await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("kambing-standar", 1, None);
    body["coupon"] = json!("RINA10");
    let order = w.post("/api/orders", &buyer, body).await.ok();
    w.pay(&order).await;
    w.drain().await;
    let seen = w.get("/api/affiliate/coupons", &rina.token).await.ok();
    let items = seen["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), items[0]["code"].as_str(), items[0]["used"].as_i64(), items[0]["active"].as_bool()),
        (1, Some("RINA10"), Some(1), Some(true))
    );
    assert_eq!(w.balance(&rina).await.0, 123_750, "the coupon's owner earns, without any click");
    w.pass_days(31);
    let rina = w.affiliate_again(&rina).await;
    assert_eq!(w.get("/api/affiliate/coupons", &rina.token).await.ok()["items"][0]["active"], false, "run out");
    assert_eq!(w.post("/api/admin/coupons", &rina.token, json!({ "code": "MILIKKU" })).await.status, 401, "an affiliate makes none");
}

#[tokio::test]
async fn leads_are_masked_and_show_what_became_of_them() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        w.pass_seconds(1);
        let click = w.click(&affiliate.code).await;
        orders.push(w.order(&buyer, "kambing-standar", Some(&click)).await);
    }
    let id = |n: usize| orders[n]["id"].as_str().unwrap().to_owned();
    w.post(&format!("/api/orders/{}/cancel", id(0)), &buyer, json!({})).await.ok();
    for order in &orders[2..] {
        w.pay(order).await;
    }
    w.drain().await;
    w.advance(&id(2), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
    qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.unwrap();
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
    let leads = async |query: &str| w.get(&format!("/api/affiliate/referrals{query}"), &affiliate.token).await.ok();
    let statuses = |page: &Value| page["items"].as_array().unwrap().iter().map(|l| l["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(statuses(&leads("").await), ["confirmed", "confirmed", "pending", "void"], "newest first");
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-1" })).await.ok();
    let all = leads("").await;
    assert_eq!(statuses(&all), ["confirmed", "paid", "pending", "void"], "the matured one is covered by the payout");
    assert_eq!((all["items"][0]["customer"].as_str(), all["items"][0]["items"].as_str()), (Some("Pem**** bu**"), Some("1 x Kambing Standar")));
    assert!(!all.to_string().contains("Pembeli") && !all.to_string().contains("budi@"), "{all}");
    let paid = w.get("/api/affiliate/commissions?status=paid", &affiliate.token).await.ok();
    assert_eq!((paid["items"].as_array().unwrap().len(), paid["items"][0]["items"].as_str()), (1, Some("1 x Kambing Standar")));
    for (status, count) in [("pending", 1), ("confirmed", 1), ("paid", 1), ("void", 1)] {
        assert_eq!(statuses(&leads(&format!("?status={status}")).await).len(), count, "{status}");
    }
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
    assert_eq!(leads("?status=void").await["totals"], json!({ "leads": 4, "sales": 2, "revenue": 5_500_000, "earned": 275_000 }), "of all of them");
    let first = leads("?limit=3").await;
    let rest = leads(&format!("?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((statuses(&first).len(), statuses(&rest)), (3, vec!["void".to_owned()]));
}
