//! Tables for spreadsheets: what goes out and comes back is the same.

use qutab_tests::{PASSWORD, World};
use serde_json::json;

#[tokio::test]
async fn an_account_number_with_leading_zeros_comes_back_from_the_banks_table_unchanged() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    let account = json!({ "bank_code": "014", "account_number": "0012345678", "holder_name": "Promotor Handal", "current_password": PASSWORD });
    w.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(account)).await.ok();
    w.verify_saved_bank(&affiliate).await;
    w.pass_days(31);
    w.mature().await;
    let affiliate = w.affiliate_again(&affiliate).await;
    let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok()["id"].as_str().unwrap().to_owned();
    let finance = w.admin("finance").await;
    w.post(&format!("/api/admin/payouts/{payout}/process"), &finance, json!({})).await.ok();
    let file = String::from_utf8(w.get("/api/admin/payouts/export.csv", &finance).await.bytes).unwrap();
    assert!(file.contains(",'0012345678,") && file.contains(",'014,"), "as text, whatever opens it: {file}");
    let row = qutab::http::csv::rows(&file).unwrap().remove(0);
    assert_eq!((row["account_number"].as_str(), row["bank_code"].as_str()), ("0012345678", "014"));
    // As a spreadsheet of an Indonesian office saves it, with the bank's reference filled in.
    let saved = format!("\u{feff}{}", file.replace(',', ";").replace("Z;;\r\n", "Z;;'0099123\r\n"));
    let paid = w.post("/api/admin/payouts/batch", &finance, json!({ "action": "pay", "csv": saved })).await.ok();
    assert_eq!(paid["items"][0]["status"], "paid", "{paid}");
    let seen = w.get(&format!("/api/affiliate/payouts/{payout}"), &affiliate.token).await.ok();
    assert_eq!(seen["reference"], "0099123");
}
