//! Payouts one by one and in batches, and two people above the limit.

use qutab_local::wire::{Cut, Position};
use qutab_tests::{Affiliate, PASSWORD, World};
use serde_json::{Value, json};

/// An affiliate with something to withdraw.
async fn rich(w: &World, name: &str, slug: &str) -> Affiliate {
    let affiliate = w.affiliate(name).await;
    let buyer = w.customer(&format!("pembeli{name}")).await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, slug, Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    affiliate
}

async fn requested(w: &World, names: &[&str]) -> (Vec<Affiliate>, Vec<String>) {
    let mut affiliates = Vec::new();
    for name in names {
        affiliates.push(rich(w, name, "sapi-limosin").await);
    }
    w.pass_days(31);
    w.mature().await;
    let (mut again, mut payouts) = (Vec::new(), Vec::new());
    for affiliate in &affiliates {
        let affiliate = w.affiliate_again(affiliate).await;
        let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
        payouts.push(payout["id"].as_str().unwrap().to_owned());
        again.push(affiliate);
    }
    (again, payouts)
}

fn statuses(answer: &Value) -> Vec<String> {
    let status = |r: &Value| r["status"].as_str().or_else(|| r["problem"].as_str()).unwrap().to_owned();
    answer["items"].as_array().unwrap().iter().map(status).collect()
}

#[tokio::test]
async fn a_batch_is_processed_exported_and_recorded_from_the_same_table() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina", "tono", "sari"]).await;
    let finance = w.admin("finance").await;
    let batch = async |body: Value| w.post("/api/admin/payouts/batch", &finance, body).await;
    let process = json!({ "action": "process", "payouts": payouts });
    assert_eq!(statuses(&batch(process.clone()).await.ok()), ["processing"; 3]);
    assert_eq!(statuses(&batch(process).await.ok()), ["processing"; 3], "again is the same");
    let file = w.get("/api/admin/payouts/export.csv", &finance).await;
    let text = String::from_utf8(file.bytes).unwrap();
    let rows = qutab::http::csv::rows(&text).unwrap();
    assert_eq!((rows.len(), rows[0]["account_number"].as_str(), rows[0]["amount"].as_str()), (3, "1234567890", "1250000"));
    // The bank has made two of the transfers; their references are filled in. Meanwhile one affiliate changes the account.
    let filled = text.replacen(",\r\n", ",BCA-001\r\n", 1).replacen(",\r\n", ",BCA-002\r\n", 1);
    let changed = json!({ "bank_code": "009", "account_number": "7654321", "holder_name": "Rina W", "current_password": PASSWORD });
    let first = affiliates.iter().position(|a| rows[0]["payout_id"] == payouts[affiliates.iter().position(|b| b.id == a.id).unwrap()]).unwrap();
    w.send("PUT", "/api/affiliate/bank-account", Some(&affiliates[first].token), &[], Some(changed)).await.ok();
    assert_eq!(statuses(&batch(json!({ "action": "pay", "csv": filled })).await.ok()), ["paid", "paid"], "what has left is recorded");
    assert_eq!(statuses(&batch(json!({ "action": "pay", "csv": filled })).await.ok()), ["paid", "paid"], "once");
    let open = w.get("/api/admin/payouts?status=processing", &finance).await.ok();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    let paid = w.get("/api/admin/payouts?status=paid", &finance).await.ok();
    assert_eq!(
        (
            paid["items"].as_array().unwrap().len(),
            w.get("/api/admin/payouts?status=paid&month=2026-01", &finance).await.ok()["items"].as_array().unwrap().len()
        ),
        (2, 0)
    );
    for wrong in [
        json!({ "action": "pay", "csv": "a,b\r\n1\r\n" }),
        json!({ "action": "pay", "csv": text }),
        json!({ "action": "burn" }),
        json!({ "action": "process", "payouts": [] }),
    ] {
        assert_eq!(batch(wrong).await.status, 422);
    }
    w.drain().await;
    w.check_ledgers().await;
    assert_eq!(w.balance(&affiliates[first]).await, (0, 0, 0, 1_250_000));
}

#[tokio::test]
async fn a_transfer_that_has_left_is_recorded_whatever_has_changed() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina"]).await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    let suspend = format!("/api/admin/affiliates/{}/suspend", affiliates[0].id);
    w.post(&suspend, &w.admin("ops").await, json!({ "reason": "klik palsu" })).await.ok();
    let pay = async |body: Value| w.post(&format!("{path}/pay"), &finance, body).await.status;
    assert_eq!(pay(json!({ "reference": "BCA-7" })).await, 409, "nothing leaves any more");
    assert_eq!(pay(json!({ "reference": "BCA-7", "transfer_has_left": true })).await, 200, "but what has left is paid");
    assert_eq!(w.balance(&affiliates[0]).await, (0, 0, 0, 1_250_000));
}

#[tokio::test]
async fn above_the_limit_two_people_are_needed() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let settings = w.get("/api/admin/settings", &owner).await.ok();
    let body = json!({ "version": settings["version"], "second_person_above": 1_000_000 });
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(body)).await.ok();
    let (affiliates, payouts) = requested(&w, &["rina"]).await;
    let (finance, owner) = (w.admin("finance").await, w.admin("owner").await);
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    w.post(&format!("{path}/process"), &owner, json!({})).await.ok();
    for (who, why) in [(&owner, "who processed it"), (&finance, "who verified the account")] {
        assert_eq!(w.post(&format!("{path}/pay"), who, json!({ "reference": "BCA-1" })).await.status, 403, "not before it is approved");
        assert_eq!(w.post(&format!("{path}/approve"), who, json!({})).await.status, 403, "{why}");
    }
    let invited = json!({ "name": "Staf Ketiga", "email": "ketiga@qutab.test", "role": "finance" });
    w.post("/api/admin/staff", &owner, invited).await.ok();
    w.drain().await;
    let link = w.mailed_token("ketiga@qutab.test", "accept-invitation");
    w.post("/api/admin/auth/accept-invitation", "", json!({ "token": link, "password": PASSWORD })).await;
    w.pass_days(1);
    let login = w.post("/api/admin/auth/login", "", json!({ "email": "ketiga@qutab.test", "password": PASSWORD })).await.ok();
    let third = login["access_token"].as_str().unwrap();
    w.post(&format!("{path}/approve"), third, json!({})).await.ok();
    w.post(&format!("{path}/pay"), third, json!({ "reference": "BCA-1" })).await.ok();
    assert_eq!(w.balance(&w.affiliate_again(&affiliates[0]).await).await, (0, 0, 0, 1_250_000));
}

#[tokio::test]
async fn a_limit_that_is_raised_holds_for_another_day() {
    let w = World::new().await;
    let (_, payouts) = requested(&w, &["rina"]).await;
    let limit = async |version: i64, above: i64| {
        let body = json!({ "version": version, "second_person_above": above });
        w.send("PUT", "/api/admin/settings", Some(&w.admin("owner").await), &[], Some(body)).await.ok()
    };
    limit(1, 1_000_000).await;
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    w.post(&format!("{path}/process"), &w.admin("owner").await, json!({})).await.ok();
    let pay = async || w.post(&format!("{path}/pay"), &w.admin("owner").await, json!({ "reference": "BCA-1" })).await.status;
    assert_eq!(limit(2, 50_000_000).await["earlier_limit"]["above"], 1_000_000);
    assert_eq!(pay().await, 403, "not by the same hand that raised it a moment ago");
    assert_eq!(limit(3, 60_000_000).await["earlier_limit"]["above"], 1_000_000, "raising it again does not lose what holds");
    w.pass_seconds(86_400);
    assert_eq!(pay().await, 200);
    assert_eq!(limit(4, 500_000).await["second_person_above"], 500_000, "lowered, it holds at once");
}

#[tokio::test]
async fn a_transfer_that_failed_or_came_back_is_recorded_by_hand_and_the_money_is_there_again() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina", "tono"]).await;
    let finance = w.admin("finance").await;
    let act = async |n: usize, what: &str, body: Value| w.post(&format!("/api/admin/payouts/{}/{what}", payouts[n]), &finance, body).await;
    act(0, "process", json!({})).await.ok();
    for _ in 0..2 {
        assert_eq!(act(0, "fail", json!({ "reason": "Rekening tutup", "transfer_has_left": true })).await.ok()["status"], "failed");
    }
    act(1, "process", json!({})).await.ok();
    act(1, "pay", json!({ "reference": "BCA-1" })).await.ok();
    let owner = w.admin("owner").await;
    for _ in 0..2 {
        let path = format!("/api/admin/payouts/{}/reverse", payouts[1]);
        assert_eq!(w.post(&path, &owner, json!({ "reason": "Bank mengembalikan" })).await.ok()["status"], "reversed");
    }
    for affiliate in &affiliates {
        assert_eq!(w.balance(affiliate).await, (0, 1_250_000, 0, 0), "once");
    }
    w.check_ledgers().await;
}

#[tokio::test]
async fn whole_account_numbers_are_for_who_makes_the_transfer() {
    let w = World::new().await;
    let (_, payouts) = requested(&w, &["rina"]).await;
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    assert_eq!(w.get(&path, &w.admin("viewer").await).await.ok()["account_number"], "******7890");
    assert_eq!(w.get(&path, &w.admin("finance").await).await.ok()["account_number"], "1234567890");
    assert_eq!(w.get("/api/admin/payouts/export.csv", &w.admin("viewer").await).await.status, 403);
}

async fn switched_on(w: &World) {
    let owner = w.admin("owner").await;
    let version = w.get("/api/admin/settings", &owner).await.ok()["version"].clone();
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(json!({ "version": version, "gateway_payouts": true }))).await.ok();
}

#[tokio::test]
async fn the_gateway_transfers_where_that_is_switched_on_and_tells_what_becomes_of_it() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina", "tono"]).await;
    let finance = w.admin("finance").await;
    let act = async |n: usize, what: &str, body: Value| w.post(&format!("/api/admin/payouts/{}/{what}", payouts[n]), &finance, body).await;
    act(0, "process", json!({})).await.ok();
    assert_eq!(act(0, "transfer", json!({})).await.status, 409, "off unless it is switched on");
    switched_on(&w).await;
    assert_eq!(act(1, "transfer", json!({})).await.status, 409, "not before it is in processing");
    for _ in 0..2 {
        act(0, "transfer", json!({})).await.ok();
    }
    w.drain().await;
    assert_eq!(w.wire.zendit.paid_out(), 1_250_000, "once");
    let table = w.get("/api/admin/payouts/export.csv", &finance).await;
    assert_eq!(qutab::http::csv::rows(&String::from_utf8(table.bytes).unwrap()).unwrap().len(), 0, "the bank does not make it as well");
    for (what, refused) in [("fail", 403), ("reject", 409)] {
        assert_eq!(act(0, what, json!({ "reason": "x" })).await.status, refused, "{what}: the gateway has it");
    }
    assert_eq!(act(0, "pay", json!({ "reference": "BCA-1", "transfer_has_left": true })).await.status, 409);
    let told = w.wire.zendit.finish_payouts("SUCCEEDED");
    for _ in 0..3 {
        w.webhook(&told[0]).await;
    }
    w.drain().await;
    assert_eq!(w.balance(&affiliates[0]).await, (0, 0, 0, 1_250_000));
    // Weeks later the bank sends it back.
    for event in w.wire.zendit.finish_payouts("REVERSED") {
        w.webhook(&event).await;
        w.webhook(&event).await;
    }
    w.webhook(&told[0]).await;
    w.drain().await;
    assert_eq!(w.balance(&affiliates[0]).await, (0, 1_250_000, 0, 0), "back once, and not paid again by an old notice");
    // Another one: the gateway never tells, and is asked.
    act(1, "process", json!({})).await.ok();
    act(1, "transfer", json!({})).await.ok();
    w.drain().await;
    w.wire.zendit.finish_payouts("FAILED");
    w.pass_seconds(3_700);
    w.expire().await;
    let finance = w.admin("finance").await;
    assert_eq!(w.get(&format!("/api/admin/payouts/{}", payouts[1]), &finance).await.ok()["status"], "failed");
    assert_eq!(w.wire.zendit.paid_out(), 0);
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_transfer_that_is_refused_for_a_day_fails_unless_the_gateway_took_it_all_the_same() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina", "tono"]).await;
    let finance = w.admin("finance").await;
    switched_on(&w).await;
    let status = async |n: usize| w.get(&format!("/api/admin/payouts/{}", payouts[n]), &w.admin("finance").await).await.ok()["status"].clone();
    for payout in &payouts {
        for what in ["process", "transfer"] {
            w.post(&format!("/api/admin/payouts/{payout}/{what}"), &finance, json!({})).await.ok();
        }
    }
    // The gateway takes one of the two; its answer is lost, and the worker dies.
    let mut at = 0;
    while w.wire.zendit.paid_out() == 0 {
        w.wire.arm(Cut { at, position: Position::AnswerLost, dies: true });
        w.work_once().await;
        w.wire.revive();
        w.pass_seconds(61);
        at += 1;
    }
    w.wire.zendit.refuse(Some((403, "ACCOUNT_SUSPENDED")));
    let again = async || {
        qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
        w.drain().await;
    };
    for _ in 0..4 {
        w.pass_seconds(20_000);
        again().await;
        assert_eq!((status(0).await, status(1).await), (json!("processing"), json!("processing")), "it may be mended yet");
    }
    for _ in 0..6 {
        w.pass_seconds(22_000);
        again().await;
    }
    let ended = [status(0).await, status(1).await];
    assert!(ended.contains(&json!("failed")) && ended.contains(&json!("processing")), "{ended:?}");
    assert_eq!(w.wire.zendit.paid_out(), 1_250_000);
    // Nobody tells: it is asked.
    w.wire.zendit.finish_payouts("SUCCEEDED");
    w.pass_seconds(3_700);
    w.expire().await;
    let balance = async |n: usize| w.balance(&w.affiliate_again(&affiliates[n]).await).await;
    let mut books = [balance(0).await, balance(1).await];
    books.sort_unstable();
    assert_eq!(books, [(0, 0, 0, 1_250_000), (0, 1_250_000, 0, 0)], "one was paid, the other can be asked for again");
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_transfer_may_carry_a_picture_that_proves_it() {
    let picture: &[u8] = include_bytes!("../../infra/local/pictures/domba-garut.jpg");
    let w = World::new().await;
    let (_, payouts) = requested(&w, &["rina"]).await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}/proof", payouts[0]);
    assert_eq!(w.get(&path, &finance).await.status, 404, "there is none yet");
    let opened = w.post(&path, &finance, json!({ "content_type": "image/jpeg", "bytes": picture.len() })).await.ok();
    let request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
    let request = request.header("content-length", picture.len()).body(picture.to_vec().into()).unwrap();
    assert_eq!(w.wire.files.answer(request).await.status(), 200);
    let done = format!("{path}/{}/complete", opened["upload_id"].as_str().unwrap());
    assert_eq!(w.post(&done, &w.admin("ops").await, json!({})).await.status, 403);
    w.post(&done, &finance, json!({})).await.ok();
    w.drain().await;
    let link = w.get(&path, &finance).await.ok()["picture"]["path"].as_str().unwrap().to_owned();
    let shown = w.get(&link, &finance).await;
    assert!(shown.status == 200 && shown.bytes.starts_with(b"\xff\xd8\xff"));
    assert_eq!(w.get(&link, &finance).await.status, 404, "once");
    assert_eq!(w.get(&format!("/api/admin/payouts/{}", payouts[0]), &finance).await.ok()["has_proof"], true);
    let kept = w.darkroom.documents.read(&format!("proofs/{}", opened["upload_id"].as_str().unwrap())).await.unwrap().unwrap();
    assert!(!kept.windows(3).any(|b| b == b"\xff\xd8\xff"), "sealed at rest");
}

#[tokio::test]
async fn what_the_bank_was_given_the_gateway_does_not_transfer() {
    let w = World::new().await;
    let (_, payouts) = requested(&w, &["rina"]).await;
    switched_on(&w).await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    assert_eq!(w.get("/api/admin/dashboard", &finance).await.ok()["payouts_waiting"]["count"], 1);
    w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
    for _ in 0..2 {
        let table = w.get("/api/admin/payouts/export.csv", &finance).await;
        assert_eq!(qutab::http::csv::rows(&String::from_utf8(table.bytes).unwrap()).unwrap().len(), 1, "again is the same");
    }
    assert_eq!(w.post(&format!("{path}/transfer"), &finance, json!({})).await.status, 409);
    w.post(&format!("{path}/pay"), &finance, json!({ "reference": "BCA-1" })).await.ok();
    assert_eq!(w.wire.zendit.paid_out(), 0);
}

#[tokio::test]
async fn who_verified_the_account_does_not_pay_even_when_another_one_was_saved_since() {
    let w = World::new().await;
    let owner = w.admin("owner").await;
    let version = w.get("/api/admin/settings", &owner).await.ok()["version"].clone();
    let limit = json!({ "version": version, "second_person_above": 1_000_000 });
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(limit)).await.ok();
    // `verify_bank` lets finance verify the account.
    let (affiliates, payouts) = requested(&w, &["rina"]).await;
    let (owner, finance) = (w.admin("owner").await, w.admin("finance").await);
    let path = format!("/api/admin/payouts/{}", payouts[0]);
    w.post(&format!("{path}/process"), &owner, json!({})).await.ok();
    let changed = json!({ "bank_code": "009", "account_number": "7654321", "holder_name": "Rina W", "current_password": PASSWORD });
    w.send("PUT", "/api/affiliate/bank-account", Some(&affiliates[0].token), &[], Some(changed)).await.ok();
    let pay = json!({ "reference": "BCA-1", "transfer_has_left": true });
    assert_eq!(w.post(&format!("{path}/pay"), &finance, pay).await.status, 403);
}

#[tokio::test]
async fn every_movement_of_money_is_in_the_audit_log_once() {
    let w = World::new().await;
    let (affiliates, payouts) = requested(&w, &["rina"]).await;
    let finance = w.admin("finance").await;
    w.post(&format!("/api/admin/payouts/{}/process", payouts[0]), &finance, json!({})).await.ok();
    w.post(&format!("/api/admin/payouts/{}/pay", payouts[0]), &finance, json!({ "reference": "BCA-1" })).await.ok();
    for _ in 0..2 {
        let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
        qutab_tests::grants::acting("reconciliation", reconciliation::run(&w.shop.app, event)).await.unwrap();
    }
    let log = w.get(&format!("/api/admin/audit-log?subject={}&action=ledger&from=2026-11-01&to=2027-01-31", affiliates[0].id), &finance).await.ok();
    let lines = log["items"].as_array().unwrap();
    let mut actions: Vec<&str> = lines.iter().map(|l| l["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["ledger.earned", "ledger.matured", "ledger.payout_paid", "ledger.payout_requested"]);
    let paid = lines.iter().find(|l| l["action"] == "ledger.payout_paid").unwrap();
    assert_eq!(
        (&paid["before"]["reserved"], &paid["after"]["balance"]["paid_out"], &paid["admin"]),
        (&json!(1_250_000), &json!(1_250_000), &Value::Null)
    );
}
