//! Money where our books meet somebody else's word: the gateway's, the bank's, a colleague's alone.

mod announced;
mod guard;
mod links;
mod refunds;
mod transfers;

use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

fn invoice(order: &Value) -> String {
    order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn seen(w: &World, order: &Value) -> Value {
    w.get(&format!("/api/admin/orders/{}", id(order)), &w.admin("viewer").await).await.ok()
}

/// The kinds of the tasks that wait for a person.
fn tasks(w: &World) -> Vec<String> {
    w.kind("task").iter().map(|t| t["subject"]["M"]["kind"]["S"].as_str().unwrap().to_owned()).collect()
}

async fn close_task(w: &World, number: usize) -> u16 {
    let task = w.kind("task")[number]["id"]["S"].as_str().unwrap().to_owned();
    w.post(&format!("/api/admin/tasks/{task}/close"), &w.admin("finance").await, json!({ "note": "sudah diperiksa" })).await.status
}

/// An affiliate with Rp1.250.000 to withdraw.
async fn rich(w: &World, name: &str) -> Affiliate {
    let affiliate = w.affiliate(name).await;
    earn(w, &affiliate).await;
    w.verify_bank(&affiliate).await;
    w.pass_days(31);
    w.mature().await;
    w.affiliate_again(&affiliate).await
}

async fn earn(w: &World, affiliate: &Affiliate) {
    let buyer = format!("pembeli{}{}", affiliate.id.to_lowercase(), w.now().unix());
    let buyer = w.customer(&buyer).await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(id(&order), &["processing", "distributed", "completed"]).await;
}

async fn request(w: &World, affiliate: &Affiliate, body: Value) -> String {
    id(&w.post("/api/affiliate/payouts", &affiliate.token, body).await.ok()).to_owned()
}

/// What somebody of the staff does with a payout: the status, and the body.
async fn act(w: &World, role: &str, payout: &str, action: &str, body: Value) -> (u16, Value) {
    let answer = w.post(&format!("/api/admin/payouts/{payout}/{action}"), &w.admin(role).await, body).await;
    (answer.status, answer.body)
}

async fn status(w: &World, payout: &str) -> String {
    let path = format!("/api/admin/payouts/{payout}");
    w.get(&path, &w.admin("finance").await).await.ok()["status"].as_str().unwrap().to_owned()
}

async fn set(w: &World, settings: Value) {
    let owner = w.admin("owner").await;
    let mut body = settings;
    body["version"] = w.get("/api/admin/settings", &owner).await.ok()["version"].clone();
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(body)).await.ok();
}

/// The bank's table as `role` takes it: the text, and its rows.
async fn export(w: &World, role: &str) -> (String, usize, String) {
    let answer = w.get("/api/admin/payouts/export.csv", &w.admin(role).await).await;
    let text = String::from_utf8(answer.bytes).unwrap();
    let rows = qutab::http::csv::rows(&text).unwrap().len();
    (text, rows, answer.headers["x-left-out"].to_str().unwrap().to_owned())
}

async fn record_table(w: &World, role: &str, csv: &str) -> Value {
    let body = json!({ "action": "pay", "csv": csv });
    w.post("/api/admin/payouts/batch", &w.admin(role).await, body).await.ok()["items"].clone()
}

/// The table with the first row's reference filled in.
fn filled(table: &str, reference: &str) -> String {
    table.replacen(",\r\n", &format!(",{reference}\r\n"), 1)
}

async fn balance(w: &World, affiliate: &Affiliate) -> (i64, i64, i64, i64) {
    w.balance(&w.affiliate_again(affiliate).await).await
}
