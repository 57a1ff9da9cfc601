//! Statistics: exact, late, repeated, by day, and at the same cost for a million clicks.

use qutab::domain::{
    click::{Campaign, Looker},
    ids::{AffiliateId, ClickId},
    stats::ActiveDay,
};
use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

async fn aggregate(w: &World) {
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
}

async fn visit(w: &World, code: &str, agent: &str, headers: &[(&str, &str)]) {
    let headers: Vec<_> = headers.iter().copied().chain([("user-agent", agent)]).collect();
    w.send("GET", &format!("/r/{code}"), None, &headers, None).await;
}

async fn sell(w: &World, affiliate: &Affiliate) -> Value {
    let buyer = w.customer_again("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    order
}

async fn statistics(w: &World, affiliate: &Affiliate, query: &str) -> Value {
    w.get(&format!("/api/affiliate/statistics?{query}"), &w.affiliate_again(affiliate).await.token).await.ok()
}

#[tokio::test]
async fn people_bots_prefetches_and_repeats_are_told_apart() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let code = affiliate.code.clone();
    visit(&w, &code, "Mozilla/5.0 (A)", &[]).await;
    visit(&w, &code, "Mozilla/5.0 (A)", &[]).await;
    visit(&w, &code, "Mozilla/5.0 (B)", &[]).await;
    visit(&w, &code, "Mozilla/5.0 (C)", &[("sec-purpose", "prefetch")]).await;
    visit(&w, &code, "Googlebot/2.1", &[]).await;
    w.pass_seconds(3_600);
    visit(&w, &code, "Mozilla/5.0 (A)", &[]).await;
    w.pass_seconds(60);
    aggregate(&w).await;
    let totals = statistics(&w, &affiliate, "period=today").await["totals"].clone();
    let number = |name: &str| totals[name].as_i64().unwrap();
    assert_eq!((number("clicks"), number("unique_clicks"), number("prefetches"), number("bots")), (4, 3, 1, 1));
}

#[tokio::test]
async fn days_are_days_of_jakarta_and_empty_days_are_there() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.customer("budi").await;
    // 23:30 in Jakarta, then half past midnight.
    w.pass_seconds(13 * 3_600 + 1_800);
    visit(&w, &affiliate.code, "Mozilla/5.0", &[]).await;
    aggregate(&w).await;
    w.pass_seconds(3_600);
    visit(&w, &affiliate.code, "Mozilla/5.0", &[]).await;
    sell(&w, &affiliate).await;
    aggregate(&w).await;
    let seen = statistics(&w, &affiliate, "period=7days").await;
    let days: Vec<(&str, i64, i64)> = seen["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["date"].as_str().unwrap(), d["clicks"].as_i64().unwrap(), d["conversions"].as_i64().unwrap()))
        .collect();
    assert_eq!(days.len(), 7);
    assert_eq!(days[..5].iter().map(|d| d.1 + d.2).sum::<i64>(), 0);
    assert_eq!(days[5..], [("2026-11-23", 1, 0), ("2026-11-24", 2, 1)]);
    assert_eq!((seen["totals"]["revenue"].as_i64(), seen["totals"]["commission"].as_i64()), (Some(2_750_000), Some(137_500)));
    assert_eq!(seen["totals"]["conversion_rate"], 50.0, "one sale, two visits");
    assert_eq!(seen["as_of"], json!(w.now()));
    let month = statistics(&w, &affiliate, "period=this_month").await;
    assert_eq!((month["start_date"].as_str(), month["days"].as_array().unwrap().len()), (Some("2026-11-01"), 24));
    let custom = statistics(&w, &affiliate, "period=custom&start_date=2026-11-24&end_date=2026-11-24").await;
    assert_eq!((custom["days"].as_array().unwrap().len(), custom["totals"]["clicks"].as_i64()), (1, Some(2)));
    let token = w.affiliate_again(&affiliate).await.token;
    for wrong in [
        "period=year",
        "period=custom",
        "period=custom&start_date=2026-11-02&end_date=2026-11-01",
        "period=custom&start_date=2025-01-01&end_date=2026-01-02",
        "start_date=x&end_date=y",
    ] {
        assert_eq!(w.get(&format!("/api/affiliate/statistics?{wrong}"), &token).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn counting_twice_late_or_by_two_at_once_changes_nothing() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.customer("budi").await;
    sell(&w, &affiliate).await;
    w.pass_seconds(60);
    aggregate(&w).await;
    aggregate(&w).await;
    let (one, two) = (w.clone(), w.clone());
    w.pass_seconds(60);
    tokio::join!(aggregate(&one), aggregate(&two));
    let summary = async || {
        let token = w.affiliate_again(&affiliate).await.token;
        let seen = w.get("/api/affiliate/dashboard/summary", &token).await.ok();
        (seen["clicks"].as_i64().unwrap(), seen["conversions"].as_i64().unwrap(), seen["commission"].as_i64().unwrap())
    };
    assert_eq!(summary().await, (1, 1, 137_500));
    // A payment that is noticed three days late is counted on the day on which it was made.
    let buyer = w.customer_again("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let notice = w.wire.zendit.pay(&invoice, "QRIS", None).unwrap();
    w.pass_days(3);
    w.webhook(&notice).await;
    w.drain().await;
    w.pass_seconds(60);
    aggregate(&w).await;
    let day = statistics(&w, &affiliate, "period=custom&start_date=2026-11-23&end_date=2026-11-23").await;
    assert_eq!((day["totals"]["conversions"].as_i64(), day["totals"]["clicks"].as_i64()), (Some(2), Some(2)));
    assert_eq!(summary().await, (2, 2, 275_000));
}

#[tokio::test]
async fn the_summary_costs_the_same_for_many_clicks_as_for_few() {
    let mut costs = Vec::new();
    for clicks in [10, 2_000] {
        let w = World::seeded(5).await;
        let affiliate = w.affiliate("rina").await;
        let id = AffiliateId::parse(&affiliate.id).unwrap();
        for n in 0..clicks {
            let click = qutab::store::entity::Click {
                id: ClickId::fresh(w.now(), &w.shop.app.entropy),
                affiliate: id,
                code: affiliate.code.clone(),
                at: w.now(),
                visitor: format!("v{n}"),
                looker: Looker::Person,
                referrer: None,
                campaign: Campaign::default(),
                expires_at: w.now().plus_days(90),
            };
            w.shop.app.store.append(&click).await.unwrap();
        }
        w.shop.app.store.append(&ActiveDay::new(id, w.now(), w.now())).await.unwrap();
        aggregate(&w).await;
        w.wire.take_traffic();
        let seen = w.get("/api/affiliate/dashboard/summary", &affiliate.token).await.ok();
        let traffic = w.wire.take_traffic();
        assert_eq!(seen["clicks"], clicks);
        costs.push((traffic.dynamo_trips, traffic.read_units.to_bits()));
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0].0 <= 2, "{costs:?}");
}

#[tokio::test]
async fn activity_merges_clicks_sales_and_payouts_newest_first() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.customer("budi").await;
    let order = sell(&w, &affiliate).await;
    w.pass_seconds(60);
    visit(&w, &affiliate.code, "Mozilla/5.0", &[("referer", "https://www.tiktok.com/@rina")]).await;
    w.pass_seconds(60);
    let finance = w.admin("finance").await;
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, refund).await.ok();
    let seen = w.get("/api/affiliate/dashboard/activity?limit=3", &affiliate.token).await.ok();
    let kinds: Vec<&str> = seen["items"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["commission_void", "click"]);
    assert_eq!(seen["items"][1]["source"], "www.tiktok.com");
    assert_eq!(seen["items"].as_array().unwrap().len(), 3);
}
