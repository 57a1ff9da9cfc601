//! Many at once, on real threads.

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
    assert_eq!(maturation::run(&w.shop.app, event).await.unwrap().commissions, 1);
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
    let buyer = w.customer("budi").await;
    let mut orders = Vec::new();
    for _ in 0..100 {
        let (w, buyer) = (w.clone(), buyer.clone());
        orders.push(tokio::spawn(async move { w.post("/api/orders", &buyer, World::order_body("sapi-limosin", 1, None)).await.status }));
    }
    let mut sold = 0;
    for order in orders {
        match order.await.unwrap() {
            201 => sold += 1,
            409 => {}
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
