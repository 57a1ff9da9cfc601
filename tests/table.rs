//! The single table: every table of the product's checklist is an entity of it, every index answers a documented question.

use qutab_tests::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A world in which everything of the checklist has happened once.
async fn lived_in() -> World {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
    qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.unwrap();
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
    w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
    w
}

fn kinds(items: &[Value]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for item in items {
        *kinds.entry(item["kind"]["S"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    kinds
}

#[tokio::test]
async fn every_table_of_the_checklist_is_an_entity() {
    let kinds = kinds(&lived_in().await.items());
    for kind in [
        "customer",
        "affiliate",
        "order",
        "product",
        "click",
        "referral",
        "commission",
        "payout",
        "payout_account",
        "coupon",
        "ledger_entry",
        "daily_stats",
    ] {
        assert!(kinds.contains_key(kind), "{kind} is not in the table: {kinds:?}");
    }
}

#[tokio::test]
async fn every_index_is_sparse_and_answers_a_documented_question() {
    let w = lived_in().await;
    let template = qutab_local::template::read(qutab_tests::TEMPLATE, &BTreeMap::new()).unwrap();
    let indexes: BTreeSet<&str> =
        template.table["GlobalSecondaryIndexes"].as_array().unwrap().iter().map(|i| i["IndexName"].as_str().unwrap()).collect();
    assert_eq!(indexes, BTreeSet::from(["by_due", "by_owner"]));
    let documented = include_str!("../shared/src/store/keys.rs");
    let mut indexed = BTreeSet::new();
    for item in w.items() {
        let kind = item["kind"]["S"].as_str().unwrap().to_owned();
        for index in &indexes {
            let attribute = format!("{}_pk", index.trim_start_matches("by_"));
            if item.get(&attribute).is_some() {
                indexed.insert((kind.replace('_', " "), *index));
            }
        }
    }
    for (kind, index) in &indexed {
        let row = documented.lines().find(|l| l.starts_with(&format!("//! | {kind} |"))).unwrap_or_else(|| panic!("{kind} has no row"));
        assert!(row.contains(&format!("`{index}`")), "{kind} is in {index}, and its row does not say why: {row}");
    }
    assert!(indexed.len() >= 5 && !indexed.iter().any(|(kind, _)| kind == "click"), "{indexed:?}");
}

/// A day is what a recount of its clicks and sales says, however often it was counted.
#[tokio::test]
async fn daily_stats_are_a_recount_of_the_raw_events() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.customer("budi").await;
    let visit = async |agent: &str| {
        let headers = [("user-agent", agent)];
        w.send("GET", &format!("/r/{}", affiliate.code), None, &headers, None).await;
    };
    visit("Mozilla/5.0").await;
    visit("Mozilla/5.0").await;
    visit("Googlebot/2.1").await;
    w.pass_seconds(4_000);
    visit("Mozilla/5.0").await;
    let click = w.click(&affiliate.code).await;
    let buyer = w.customer_again("budi").await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    let id = qutab::domain::ids::AffiliateId::parse(&affiliate.id).unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        w.pass_seconds(60);
        let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
        qutab_tests::grants::acting("aggregation", aggregation::run(&w.shop.app, event)).await.unwrap();
        let day = w.shop.app.store.daily_stats(id, w.now().day()).await.unwrap().unwrap().value;
        let c = day.counts;
        seen.push((c.clicks, c.unique_clicks, c.bots, c.sales, c.revenue.get(), c.earned.get()));
    }
    assert_eq!(seen, vec![(4, 2, 1, 1, 2_750_000, 137_500); 3]);
}
