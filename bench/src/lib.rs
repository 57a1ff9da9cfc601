//! What every use case costs, counted and not timed: the same on every run and every machine.
//!
//! Round trips are counted at the SDK's HTTP client; units are what the embedded DynamoDB engine reports for tables
//! and indexes. Budgets are those that the project set itself; what misses one is marked.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "a measurement that cannot go on says so and stops")]

pub mod bugs;
pub mod clicks;
pub mod histories;
mod prices;
pub mod release;

use prices::{Invoked, price};
use qutab::app::reconcile::Recount;
use qutab_local::wire::Traffic;
use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};
use std::fmt::Write;

/// Commissions of one affiliate that mature in one transaction.
const MATURING: u32 = 20;

pub struct Row {
    pub name: &'static str,
    pub traffic: Traffic,
    /// Most DynamoDB round trips and write units.
    pub budget: Option<(u32, f64)>,
    pub dollars: f64,
}

impl Row {
    fn missed(&self) -> bool {
        self.budget.is_some_and(|(trips, units)| self.traffic.dynamo_trips > trips || self.traffic.write_units > units)
    }
}

const fn invoked(memory: f64, requests: f64, computing: f64) -> Invoked {
    Invoked { memory, requests, computing }
}

const PUBLIC: Invoked = invoked(0.25, 1.0, 0.0);
const ACCOUNT: Invoked = invoked(1.0, 1.0, 0.03);
const SHOP: Invoked = invoked(0.5, 1.0, 0.0);
const JOB: Invoked = invoked(0.5, 0.0, 0.0);

/// Counts what `act` sends.
async fn counted<F: Future>(w: &World, act: F) -> Traffic {
    w.wire.revive();
    // On the heap: many use cases in one function would not fit on a test's stack.
    Box::pin(act).await;
    w.wire.take_traffic()
}

struct Bench {
    w: World,
    rows: Vec<Row>,
}

impl Bench {
    fn row(&mut self, name: &'static str, budget: Option<(u32, f64)>, traffic: Traffic, how: Invoked) {
        self.rows.push(Row { name, traffic, budget, dollars: price(traffic, how) });
    }

    async fn accounts(&mut self) -> (Affiliate, String) {
        let affiliate = self.w.affiliate("rina").await;
        let w = self.w.clone();
        let body = json!({ "name": "Budi Santoso", "email": "budi@example.com", "phone": "081234567890", "password": qutab_tests::PASSWORD });
        let registered = counted(&w, async { w.post("/api/auth/register", "", body).await.ok() }).await;
        self.row("register", None, registered, ACCOUNT);
        w.drain().await;
        let proof = json!({ "token": w.mailed_token("budi@example.com", "verify-email") });
        assert_eq!(w.post("/api/auth/verify-email", "", proof).await.status, 204);
        let login = counted(&w, async { w.customer_again("budi").await }).await;
        self.row("login", Some((4, 4.0)), login, ACCOUNT);
        let token = w.customer_again("budi").await;
        (affiliate, token)
    }

    async fn visitor(&mut self, affiliate: &Affiliate) -> String {
        let w = self.w.clone();
        let click = w.click(&affiliate.code).await;
        let warm = counted(&w, w.click(&affiliate.code)).await;
        self.row("click /r/{code}, warm", Some((1, 1.0)), warm, PUBLIC);
        let list = counted(&w, w.send("GET", "/api/products", None, &[], None)).await;
        self.row("product list", Some((1, 0.0)), list, PUBLIC);
        let token = w.customer_again("budi").await;
        let items = json!([{ "product_id": qutab_local::seed::product_id("domba-garut"), "quantity": 1 }]);
        let body = json!({ "code": "BERKAH10", "items": items });
        let quote = counted(&w, async { w.post("/api/coupons/validate", &token, body).await.ok() }).await;
        self.row("validate a coupon", None, quote, PUBLIC);
        click
    }

    /// Places an order and pays it: the traffic of placing, of the webhook, and of the worker.
    async fn sale(&self, buyer: &str, slug: &str, click: &str) -> (Value, [Traffic; 3]) {
        let w = &self.w;
        let mut order = Value::Null;
        let placed = counted(w, async { order = w.order(buyer, slug, Some(click)).await }).await;
        let webhook = counted(w, w.pay(&order)).await;
        let recorded = counted(w, w.work_payments()).await;
        w.drain().await;
        (order, [placed, webhook, recorded])
    }
}

/// Runs every use case once and counts.
pub async fn measure() -> Vec<Row> {
    let mut b = Bench { w: World::seeded(1).await, rows: Vec::new() };
    let w = b.w.clone();
    let (affiliate, buyer) = Box::pin(b.accounts()).await;
    let click = Box::pin(b.visitor(&affiliate)).await;
    let (order, [placed, webhook, recorded]) = Box::pin(b.sale(&buyer, "sapi-limosin", &click)).await;
    b.row("place an order, one product", Some((3, 18.0)), placed, SHOP);
    b.row("webhook acknowledged", Some((1, 1.0)), webhook, PUBLIC);
    b.row("payment: order paid, commission earned", Some((4, 18.0)), recorded, JOB);
    let id = order["id"].as_str().unwrap();
    let receipt = counted(&w, async { w.get(&format!("/api/orders/{id}/receipt"), &buyer).await.ok() }).await;
    b.row("receipt as PDF", None, receipt, SHOP);
    let ops = w.admin("ops").await;
    let step = async |to: &str| w.post(&format!("/api/admin/orders/{id}/status"), &ops, json!({ "to": to })).await.ok();
    step("processing").await;
    step("distributed").await;
    let completed = counted(&w, step("completed")).await;
    b.row("complete an order", None, completed, SHOP);
    // What is remembered of a run is the run's, not the commission's.
    let one = counted(&w, async { qutab::app::mature::mature(&w.shop.app, w.now().plus_days(31)).await.unwrap() }).await;
    b.row("maturation, one commission", None, one, JOB);
    w.verify_bank(&affiliate).await;
    w.drain().await;
    let mut payout = Value::Null;
    let requested = counted(&w, async { payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok() }).await;
    b.row("request a payout", Some((2, 12.0)), requested, SHOP);
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    let paid = counted(&w, async { w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-1" })).await.ok() }).await;
    b.row("pay a payout", None, paid, SHOP);
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    let refunded = counted(&w, async { w.post(&format!("/api/admin/orders/{id}/refund"), &finance, refund).await.ok() }).await;
    b.row("refund an order whose commission was paid out", None, refunded, SHOP);
    let whole = placed.write_units + recorded.write_units + completed.write_units + one.write_units + requested.write_units + paid.write_units;
    let life = Traffic { write_units: whole, ..Traffic::default() };
    b.rows.push(Row { name: "whole life of an order: placed to paid out", traffic: life, budget: Some((0, 62.0)), dollars: 0.0 });
    Box::pin(many_mature(&mut b, &affiliate, &click)).await;
    b.rows
}

/// Many commissions of one affiliate, to see what each adds.
async fn many_mature(b: &mut Bench, affiliate: &Affiliate, click: &str) {
    let w = b.w.clone();
    let buyer = w.customer_again("budi").await;
    for _ in 0..MATURING {
        let (order, _) = Box::pin(b.sale(&buyer, "kambing-standar", click)).await;
        w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    }
    let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
    let all = counted(&w, async { maturation::run(&w.shop.app, event).await.unwrap() }).await;
    let share = f64::from(MATURING);
    let each = Traffic { write_units: all.write_units / share, read_units: all.read_units / share, dynamo_trips: all.dynamo_trips, ..all };
    b.rows.push(Row {
        name: "maturation, for each of 20 commissions of one affiliate",
        traffic: each,
        budget: Some((u32::MAX, 3.2)),
        dollars: price(all, JOB) / share,
    });
    let balance = w.affiliate_again(affiliate).await;
    let seen = counted(&w, async { w.get("/api/affiliate/balance", &balance.token).await.ok() }).await;
    b.row("balance", Some((2, 0.0)), seen, SHOP);
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    let counting = counted(&w, async { aggregation::run(&w.shop.app, event).await.unwrap() }).await;
    b.row("aggregation, a run with one active affiliate", None, counting, JOB);
    let summary = counted(&w, async { w.get("/api/affiliate/dashboard/summary", &balance.token).await.ok() }).await;
    b.row("dashboard summary", Some((2, 0.0)), summary, PUBLIC);
    let recounted = counted(&w, async { qutab::app::reconcile::reconcile(&w.shop.app, w.now(), Recount::Full).await.unwrap() }).await;
    b.row("reconciliation from the beginning, one affiliate", None, recounted, JOB);
    w.order(&w.customer_again("budi").await, "domba-garut", None).await;
    w.drain().await;
    let overdue = w.now().plus_days(2);
    let expired = counted(&w, async { qutab::app::release_order::expire_unpaid(&w.shop, overdue).await.unwrap() }).await;
    b.row("payment expiry, one order", None, expired, JOB);
    let archived = counted(&w, async { qutab::app::archive::archive(&w.shop.app, &w.archive, w.now().plus_days(91)).await.unwrap() }).await;
    b.row("click archive, one day of one affiliate", None, archived, JOB);
    let owner = w.admin("owner").await;
    let shop = counted(&w, async { w.get("/api/admin/dashboard", &owner).await.ok() }).await;
    b.row("the shop's dashboard, authorizer included", None, shop, SHOP);
    let report = counted(&w, async { w.get("/api/admin/reports/sales?group_by=affiliate", &owner).await.ok() }).await;
    b.row("a report of thirty days, authorizer included", None, report, SHOP);
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| use case | DynamoDB trips | reads | writes | budget | queue | gateway | USD per million |\n|---|--:|--:|--:|---|--:|--:|--:|\n",
    );
    for row in rows {
        let t = row.traffic;
        let budget = match row.budget {
            Some((trips, units)) if trips == u32::MAX => format!("<= {units} writes"),
            Some((0, units)) if t.dynamo_trips == 0 => format!("<= {units} writes"),
            Some((trips, units)) => format!("<= {trips} trips, {units} writes"),
            None => String::new(),
        };
        let missed = if row.missed() { " **missed**" } else { "" };
        let dollars = if row.dollars > 0.0 { format!("{:.2}", row.dollars * 1e6) } else { String::new() };
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.1} | {budget}{missed} | {} | {} | {dollars} |",
            row.name, t.dynamo_trips, t.read_units, t.write_units, t.queue_trips, t.gateway_trips
        );
    }
    text
}
