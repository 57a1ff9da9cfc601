//! Dashboard and reports: exact, as JSON and as tables, at the same cost for many orders as for few.

use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

async fn count(w: &World) {
    w.pass_seconds(60);
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
}

async fn sell(w: &World, slug: &str, affiliate: Option<&Affiliate>) -> Value {
    let buyer = w.customer_again("budi").await;
    let click = match affiliate {
        Some(a) => Some(w.click(&a.code).await),
        None => None,
    };
    let order = w.order(&buyer, slug, click.as_deref()).await;
    w.pay(&order).await;
    w.drain().await;
    order
}

async fn season() -> (World, Affiliate) {
    let w = World::new().await;
    w.customer("budi").await;
    let rina = w.affiliate("rina").await;
    let goat = sell(&w, "kambing-standar", Some(&rina)).await;
    sell(&w, "domba-garut", None).await;
    w.pass_days(1);
    sell(&w, "sapi-limosin", None).await;
    let buyer = w.customer_again("budi").await;
    w.order(&buyer, "domba-garut", None).await;
    let refund = json!({ "kind": "adjust", "amount": 275_000, "reason": "lebih kecil" });
    w.post_once(&format!("/api/admin/orders/{}/refund", goat["id"].as_str().unwrap()), &w.admin("finance").await, refund).await.ok();
    w.drain().await;
    count(&w).await;
    (w, rina)
}

#[tokio::test]
async fn a_refund_that_fails_weeks_later_leaves_the_report_of_its_day() {
    let w = World::new().await;
    w.customer("budi").await;
    let goat = sell(&w, "kambing-standar", None).await;
    w.pass_days(40);
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", goat["id"].as_str().unwrap()), &w.admin("finance").await, refund).await.ok();
    w.drain().await;
    count(&w).await;
    let refunded = async || w.get("/api/admin/dashboard", &w.admin("viewer").await).await.ok()["all"]["refunded"].as_i64();
    assert_eq!(refunded().await, Some(2_750_000));
    w.pass_days(3);
    for event in w.wire.zendit.finish_refunds("FAILED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    w.pass_seconds(3_600);
    count(&w).await;
    assert_eq!(refunded().await, Some(0));
}

#[tokio::test]
async fn the_dashboard_shows_what_is_sold_owed_and_waiting() {
    let (w, rina) = season().await;
    let seen = async || w.get("/api/admin/dashboard", &w.admin("viewer").await).await.ok();
    let d = seen().await;
    assert_eq!((d["today"]["revenue"].as_i64(), d["today"]["orders"].as_i64()), (Some(25_000_000), Some(2)));
    assert_eq!((d["last_7_days"]["revenue"].as_i64(), d["all"]["refunded"].as_i64()), (Some(31_000_000), Some(275_000)));
    assert_eq!(d["orders_by_status"], json!({ "paid": 3, "pending": 1 }));
    assert_eq!((d["payouts_waiting"]["count"].as_i64(), d["tasks"]["count"].as_i64()), (Some(0), Some(0)));
    // Once an hour the affiliates are added up; a later count of the same day changes nothing twice.
    w.pass_seconds(3_600);
    count(&w).await;
    count(&w).await;
    let d = seen().await;
    assert_eq!((d["affiliates_by_status"]["approved"].as_i64(), d["commissions"]["pending"].as_i64()), (Some(1), Some(123_750)));
    assert_eq!(d["all"]["revenue"], 31_000_000);
    let units = json!({ "units": -50 });
    let ops = w.admin("ops").await;
    w.post_once(&format!("/api/admin/products/{}/stock", qutab_local::seed::product_id("domba-garut")), &ops, units).await.ok();
    assert_eq!(seen().await["low_stock"][0]["name"], "Domba Garut");
    drop(rina);
}

#[tokio::test]
async fn reports_are_grouped_by_whatever_is_asked_and_come_as_tables_too() {
    let (w, rina) = season().await;
    let report = async |path: &str| w.get(&format!("/api/admin/reports/{path}"), &w.admin("viewer").await).await;
    let rows = async |path: &str| report(path).await.ok()["items"].as_array().unwrap().clone();
    let days = rows("sales").await;
    assert_eq!(
        (days.len(), days[0]["day"].as_str(), days[0]["revenue"].as_i64(), days[0]["refunded"].as_i64()),
        (2, Some("2026-11-23"), Some(6_000_000), Some(275_000))
    );
    let weeks = rows("sales?group_by=week").await;
    assert_eq!((weeks.len(), weeks[0]["week"].as_str(), weeks[0]["paid_orders"].as_i64()), (1, Some("2026-11-23"), Some(3)), "a Monday");
    assert_eq!(rows("sales?group_by=month").await[0]["month"], "2026-11");
    let categories = rows("products?group_by=category").await;
    assert_eq!(categories.iter().map(|c| c["revenue"].as_i64().unwrap()).sum::<i64>(), 31_000_000, "{categories:?}");
    assert_eq!(rows("products").await.len(), 3);
    assert_eq!(rows("sales?group_by=location").await[0]["location"], "Lombok Timur");
    let affiliates = rows("affiliates").await;
    assert_eq!(
        (affiliates[0]["code"].as_str(), affiliates[0]["earned"].as_i64(), affiliates[0]["voided"].as_i64()),
        (Some(rina.code.as_str()), Some(137_500), Some(13_750))
    );
    assert_eq!(rows("commissions?group_by=month").await[0]["earned"], 137_500);
    let table = report("products?format=csv").await;
    let rows = qutab::http::csv::rows(std::str::from_utf8(&table.bytes).unwrap()).unwrap();
    assert_eq!((rows.len(), rows.iter().filter(|r| r["name"] == "Sapi Limosin" && r["revenue"] == "25000000").count()), (3, 1));
    for wrong in ["sales?group_by=moon", "sales?format=xml", "sales?from=2026-11-24&to=2026-11-23", "sales?from=x"] {
        assert_eq!(report(wrong).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn an_order_that_moves_on_is_counted_where_it_is_now() {
    let (w, _) = season().await;
    let viewer = w.admin("viewer").await;
    let orders = w.get("/api/admin/orders?status=paid", &viewer).await.ok();
    let oldest = orders["items"].as_array().unwrap().iter().find(|o| o["placed_at"].as_str().unwrap() < "2026-11-24").unwrap();
    w.advance(oldest["id"].as_str().unwrap(), &["processing"]).await;
    count(&w).await;
    let d = w.get("/api/admin/dashboard", &viewer).await.ok();
    assert_eq!(d["orders_by_status"], json!({ "paid": 2, "pending": 1, "processing": 1 }), "also of a past day");
    // The mark is lost: the night's run finds the day all the same.
    for item in w.items().iter().filter(|i| i["kind"]["S"] == "shop_mark") {
        let key = qutab::store::keys::Key { pk: item["pk"]["S"].as_str().unwrap().into(), sk: item["sk"]["S"].as_str().unwrap().into() };
        w.shop.app.store.delete(&key).await.unwrap();
    }
    w.advance(oldest["id"].as_str().unwrap(), &["distributed"]).await;
    let midnight = w.now().day().after().begins();
    w.pass_seconds(midnight.since(w.now()));
    count(&w).await;
    let d = w.get("/api/admin/dashboard", &w.admin("viewer").await).await.ok();
    assert_eq!(d["orders_by_status"], json!({ "paid": 2, "pending": 1, "distributed": 1, "processing": 0 }));
}

#[tokio::test]
async fn the_dashboard_costs_the_same_for_many_orders_as_for_few() {
    let mut costs = Vec::new();
    for orders in [3_usize, 60] {
        let w = World::seeded(17).await;
        let mut buyers = Vec::new();
        for n in 0..12 {
            buyers.push(w.customer(&format!("budi{n}")).await);
        }
        for n in 0..orders {
            w.order(&buyers[n % 12], "kambing-standar", None).await;
        }
        w.drain().await;
        count(&w).await;
        let viewer = w.admin("viewer").await;
        w.wire.take_traffic();
        let seen = w.get("/api/admin/dashboard", &viewer).await.ok();
        let traffic = w.wire.take_traffic();
        assert_eq!(seen["all"]["orders"], orders);
        w.get("/api/admin/reports/sales", &viewer).await.ok();
        costs.push((traffic.dynamo_trips, traffic.read_units.to_bits(), w.wire.take_traffic().dynamo_trips));
    }
    assert_eq!(costs[0], costs[1]);
}
