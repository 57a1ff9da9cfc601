//! Schedules by hand: first what they would do, then the run; and what is remembered of it.

use qutab_tests::World;
use serde_json::{Value, json};

async fn run(w: &World, name: &str, body: Value) -> qutab_tests::Answer {
    w.post(&format!("/api/admin/jobs/{name}/run"), &w.admin("finance").await, body).await
}

#[tokio::test]
async fn every_schedule_tells_what_it_would_do_and_does_it() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&rina.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.order(&buyer, "domba-garut", None).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.pass_days(31);
    let before = w.items().len();
    let dry = async |name: &str| run(&w, name, json!({})).await.ok()["report"].clone();
    assert_eq!((dry("maturation").await["commissions"].as_i64(), dry("maturation").await["amount"].as_i64()), (Some(1), Some(137_500)));
    assert_eq!(dry("payment-expiry").await["expired"], 1);
    assert_eq!(dry("reconciliation").await["wallets"], 1);
    assert_eq!(dry("click-archive").await["files"], 0);
    assert_eq!((dry("ktp-retention").await["removed"].as_i64(), dry("outbox-sweep").await["handed_on"].as_i64()), (Some(0), Some(0)));
    assert!(dry("aggregation").await["failed"] == 0);
    let written = w.items().iter().filter(|i| !matches!(i["kind"]["S"].as_str(), Some("session" | "throttle"))).count();
    assert!(written <= before, "a dry run writes nothing");
    for name in ["maturation", "payment-expiry", "reconciliation", "click-archive", "ktp-retention", "outbox-sweep", "aggregation"] {
        run(&w, name, json!({ "dry_run": false })).await.ok();
    }
    let rina = w.affiliate_again(&rina).await;
    assert_eq!(w.balance(&rina).await, (0, 137_500, 0, 0));
    assert_eq!(run(&w, "maturation", json!({ "dry_run": false })).await.ok()["report"]["commissions"], 0, "again is nothing");
    let jobs = w.get("/api/admin/jobs", &w.admin("viewer").await).await.ok();
    let of = |name: &str| jobs["items"].as_array().unwrap().iter().find(|j| j["name"] == name).unwrap().clone();
    assert_eq!((of("maturation")["runs"].as_array().unwrap().len(), of("maturation")["runs"][1]["report"]["commissions"].as_i64()), (2, Some(1)));
    assert!(of("maturation")["runs"][0]["by"].is_string() && of("maturation")["runs"][0]["ok"] == true);
    assert_eq!(w.get("/api/admin/ledger/reconciliation", &w.admin("viewer").await).await.ok()["report"]["differences"], json!([]));
    assert_eq!((run(&w, "nothing", json!({})).await.status, run(&w, "maturation", json!({ "as_of": "later" })).await.status), (404, 422));
    assert_eq!(w.post("/api/admin/jobs/maturation/run", &w.admin("ops").await, json!({})).await.status, 403);
}

/// One affiliate whose wallet cannot be read stops nobody else's maturation; the run fails in the end, so that it is seen.
#[tokio::test]
async fn one_bad_item_stops_no_schedule() {
    let w = World::new().await;
    let mut affiliates = Vec::new();
    for name in ["rina", "tono", "sari"] {
        let affiliate = w.affiliate(name).await;
        let buyer = w.customer(&format!("pembeli{name}")).await;
        let click = w.click(&affiliate.code).await;
        let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
        w.pay(&order).await;
        w.drain().await;
        w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
        affiliates.push(affiliate);
    }
    let bad = qutab::domain::ids::AffiliateId::parse(&affiliates[1].id).unwrap();
    w.shop.app.store.delete(&qutab::store::keys::wallet(bad)).await.unwrap();
    w.pass_days(31);
    let event = || serde_json::from_value(json!({ "time": w.now() })).unwrap();
    assert!(qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event())).await.is_err(), "the alarm rings");
    for affiliate in [&affiliates[0], &affiliates[2]] {
        let affiliate = w.affiliate_again(affiliate).await;
        assert_eq!(w.balance(&affiliate).await.1, 137_500, "everybody else has theirs");
    }
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event())).await.unwrap();
    let jobs = w.get("/api/admin/jobs", &w.admin("viewer").await).await.ok();
    assert_eq!((jobs["items"][0]["runs"][0]["ok"].as_bool(), jobs["items"][0]["runs"][0]["report"]["failed"].as_i64()), (Some(false), Some(1)));
}

#[tokio::test]
async fn a_ledger_that_differs_is_found_and_becomes_a_task() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let recount = async || {
        let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
        qutab_tests::grants::acting("reconciliation", reconciliation::run(&w.shop.app, event)).await.unwrap()
    };
    assert!(recount().await.differences.is_empty());
    let key = qutab::store::keys::wallet(qutab::domain::ids::AffiliateId::parse(&rina.id).unwrap());
    let read = w.shop.app.store.get::<qutab::domain::wallet::Wallet>(&key).await.unwrap().unwrap();
    let mut wrong = read.value.clone();
    wrong.balance.available = qutab::domain::money::Rupiah::new(1);
    w.shop.app.store.save(&read, &wrong).await.unwrap();
    assert_eq!(recount().await.wallets, 0, "everything was looked at today");
    w.pass_days(1);
    assert_eq!(recount().await.differences.len(), 1);
    let tasks = w.get("/api/admin/tasks", &w.admin("viewer").await).await.ok();
    assert_eq!(
        (tasks["items"][0]["subject"]["kind"].as_str(), tasks["items"][0]["subject"]["affiliate"].as_str()),
        (Some("ledger_difference"), Some(&*rina.id))
    );
}
