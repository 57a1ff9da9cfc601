//! Staff against staff, and against the shop's own traffic.

use qutab_local::seed::product_id;
use qutab_tests::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_changes_of_the_same_settings_one_stands() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let mut changes = Vec::new();
    for days in 1..=10 {
        let (w, owner) = (w.clone(), owner.clone());
        let body = json!({ "version": 1, "hold_days": days });
        changes.push(tokio::spawn(async move { w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(body)).await.status }));
    }
    let mut statuses = Vec::new();
    for change in changes {
        statuses.push(change.await.unwrap());
    }
    assert_eq!((statuses.iter().filter(|s| **s == 200).count(), statuses.iter().filter(|s| **s == 409).count()), (1, 9), "{statuses:?}");
    assert_eq!(w.get("/api/admin/settings", &owner).await.ok()["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_is_taken_away_while_it_is_bought_and_never_below_zero() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let mut buyers = Vec::new();
    for name in ["budi", "sari", "dewi", "joko"] {
        buyers.push(w.customer(name).await);
    }
    let mut jobs = Vec::new();
    for n in 0..24 {
        let (w, buyer, ops) = (w.clone(), buyers[n / 2 % 4].clone(), ops.clone());
        jobs.push(tokio::spawn(async move {
            if n % 2 == 0 {
                let path = format!("/api/admin/products/{}/stock", product_id("sapi-limosin"));
                i64::from(w.post_once(&path, &ops, json!({ "units": -1 })).await.status == 200)
            } else {
                i64::from(w.post("/api/orders", &buyer, World::order_body("sapi-limosin", 1, None)).await.status == 201)
            }
        }));
    }
    let mut gone = 0;
    for job in jobs {
        gone += job.await.unwrap();
    }
    assert_eq!((gone, w.stock("sapi-limosin").await), (12, 0), "twelve units, each went once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_that_is_switched_off_under_way_counts_every_use() {
    let w = World::new().await;
    w.coupon("CEPAT", 100, None).await;
    let ops = w.admin("ops").await;
    let mut buyers = Vec::new();
    for n in 0..10 {
        buyers.push(w.customer(&format!("budi{n}")).await);
    }
    let mut jobs = Vec::new();
    for n in 0..20 {
        let (w, buyer, ops) = (w.clone(), buyers[n % 10].clone(), ops.clone());
        jobs.push(tokio::spawn(async move {
            if n == 10 {
                w.post("/api/admin/coupons/CEPAT/deactivate", &ops, json!({})).await.ok();
                return 0;
            }
            let mut body = World::order_body("kambing-standar", 1, None);
            body["coupon"] = json!("CEPAT");
            i64::from(w.post("/api/orders", &buyer, body).await.status == 201)
        }));
    }
    let mut used = 0;
    for job in jobs {
        used += job.await.unwrap();
    }
    assert_eq!(w.coupon_used("CEPAT"), used, "no use was written over");
    assert_eq!(w.get("/api/admin/coupons/CEPAT", &ops).await.ok()["active"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_a_card_opened_by_ten_at_once_shows_it_once() {
    use qutab::{
        domain::{ids::AdminId, ktp::DocumentLink},
        secrets::link::LinkToken,
    };
    let w = World::new().await;
    let finance = w.admin("finance").await;
    let me = w.get("/api/admin/auth/me", &finance).await.ok()["id"].as_str().unwrap().to_owned();
    let admin = AdminId::parse(&me).unwrap();
    let token = LinkToken::new(&me, &w.shop.app.entropy);
    let link =
        DocumentLink { secret_hash: token.hash(), admin, document: "ktp/x".into(), subject: "x".into(), expires_at: w.now().plus_seconds(300) };
    w.shop.app.store.create(&link).await.unwrap();
    let mut reads = Vec::new();
    for _ in 0..10 {
        let (w, finance, path) = (w.clone(), finance.clone(), format!("/api/admin/documents/{}", token.text()));
        reads.push(tokio::spawn(async move { w.get(&path, &finance).await.status }));
    }
    for read in reads {
        read.await.unwrap();
    }
    let noted = w.items().iter().filter(|i| i["kind"]["S"] == "audit" && i["action"]["S"] == "ktp.read").count();
    assert_eq!(noted, 1, "used up once");
}
