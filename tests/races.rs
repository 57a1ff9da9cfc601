//! Many at once, on real threads.

mod of_affiliates;
mod of_staff;

use qutab_tests::World;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// Runs every job on a thread and a runtime of its own, as two warm functions would run, and waits for all.
fn at_once<J: FnOnce(&Runtime) + Send + 'static>(jobs: impl IntoIterator<Item = J>) {
    let start = |job: J| std::thread::spawn(move || job(&Builder::new_current_thread().enable_all().build().unwrap()));
    let threads: Vec<_> = jobs.into_iter().map(start).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_payout_requests_one_wins() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    w.verify_bank(&affiliate).await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    let due = w.now().plus_days(31);
    let event = serde_json::from_value(json!({ "time": due })).unwrap();
    assert_eq!(qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.unwrap().commissions, 1);
    let mut requests = Vec::new();
    for _ in 0..100 {
        let (w, token) = (w.clone(), affiliate.token.clone());
        requests.push(tokio::spawn(async move { w.post("/api/affiliate/payouts", &token, json!({ "amount": 200_000 })).await.status }));
    }
    let mut won = 0;
    for request in requests {
        match request.await.unwrap() {
            201 => won += 1,
            409 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(w.balance(&affiliate).await, (0, 1_050_000, 200_000, 0));
    w.check_ledgers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_buyers_get_the_last_twelve() {
    let w = World::new().await;
    let mut buyers = Vec::new();
    for name in ["budi", "sari", "dewi", "joko", "agus"] {
        buyers.push(w.customer(name).await);
    }
    let mut orders = Vec::new();
    for n in 0..100 {
        let (w, buyer) = (w.clone(), buyers[n % buyers.len()].clone());
        orders.push(tokio::spawn(async move { w.post("/api/orders", &buyer, World::order_body("sapi-limosin", 1, None)).await.status }));
    }
    let mut sold = 0;
    for order in orders {
        match order.await.unwrap() {
            201 => sold += 1,
            409 | 429 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!((sold, w.stock("sapi-limosin").await), (12, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_shuffled_notices_leave_the_state_of_one() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let mut notices = Vec::new();
    for _ in 0..4 {
        let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
        let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let notice = w.wire.zendit.pay(&invoice, "EWALLET", None).unwrap();
        notices.extend(std::iter::repeat_n(notice, 250));
    }
    fastrand::Rng::with_seed(7).shuffle(&mut notices);
    for notice in &notices {
        assert_eq!(w.webhook(notice).await.status, 200);
    }
    at_once((0..4).map(|_| {
        let w = w.clone();
        move |runtime: &Runtime| runtime.block_on(w.drain())
    }));
    w.drain().await;
    assert_eq!(w.balance(&affiliate).await, (4 * 137_500, 0, 0, 0));
    let mails = w.wire.mailbox.all().iter().filter(|m| m.subject.starts_with("Pembayaran")).count();
    assert_eq!(mails, 4, "one confirmation for each order");
    w.check_ledgers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refund_payout_and_maturation_at_once_keep_every_rupiah() {
    for round in 0..20_u64 {
        let w = World::seeded(9_000 + round).await;
        let affiliate = w.affiliate("rina").await;
        w.verify_bank(&affiliate).await;
        w.customer("budi").await;
        let click = w.click(&affiliate.code).await;
        let mut orders = Vec::new();
        for _ in 0..2 {
            let buyer = w.customer_again("budi").await;
            let order = w.order(&buyer, "sapi-limosin", Some(&click)).await;
            w.pay(&order).await;
            w.drain().await;
            w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
            orders.push(order["id"].as_str().unwrap().to_owned());
            w.pass_days(16);
        }
        w.mature().await;
        w.pass_days(16);
        let (finance, affiliate) = (w.admin("finance").await, w.affiliate_again(&affiliate).await);
        let jobs: Vec<Job> = vec![
            Box::new({
                let (w, order) = (w.clone(), orders[0].clone());
                move |rt| {
                    let body = json!({ "kind": "end", "because": "undeliverable" });
                    let path = format!("/api/admin/orders/{order}/refund");
                    rt.block_on(w.send("POST", &path, Some(&finance), &[("idempotency-key", "race-refund")], Some(body))).ok();
                }
            }),
            Box::new({
                let (w, token) = (w.clone(), affiliate.token.clone());
                move |rt| {
                    let status = rt.block_on(w.post("/api/affiliate/payouts", &token, json!({ "amount": 1_000_000 }))).status;
                    assert!([201, 409].contains(&status), "{status}");
                }
            }),
            Box::new({
                let w = w.clone();
                move |rt| {
                    rt.block_on(w.mature());
                }
            }),
        ];
        at_once(jobs);
        w.drain().await;
        w.check_ledgers().await;
        w.mature().await;
        let (pending, available, reserved, paid) = w.balance(&affiliate).await;
        assert_eq!((pending, available + reserved, paid), (0, 1_250_000, 0), "round {round}: one commission is left, whatever is reserved");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_is_used_as_often_as_it_may_be_in_all_and_by_one_customer() {
    let w = World::new().await;
    w.coupon("SEPULUH", 10, None).await;
    w.coupon("SEKALI", 100, Some(1)).await;
    let mut buyers = Vec::new();
    for n in 0..12 {
        buyers.push(w.customer(&format!("budi{n}")).await);
    }
    for (code, most, many) in [("SEPULUH", 10, 12), ("SEKALI", 1, 1)] {
        let mut orders = Vec::new();
        for n in 0..40 {
            let (w, buyer) = (w.clone(), buyers[n % many].clone());
            let mut body = World::order_body("kambing-standar", 1, None);
            body["coupon"] = json!(code);
            orders.push(tokio::spawn(async move { w.post("/api/orders", &buyer, body).await.status }));
        }
        let mut won = 0;
        for order in orders {
            match order.await.unwrap() {
                201 => won += 1,
                409 | 422 | 503 => {}
                other => panic!("{other}"),
            }
        }
        assert_eq!((won, w.coupon_used(code)), (most, most), "{code}");
    }
    assert_eq!(w.stock("kambing-standar").await, 189);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_registered_by_forty_at_once_is_one_account() {
    let w = World::new().await;
    at_once((0..40).map(|n| {
        let w = w.clone();
        move |runtime: &Runtime| {
            let body =
                json!({ "name": format!("Orang {n}"), "email": "sama@example.com", "phone": "081234567890", "password": qutab_tests::PASSWORD });
            let status = runtime.block_on(w.send_from(&format!("198.51.100.{n}"), "POST", "/api/auth/register", body)).status;
            assert_eq!(status, 202);
        }
    }));
    assert_eq!(w.items().iter().filter(|i| i["kind"]["S"] == "customer").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_used_by_ten_at_once_sets_one_password() {
    let w = World::new().await;
    w.customer("budi").await;
    w.post("/api/auth/forgot-password", "", json!({ "email": "budi@example.com" })).await.ok();
    w.drain().await;
    let token = w.mailed_token("budi@example.com", "reset-password");
    let mut tries = Vec::new();
    for n in 0..10 {
        let (w, body) = (w.clone(), json!({ "token": token, "password": format!("kata sandi ke-{n}") }));
        tries.push(tokio::spawn(async move { w.post("/api/auth/reset-password", "", body).await.status }));
    }
    let mut statuses = Vec::new();
    for answer in tries {
        statuses.push(answer.await.unwrap());
    }
    assert_eq!((statuses.iter().filter(|s| **s == 204).count(), statuses.iter().filter(|s| **s == 422).count()), (1, 9), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_changed_while_the_order_is_paid_are_both_kept() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    for round in 0..10 {
        let order = w.order(&buyer, "kambing-standar", None).await;
        let id = order["id"].as_str().unwrap().to_owned();
        w.pay(&order).await;
        let product = order["items"][0]["product_id"].clone();
        let body = json!({ "items": [{ "product_id": product, "shohibul": [{ "name": format!("Nama {round}") }] }] });
        let (a, b, path, token) = (w.clone(), w.clone(), format!("/api/orders/{id}/names"), buyer.clone());
        let rename: Job = Box::new(move |rt| assert_eq!(rt.block_on(a.send("PATCH", &path, Some(&token), &[], Some(body))).status, 200));
        let pay: Job = Box::new(move |rt| rt.block_on(b.drain()));
        at_once([rename, pay]);
        w.drain().await;
        let seen = w.get(&format!("/api/orders/{id}"), &buyer).await.ok();
        let name = seen["items"][0]["shohibul"][0]["name"].as_str().unwrap();
        assert_eq!((seen["status"].as_str(), name), (Some("paid"), format!("Nama {round}").as_str()));
    }
}
