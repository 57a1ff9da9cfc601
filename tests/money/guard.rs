//! Money leaves under one guard, whichever way it goes.

use super::{act, balance, close_task, export, filled, id, record_table, request, rich, set, status, tasks};
use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::json;

async fn processed(w: &World, name: &str) -> (Affiliate, String) {
    let affiliate = rich(w, name).await;
    let payout = request(w, &affiliate, json!({})).await;
    assert_eq!(act(w, "finance", &payout, "process", json!({})).await.0, 200);
    (affiliate, payout)
}

async fn suspend(w: &World, affiliate: &Affiliate) {
    w.post(&format!("/api/admin/affiliates/{}/suspend", affiliate.id), &w.admin("ops").await, json!({ "reason": "klik palsu" })).await.ok();
}

async fn change_account(w: &World, affiliate: &Affiliate) {
    let changed = json!({ "bank_code": "009", "account_number": "7654321", "holder_name": "Rina W", "current_password": PASSWORD });
    w.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(changed)).await.ok();
}

#[tokio::test]
async fn the_banks_table_leaves_out_what_may_not_leave_and_says_so() {
    let w = World::new().await;
    let (suspended, first) = processed(&w, "rina").await;
    suspend(&w, &suspended).await;
    let (changed, second) = processed(&w, "tono").await;
    change_account(&w, &changed).await;
    let (_, third) = processed(&w, "sari").await;
    let (table, rows, left_out) = export(&w, "finance").await;
    assert_eq!((rows, table.contains(&third)), (1, true));
    assert!(left_out.contains(&format!("{first}: the affiliate is not approved")), "{left_out}");
    assert!(left_out.contains(&format!("{second}: the bank account has changed")), "{left_out}");
    for payout in [&first, &second] {
        assert_eq!(act(&w, "finance", payout, "pay", json!({ "reference": "BCA-7" })).await.0, 409, "one by one it is the same");
    }
}

#[tokio::test]
async fn the_banks_table_leaves_out_a_debt() {
    let w = World::new().await;
    let affiliate = rich(&w, "rina").await;
    let payout = request(&w, &affiliate, json!({})).await;
    act(&w, "finance", &payout, "process", json!({})).await;
    // The order behind it is refunded: the balance falls below zero.
    let order = w.kind("order")[0]["id"]["S"].as_str().unwrap().to_owned();
    let refund = json!({ "kind": "end", "because": "undeliverable" });
    w.post(&format!("/api/admin/orders/{order}/refund"), &w.admin("finance").await, refund).await.ok();
    let (_, rows, left_out) = export(&w, "finance").await;
    assert_eq!((rows, left_out), (0, format!("{payout}: the available balance is below zero")));
}

#[tokio::test]
async fn only_what_was_exported_is_recorded_from_a_table() {
    let w = World::new().await;
    let (affiliate, payout) = processed(&w, "rina").await;
    suspend(&w, &affiliate).await;
    let by_hand = format!("payout_id,reference\r\n{payout},BCA-9\r\n");
    let said = record_table(&w, "finance", &by_hand).await;
    assert_eq!((said[0]["problem"].as_str(), status(&w, &payout).await.as_str()), (Some("conflict"), "processing"));
}

#[tokio::test]
async fn an_exported_payout_is_neither_rejected_nor_failed_by_whoever_sent_it() {
    let w = World::new().await;
    let (affiliate, payout) = processed(&w, "rina").await;
    let (table, rows, _) = export(&w, "finance").await;
    assert_eq!(rows, 1);
    for role in ["finance", "owner"] {
        assert_eq!(act(&w, role, &payout, "reject", json!({ "reason": "salah" })).await.0, 409, "{role}: it may have left");
    }
    assert_eq!(act(&w, "owner", &payout, "fail", json!({ "reason": "x" })).await.0, 409, "not without the bank's confirmation");
    let confirmed = json!({ "reason": "bank menolak", "not_transferred": true });
    assert_eq!(act(&w, "finance", &payout, "fail", confirmed.clone()).await.0, 403, "not by whoever took the table");
    assert_eq!(act(&w, "owner", &payout, "fail", confirmed).await.0, 200);
    assert_eq!(balance(&w, &affiliate).await, (0, 1_250_000, 0, 0));
    // The affiliate asks again, and then the bank's table comes back: it was transferred all the same.
    let second = request(&w, &w.affiliate_again(&affiliate).await, json!({})).await;
    act(&w, "finance", &second, "process", json!({})).await;
    assert_eq!(record_table(&w, "finance", &filled(&table, "BCA-001")).await[0]["status"], "paid", "the truth is recorded");
    assert_eq!(balance(&w, &affiliate).await, (0, -1_250_000, 1_250_000, 1_250_000));
    assert_eq!(tasks(&w), ["money_contradiction"]);
    assert_eq!(act(&w, "owner", &second, "pay", json!({ "reference": "BCA-2" })).await.0, 409, "nothing leaves over a debt");
    act(&w, "owner", &second, "reject", json!({ "reason": "sudah ditransfer" })).await;
    assert_eq!(balance(&w, &affiliate).await, (0, 0, 0, 1_250_000), "once");
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_transfer_by_hand_that_left_while_a_colleague_rejected_it_is_recorded() {
    let w = World::new().await;
    let (affiliate, payout) = processed(&w, "rina").await;
    assert_eq!(act(&w, "owner", &payout, "reject", json!({ "reason": "salah tab" })).await.0, 200);
    let left = json!({ "reference": "BCA-1", "transfer_has_left": true });
    assert_eq!(act(&w, "owner", &payout, "pay", left.clone()).await.0, 403, "not by whoever released it");
    assert_eq!(act(&w, "finance", &payout, "pay", json!({ "reference": "BCA-1" })).await.0, 409, "nothing leaves that was released");
    assert_eq!(act(&w, "finance", &payout, "pay", left).await.0, 200);
    assert_eq!((balance(&w, &affiliate).await, tasks(&w)), ((0, 0, 0, 1_250_000), vec!["money_contradiction".to_owned()]));
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_second_table_says_which_rows_were_in_an_earlier_one() {
    let w = World::new().await;
    let (_, first) = processed(&w, "rina").await;
    export(&w, "finance").await;
    let exported = w.now();
    let (_, second) = processed(&w, "tono").await;
    let (table, ..) = export(&w, "finance").await;
    let rows = qutab::http::csv::rows(&table).unwrap();
    let marks: Vec<(String, String)> = rows.into_iter().map(|r| (r["payout_id"].clone(), r["first_exported_at"].clone())).collect();
    assert_eq!(marks, [(second, String::new()), (first, exported.to_string())]);
}

#[tokio::test]
async fn the_table_is_whole_behind_a_thousand_requests_that_wait() {
    let w = World::new().await;
    let (_, payout) = processed(&w, "rina").await;
    let store = &w.shop.app.store;
    let mine = store.payout(qutab::domain::ids::PayoutId::parse(&payout).unwrap()).await.unwrap().unwrap().value;
    for n in 0..1_100_i64 {
        let mut other = mine.clone();
        other.requested_at = w.now().plus_seconds(-10_000 + n);
        other.id = qutab::domain::ids::PayoutId::fresh(other.requested_at, &w.shop.app.entropy);
        other.status = qutab::domain::payout::PayoutStatus::Requested;
        store.create(&other).await.unwrap();
    }
    assert_eq!(export(&w, "finance").await.1, 1);
}

#[tokio::test]
async fn above_the_limit_a_second_person_approves_before_anything_leaves_any_way() {
    let w = World::new().await;
    set(&w, json!({ "second_person_above": 1_000_000, "gateway_payouts": true })).await;
    let affiliate = rich(&w, "rina").await;
    let payout = request(&w, &affiliate, json!({})).await;
    act(&w, "owner", &payout, "process", json!({})).await;
    assert_eq!(export(&w, "owner").await.1, 0, "not into the bank's table");
    for role in ["owner", "finance"] {
        assert_eq!(act(&w, role, &payout, "transfer", json!({})).await.0, 403, "{role}: not to the gateway");
        assert_eq!(act(&w, role, &payout, "pay", json!({ "reference": "BCA-1" })).await.0, 403, "{role}: not by hand");
        assert_eq!(act(&w, role, &payout, "approve", json!({})).await.0, 403, "{role} processed it, or verified the account");
    }
    assert_eq!(act(&w, "ops", &payout, "approve", json!({})).await.0, 403, "who has no right to payouts");
    let third = colleague(&w, "ketiga").await;
    let approve = async |token: &str| w.post(&format!("/api/admin/payouts/{payout}/approve"), token, json!({})).await.status;
    assert_eq!(approve(&third).await, 403, "who joined today may be the owner's other self");
    w.pass_days(1);
    let third = log_in(&w, "ketiga").await;
    assert_eq!((approve(&third).await, approve(&third).await), (200, 200), "twice is once");
    let seen = w.get(&format!("/api/admin/payouts/{payout}"), &third).await.ok();
    assert!(seen["approved_by"].is_string() && seen["approved_at"].is_string());
    assert_eq!(export(&w, "owner").await.1, 1);
}

/// Invites somebody with the rights of finance, and logs them in.
async fn colleague(w: &World, name: &str) -> String {
    let invited = json!({ "name": "Staf Baru", "email": format!("{name}@qutab.test"), "role": "finance" });
    w.post("/api/admin/staff", &w.admin("owner").await, invited).await.ok();
    w.drain().await;
    let link = w.mailed_token(&format!("{name}@qutab.test"), "accept-invitation");
    w.post("/api/admin/auth/accept-invitation", "", json!({ "token": link, "password": PASSWORD })).await;
    log_in(w, name).await
}

async fn log_in(w: &World, name: &str) -> String {
    let body = json!({ "email": format!("{name}@qutab.test"), "password": PASSWORD });
    w.post("/api/admin/auth/login", "", body).await.ok()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_colleague_whose_role_has_just_changed_is_not_the_second_person() {
    let w = World::new().await;
    set(&w, json!({ "second_person_above": 1_000_000 })).await;
    let affiliate = rich(&w, "rina").await;
    let payout = request(&w, &affiliate, json!({})).await;
    act(&w, "owner", &payout, "process", json!({})).await;
    let staff = w.get("/api/admin/staff", &w.admin("owner").await).await.ok();
    let viewer = staff["items"].as_array().unwrap().iter().find(|s| s["email"] == "viewer@qutab.test").unwrap().clone();
    let change = json!({ "role": "finance" });
    w.send("PATCH", &format!("/api/admin/staff/{}", id(&viewer)), Some(&w.admin("owner").await), &[], Some(change)).await.ok();
    assert_eq!(act(&w, "viewer", &payout, "approve", json!({})).await.0, 403);
    w.pass_days(1);
    assert_eq!(act(&w, "viewer", &payout, "approve", json!({})).await.0, 200);
}

#[tokio::test]
async fn small_payouts_of_a_week_count_together_against_the_limit() {
    let w = World::new().await;
    set(&w, json!({ "second_person_above": 500_000 })).await;
    let affiliate = rich(&w, "rina").await;
    for n in 0..3 {
        let affiliate = w.affiliate_again(&affiliate).await;
        let payout = request(&w, &affiliate, json!({ "amount": 400_000 })).await;
        act(&w, "finance", &payout, "process", json!({})).await;
        let pay = act(&w, "finance", &payout, "pay", json!({ "reference": format!("BCA-{n}") })).await.0;
        // The first is below the limit; the second is not, together with the first, until seven days have passed.
        assert_eq!(pay, if n == 1 { 403 } else { 200 }, "payout {n}");
        if n == 1 {
            act(&w, "owner", &payout, "reject", json!({ "reason": "belum" })).await;
            w.pass_days(7);
        }
    }
}

#[tokio::test]
async fn what_was_recorded_as_left_counts_against_the_limit_as_well() {
    let w = World::new().await;
    set(&w, json!({ "second_person_above": 500_000 })).await;
    let affiliate = rich(&w, "rina").await;
    let payout = request(&w, &affiliate, json!({ "amount": 400_000 })).await;
    act(&w, "finance", &payout, "process", json!({})).await;
    assert_eq!(act(&w, "finance", &payout, "pay", json!({ "reference": "BCA-1", "transfer_has_left": true })).await.0, 200);
    let payout = request(&w, &affiliate, json!({ "amount": 400_000 })).await;
    act(&w, "finance", &payout, "process", json!({})).await;
    assert_eq!(act(&w, "finance", &payout, "pay", json!({ "reference": "BCA-2" })).await.0, 403, "together above the limit");
}

#[tokio::test]
async fn what_left_above_the_limit_without_approval_is_recorded_by_a_second_person_and_rings() {
    let w = World::new().await;
    set(&w, json!({ "second_person_above": 1_000_000 })).await;
    let affiliate = rich(&w, "rina").await;
    let payout = request(&w, &affiliate, json!({})).await;
    act(&w, "finance", &payout, "process", json!({})).await;
    let left = json!({ "reference": "BCA-1", "transfer_has_left": true });
    assert_eq!(act(&w, "finance", &payout, "pay", left.clone()).await.0, 403);
    assert_eq!(act(&w, "owner", &payout, "pay", left).await.0, 200, "its true outcome");
    assert_eq!(tasks(&w), ["payout_not_approved"]);
    assert_eq!(close_task(&w, 0).await, 403, "it tells the others of what finance did");
    let all = w.get("/api/admin/tasks", &w.admin("ops").await).await.ok();
    let path = format!("/api/admin/tasks/{}/close", all["items"][0]["id"].as_str().unwrap());
    assert_eq!(w.post(&path, &w.admin("owner").await, json!({ "note": "sudah" })).await.status, 403, "nor who recorded it");
    assert_eq!(w.post(&path, &w.admin("ops").await, json!({ "note": "sudah dibicarakan" })).await.status, 204);
}

#[tokio::test]
async fn a_transfer_by_hand_is_reversed_by_another_person_than_who_sent_it() {
    let w = World::new().await;
    let (affiliate, payout) = processed(&w, "rina").await;
    act(&w, "finance", &payout, "pay", json!({ "reference": "BCA-1" })).await;
    for _ in 0..3 {
        assert_eq!(act(&w, "finance", &payout, "reverse", json!({ "reason": "kembali" })).await.0, 403);
    }
    assert_eq!(balance(&w, &affiliate).await, (0, 0, 0, 1_250_000));
    assert_eq!(act(&w, "owner", &payout, "reverse", json!({ "reason": "rekening tutup" })).await.0, 200);
    assert_eq!(balance(&w, &affiliate).await, (0, 1_250_000, 0, 0));
}

#[tokio::test]
async fn a_payout_of_nothing_is_not_requested() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.verify_bank(&affiliate).await;
    assert_eq!(w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.status, 409);
}
