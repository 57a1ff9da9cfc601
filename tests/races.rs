//! Many at once, on real threads.

use qutab_tests::World;
use serde_json::json;

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
    let mut workers = Vec::new();
    for _ in 0..4 {
        let w = w.clone();
        workers.push(tokio::spawn(async move { w.drain().await }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    w.drain().await;
    assert_eq!(w.balance(&affiliate).await, (4 * 137_500, 0, 0, 0));
    let mails = w.wire.mailbox.all().iter().filter(|m| m.subject.starts_with("Pembayaran")).count();
    assert_eq!(mails, 4, "one confirmation for each order");
    w.check_ledgers().await;
}
