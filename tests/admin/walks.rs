//! Schedules whose lists are longer than a page or than a run, and rows that this version cannot read.

use qutab::{
    app::{App, aggregate, archive, lap::Share, owed, reconcile, reconcile::Recount, release_order},
    domain::{
        commission::Commission,
        ids::{AffiliateId, OrderId},
        money::Rupiah,
        order::Order,
        outbox::{OutboxItem, Work},
        shop_stats::{Earnings, OTHERS, ShopDay},
        wallet::{Cause, Wallet},
    },
    store::keys,
};
use qutab_local::{Call, dynamo};
use qutab_tests::{Affiliate, World, grants::acting};
use serde_json::{Value, json};

/// Writes a row as another version of this program would.
fn put(w: &World, item: &Value) {
    let headers = vec![("x-amz-target".into(), "DynamoDB_20120810.PutItem".into())];
    let body = json!({ "TableName": "qutab-local", "Item": item }).to_string().into_bytes();
    let call = Call { method: "POST".into(), path: "/".into(), headers, body };
    assert_eq!(dynamo::answer(&w.wire.db, &call).status, 200);
}

fn kind(w: &World, kind: &str) -> Vec<Value> {
    w.items().into_iter().filter(|i| i["kind"]["S"] == kind).collect()
}

fn odd_tasks(w: &World) -> usize {
    kind(w, "task").iter().filter(|t| t["subject"]["M"]["kind"]["S"] == "odd_row").count()
}

/// A run that takes so many rows at once.
fn in_small_shares(w: &World, rows: usize) -> App {
    App { share: Share { rows, until: None }, ..w.shop.app.clone() }
}

fn affiliate_id(affiliate: &Affiliate) -> AffiliateId {
    AffiliateId::parse(&affiliate.id).unwrap()
}

async fn sale(w: &World, affiliate: &Affiliate, buyer: &str, slug: &str) -> Value {
    let click = w.click(&affiliate.code).await;
    let order = w.order(buyer, slug, Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    order
}

#[tokio::test]
async fn what_waits_for_its_next_try_hides_no_due_work_from_the_sweep() {
    let w = World::new().await;
    let owed = |order: OrderId| OutboxItem::new(Work::MailOrderPlaced { order }, w.now());
    for n in 0..60 {
        let mut item = owed(OrderId::named(&[&n.to_string()]));
        // One in twenty is due; the others wait for hours.
        item.claimed_until = w.now().plus_seconds(if n % 20 == 7 { 0 } else { 9_000 });
        w.shop.app.store.create(&item).await.unwrap();
    }
    w.pass_seconds(61);
    w.wire.small_pages(2);
    assert_eq!(owed::waiting(&w.shop.app, w.now()).await.unwrap().handed_on, 3, "a dry run counts all pages");
    let event = notification_worker::Event::Sweep(serde_json::from_value(json!({ "time": w.now() })).unwrap());
    let done = acting("notification-worker", notification_worker::handle(&w.notifier, event)).await.unwrap();
    assert_eq!((done["handed_on"].as_u64(), done["more"].as_bool()), (Some(3), Some(false)), "in the function, under its own rights");
    let (app, mut handed) = (in_small_shares(&w, 1), 0);
    for _ in 0..60 {
        handed += owed::sweep(&app, w.now()).await.unwrap().handed_on;
    }
    assert!(handed >= 3, "a run that stops early goes on where it stopped: {handed}");
}

#[tokio::test]
async fn a_row_of_the_next_version_stops_no_schedule_and_is_told_once() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    for _ in 0..2 {
        w.order(&buyer, "kambing-standar", None).await;
    }
    w.drain().await;
    let order = kind(&w, "order").remove(0);
    for n in 0..16 {
        let mut odd = order.clone();
        odd["status"] = json!({ "S": "teleported" });
        odd["pk"] = json!({ "S": format!("ORDER#next-{n}") });
        odd["due_pk"] = json!({ "S": format!("UNPAID#{}", n % 8) });
        odd["due_sk"] = json!({ "S": format!("2026-01-01T00:00:00Z#{n}") });
        put(&w, &odd);
    }
    for shard in 0..8 {
        let work = json!({ "M": { "kind": { "S": "beam_up" } } });
        put(
            &w,
            &json!({ "pk": { "S": format!("OUTBOX#{shard}") }, "sk": { "S": "obx_0" }, "kind": { "S": "outbox" }, "rev": { "N": "1" }, "work": work }),
        );
    }
    w.pass_days(2);
    w.wire.small_pages(1);
    for _ in 0..2 {
        let done = release_order::expire_unpaid(&w.shop, w.now()).await.unwrap();
        assert_eq!((done.odd, done.kept), (16, 0));
        assert_eq!(owed::sweep(&w.shop.app, w.now()).await.unwrap().odd, 8);
    }
    let expired = kind(&w, "order").iter().filter(|o| o["status"]["S"] == "expired").count();
    assert_eq!((expired, odd_tasks(&w)), (2, 24), "every order expires, and each odd row has one task");
    w.wire.small_pages(1_000);
    let tasks = w.get("/api/admin/tasks?limit=100", &w.admin("viewer").await).await.ok();
    assert!(tasks["items"].as_array().unwrap().iter().any(|t| t["subject"]["item"] == "order"));
    let found = w.get("/api/admin/orders", &w.admin("viewer").await).await;
    assert_eq!(found.status, 200, "lists leave out what they cannot read");
}

#[tokio::test]
async fn the_nightly_check_comes_to_every_affiliate_however_many_there_are() {
    let w = World::new().await;
    let mut last = None;
    for name in ["rina", "tono", "sari", "wati", "joko"] {
        last = Some(w.affiliate(name).await);
        w.pass_seconds(1);
    }
    let wallet = w.shop.app.store.wallet(affiliate_id(&last.unwrap())).await.unwrap().unwrap();
    let mut wrong = wallet.value.clone();
    wrong.balance.available = Rupiah::new(50_000_000);
    w.shop.app.store.save(&wallet, &wrong).await.unwrap();
    w.wire.small_pages(1);
    let app = in_small_shares(&w, 1);
    let (mut looked_at, mut differences, mut runs) = (0, 0, 0);
    while differences == 0 {
        let result = reconcile::reconcile(&app, w.now(), Recount::Onward).await.unwrap();
        assert!(result.wallets <= 1 && runs < 10, "a run takes its share");
        assert!(!result.not_looked_at.is_empty(), "and says what it cannot see");
        looked_at += result.wallets;
        differences += result.differences.len();
        runs += 1;
    }
    assert_eq!(looked_at, 5, "nobody is looked at twice before everybody was");
}

#[tokio::test]
async fn the_nightly_check_holds_commissions_payouts_and_refunds_against_each_other() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let placed = sale(&w, &rina, &buyer, "kambing-standar").await;
    let id = OrderId::parse(placed["id"].as_str().unwrap()).unwrap();
    let store = &w.shop.app.store;
    let check = async || {
        let r = reconcile::reconcile(&w.shop.app, w.now(), Recount::Full).await.unwrap();
        (r.differences.len(), r.order_differences.len())
    };
    assert_eq!(check().await, (0, 0));
    let order = store.order(id).await.unwrap().unwrap();
    let wrong = Order { refunded: Rupiah::new(1), ..order.value.clone() };
    store.save(&order, &wrong).await.unwrap();
    assert_eq!(check().await, (0, 1), "refunded, without a refund");
    let read = store.order(id).await.unwrap().unwrap();
    store.save(&read, &order.value).await.unwrap();
    let commission = store.commission(&order.value).await.unwrap().unwrap();
    store.save(&commission, &Commission { voided: Rupiah::new(500), ..commission.value.clone() }).await.unwrap();
    assert_eq!(check().await, (1, 0), "pending is not what the commission has left");
    let key = keys::commission(affiliate_id(&rina), commission.value.placed_at, id);
    store.delete(&key).await.unwrap();
    assert_eq!(check().await, (1, 1), "paid through an affiliate, without a commission");
    let subjects: Vec<String> = kind(&w, "task").iter().map(|t| t["subject"]["M"]["kind"]["S"].as_str().unwrap().to_owned()).collect();
    assert!(subjects.contains(&"order_difference".to_owned()) && subjects.contains(&"ledger_difference".to_owned()), "{subjects:?}");
    let before = w.items().len();
    reconcile::reconcile(&w.shop.app, w.now(), Recount::Dry).await.unwrap();
    assert_eq!(w.items().len(), before, "a dry run writes nothing");
}

#[tokio::test]
async fn owed_work_older_than_a_week_has_a_task() {
    let w = World::new().await;
    let order = OrderId::fresh(w.now(), &w.shop.app.entropy);
    w.shop.app.store.create(&OutboxItem::new(Work::MailOrderPlaced { order }, w.now())).await.unwrap();
    w.pass_days(8);
    assert_eq!(reconcile::reconcile(&w.shop.app, w.now(), Recount::Onward).await.unwrap().old_work, 1);
    assert_eq!(kind(&w, "task").len(), 1);
}

#[tokio::test]
async fn refunds_that_stay_as_they_are_hide_no_others() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    let id = order["id"].as_str().unwrap();
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{id}/refund"), &w.admin("finance").await, refund).await.ok();
    w.drain().await;
    let store = &w.shop.app.store;
    let id = OrderId::parse(id).unwrap();
    let mine = store.refunds(id).await.unwrap().remove(0).value;
    for n in 0..30 {
        let mut stuck = mine.clone();
        stuck.order = OrderId::named(&[&n.to_string()]);
        stuck.updated_at = mine.updated_at.plus_seconds(n - 1_000);
        stuck.gateway_id = Some(format!("gone{n}"));
        store.create(&stuck).await.unwrap();
    }
    w.wire.zendit.finish_refunds("SUCCEEDED");
    w.pass_days(1);
    w.wire.small_pages(2);
    let shop = qutab::app::Shop { app: in_small_shares(&w, 4), ..w.shop.clone() };
    for _ in 0..10 {
        release_order::expire_unpaid(&shop, w.now()).await.unwrap();
    }
    assert_eq!(store.refunds(id).await.unwrap()[0].value.status.as_str(), "succeeded");
}

#[tokio::test]
async fn days_that_an_outage_left_uncounted_are_counted_after_it() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    aggregate::aggregate(&w.shop.app, w.now()).await.unwrap();
    w.pass_days(1);
    let day = w.now().day();
    w.click(&rina.code).await;
    w.pass_days(5);
    w.wire.small_pages(1);
    let app = in_small_shares(&w, 1);
    let mut more = true;
    for _ in 0..20 {
        more = aggregate::aggregate(&app, w.now()).await.unwrap().more;
        if !more {
            break;
        }
    }
    let counted = w.shop.app.store.daily_stats(affiliate_id(&rina), day).await.unwrap();
    assert_eq!((counted.map(|d| d.value.counts.clicks), more), (Some(1), false));
}

#[tokio::test]
async fn clicks_reach_the_archive_whatever_the_retention_was_and_one_bad_file_stops_no_other() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    w.click(&rina.code).await;
    w.click(&tono.code).await;
    let ends = |kind_: &str| kind(&w, kind_).iter().map(|i| i["ttl"]["N"].as_str().unwrap().parse::<i64>().unwrap()).min().unwrap();
    let year = w.now().plus_days(366).unix();
    assert!(ends("active_day") > year && ends("click") > year, "both outlive the longest retention");
    // A year passes under a retention that was longer; then it is the usual one again.
    w.pass_days(300);
    let bad = qutab::domain::ids::ClickId::fresh(w.now(), &w.shop.app.entropy).to_string();
    let mut odd = kind(&w, "click").into_iter().find(|c| c["affiliate"]["S"] == json!(rina.id)).unwrap();
    odd["sk"] = json!({ "S": bad });
    odd["looker"] = json!({ "S": "telepath" });
    put(&w, &odd);
    w.wire.small_pages(1);
    let done = archive::archive(&w.shop.app, &w.archive, w.now()).await.unwrap();
    assert_eq!((done.clicks, done.odd), (2, 1));
    assert_eq!((kind(&w, "click").len(), odd_tasks(&w)), (1, 1), "only what cannot be read is left, and a person knows");
}

#[tokio::test]
async fn a_worker_removes_only_the_work_that_it_has_claimed() {
    let w = World::new().await;
    let store = &w.shop.app.store;
    let item = OutboxItem::new(Work::MailOrderPlaced { order: OrderId::named(&["1"]) }, w.now());
    store.append(&item).await.unwrap();
    let first = store.claim(item.id, w.now()).await.unwrap().unwrap();
    // Owed again under the same name, and claimed again within the same second.
    store.append(&item).await.unwrap();
    let second = store.claim(item.id, w.now()).await.unwrap().unwrap();
    assert_eq!((first.tries, first.claimed_until), (second.tries, second.claimed_until));
    store.settle(&first).await.unwrap();
    assert_eq!(kind(&w, "outbox").len(), 1, "the second is still owed");
    store.settle(&second).await.unwrap();
    assert!(kind(&w, "outbox").is_empty());
}

#[test]
fn a_ledger_never_goes_back_in_time() {
    let at = |text: &str| qutab::domain::time::Timestamp::parse(text).unwrap();
    let (eve, new_year) = (at("2026-12-31T16:59:59Z"), at("2026-12-31T17:00:00Z"));
    let wallet = Wallet::open(AffiliateId::named(&["a"]));
    let (wallet, first) = wallet.post(Cause::Matured { commissions: 1 }, Rupiah::new(5), new_year).unwrap();
    let (_, second) = wallet.post(Cause::Matured { commissions: 1 }, Rupiah::new(5), eve).unwrap();
    assert_eq!((first.at, second.at), (new_year, new_year));
}

#[test]
fn a_day_on_which_thousands_sold_fits_into_one_item_with_exact_sums() {
    let now = qutab::domain::time::Timestamp::parse("2026-11-23T03:00:00Z").unwrap();
    let mut day = ShopDay::empty(now.day(), now);
    for n in 1..=5_000_i64 {
        let one = Earnings { orders: 1, revenue: Rupiah::new(n), ..Earnings::default() };
        day.affiliates.insert(AffiliateId::named(&[&n.to_string()]).to_string(), one);
    }
    let day = day.bounded().unwrap();
    let sum: i64 = day.affiliates.values().map(|e| e.revenue.get()).sum();
    assert_eq!((day.affiliates.len(), sum, day.affiliates[OTHERS].orders), (1_001, 5_000 * 5_001 / 2, 4_000));
    assert!(serde_json::to_string(&day).unwrap().len() < 200_000);
}
