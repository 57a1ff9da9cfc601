//! Every request of a use case is cut, in every position; the caller repeats it as a real one would; nothing is lost or doubled.

mod of_affiliates;
mod of_customers;
mod of_staff;

use qutab_local::wire::{Cut, Position};
use qutab_tests::{Affiliate, World};
use serde_json::{Value, json};

/// The cuts of a use case that makes `requests` requests: not sent, applied but the answer lost (the process dies or
/// lives on), and answered but the process dies before it can say so (the next one is not sent).
fn cuts(requests: usize) -> impl Iterator<Item = Cut> {
    let positions = [(Position::NotSent, true), (Position::AnswerLost, true), (Position::AnswerLost, false)];
    (0..=requests).flat_map(move |at| positions.map(|(position, dies)| Cut { at, position, dies }))
}

/// Runs `case` once whole to count its requests, then once for every cut, and checks the end state of each.
async fn every_cut<S, P, A, C>(prepare: P, act: A, check: C) -> usize
where
    P: AsyncFn(&World) -> S,
    A: AsyncFn(&World, &S) -> bool,
    C: AsyncFn(&World, &S),
{
    let w = World::new().await;
    let state = prepare(&w).await;
    w.wire.revive();
    assert!(act(&w, &state).await, "the case works without faults");
    let requests = w.wire.take_traffic().requests();
    check(&w, &state).await;
    let mut count = 0;
    for cut in cuts(requests) {
        let w = World::new().await;
        let state = prepare(&w).await;
        w.wire.arm(cut);
        let done = act(&w, &state).await;
        w.wire.revive();
        if !done {
            w.pass_seconds(61);
        }
        // The caller repeats even what succeeded: its answer may have been lost.
        assert!(act(&w, &state).await, "the repeat after {cut:?} succeeds");
        w.pass_seconds(61);
        sweep(&w).await;
        w.drain().await;
        check(&w, &state).await;
        w.check_ledgers().await;
        count += 1;
    }
    count
}

async fn sweep(w: &World) {
    qutab::app::owed::sweep(&w.shop.app, w.now()).await.unwrap();
}

async fn sale(w: &World) -> (Affiliate, Value) {
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
    (affiliate, order)
}

#[tokio::test]
async fn placing_an_order() {
    let count = every_cut(
        async |w: &World| (w.customer("budi").await, w.stock("kambing-standar").await),
        async |w: &World, (buyer, _): &(String, i64)| {
            let key = [("idempotency-key", "satu")];
            let answer = w.send("POST", "/api/orders", Some(buyer), &key, Some(World::order_body("kambing-standar", 1, None))).await;
            answer.status == 201
        },
        async |w: &World, (buyer, before): &(String, i64)| {
            assert_eq!(w.stock("kambing-standar").await, before - 1);
            let orders = w.get("/api/orders", buyer).await.ok();
            assert_eq!(orders["items"].as_array().unwrap().len(), 1);
            let id = orders["items"][0]["id"].as_str().unwrap();
            let link = w.post(&format!("/api/orders/{id}/payments"), buyer, json!({})).await.ok();
            assert!(link["payment_url"].as_str().is_some_and(|u| u.contains("/pay/")));
        },
    )
    .await;
    assert!(count >= 12, "only {count} cuts");
}

#[tokio::test]
async fn recording_a_payment() {
    let count = every_cut(
        async |w: &World| {
            let (affiliate, order) = sale(w).await;
            w.pay(&order).await;
            (affiliate, order)
        },
        async |w: &World, _: &(Affiliate, Value)| {
            w.work_once().await;
            true
        },
        async |w: &World, (affiliate, _): &(Affiliate, Value)| {
            assert_eq!(w.balance(affiliate).await, (137_500, 0, 0, 0));
        },
    )
    .await;
    assert!(count >= 12, "only {count} cuts");
}

/// An affiliate with a matured commission and a verified account; the token is fresh.
async fn matured(w: &World) -> Affiliate {
    let (affiliate, order) = sale(w).await;
    w.pay(&order).await;
    w.drain().await;
    w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
    w.verify_bank(&affiliate).await;
    w.drain().await;
    let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
    qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.unwrap();
    affiliate
}

#[tokio::test]
async fn maturing() {
    every_cut(
        async |w: &World| {
            let (affiliate, order) = sale(w).await;
            w.pay(&order).await;
            w.drain().await;
            w.advance(order["id"].as_str().unwrap(), &["processing", "distributed", "completed"]).await;
            affiliate
        },
        async |w: &World, _: &Affiliate| {
            let event = serde_json::from_value(json!({ "time": w.now().plus_days(31) })).unwrap();
            qutab_tests::grants::acting("maturation", maturation::run(&w.shop.app, event)).await.is_ok()
        },
        async |w: &World, affiliate: &Affiliate| assert_eq!(w.balance(affiliate).await, (0, 137_500, 0, 0)),
    )
    .await;
}

#[tokio::test]
async fn requesting_a_payout() {
    every_cut(
        matured,
        async |w: &World, affiliate: &Affiliate| {
            let key = [("idempotency-key", "tarik")];
            w.send("POST", "/api/affiliate/payouts", Some(&affiliate.token), &key, Some(json!({}))).await.status == 201
        },
        async |w: &World, affiliate: &Affiliate| assert_eq!(w.balance(affiliate).await, (0, 0, 137_500, 0)),
    )
    .await;
}

#[tokio::test]
async fn paying_a_payout() {
    every_cut(
        async |w: &World| {
            let affiliate = matured(w).await;
            let payout = w.post("/api/affiliate/payouts", &affiliate.token, json!({})).await.ok();
            let finance = w.admin("finance").await;
            let path = format!("/api/admin/payouts/{}", payout["id"].as_str().unwrap());
            w.post(&format!("{path}/process"), &finance, json!({})).await.ok();
            (affiliate, path, finance)
        },
        async |w: &World, (_, path, finance): &(Affiliate, String, String)| {
            w.post(&format!("{path}/pay"), finance, json!({ "reference": "BCA-77" })).await.status == 200
        },
        async |w: &World, (affiliate, _, _): &(Affiliate, String, String)| assert_eq!(w.balance(affiliate).await, (0, 0, 0, 137_500)),
    )
    .await;
}

#[tokio::test]
async fn refunding() {
    every_cut(
        async |w: &World| {
            let (affiliate, order) = sale(w).await;
            w.pay(&order).await;
            w.drain().await;
            (affiliate, order["id"].as_str().unwrap().to_owned(), w.admin("finance").await)
        },
        async |w: &World, (_, id, finance): &(Affiliate, String, String)| {
            let key = [("idempotency-key", "kembali")];
            let body = json!({ "kind": "end", "because": "undeliverable" });
            w.send("POST", &format!("/api/admin/orders/{id}/refund"), Some(finance), &key, Some(body)).await.status == 201
        },
        async |w: &World, (affiliate, ..): &(Affiliate, String, String)| {
            w.drain().await;
            assert_eq!(w.balance(affiliate).await, (0, 0, 0, 0));
            assert_eq!(w.wire.zendit.refunded(), 2_750_000, "sent back once");
        },
    )
    .await;
}

#[tokio::test]
async fn sending_a_refund_to_the_gateway() {
    let count = every_cut(
        async |w: &World| {
            let (affiliate, order) = sale(w).await;
            w.pay(&order).await;
            w.drain().await;
            let (id, finance) = (order["id"].as_str().unwrap().to_owned(), w.admin("finance").await);
            let body = json!({ "kind": "end", "because": "undeliverable" });
            w.post(&format!("/api/admin/orders/{id}/refund"), &finance, body).await.ok();
            (affiliate, id)
        },
        async |w: &World, _: &(Affiliate, String)| {
            w.work_once().await;
            true
        },
        async |w: &World, (affiliate, id): &(Affiliate, String)| {
            for event in w.wire.zendit.finish_refunds("SUCCEEDED") {
                w.webhook(&event).await;
            }
            w.drain().await;
            assert_eq!(w.balance(affiliate).await, (0, 0, 0, 0));
            assert_eq!(w.wire.zendit.refunded(), 2_750_000, "sent back once");
            let seen = w.get(&format!("/api/admin/orders/{id}"), &w.admin("viewer").await).await.ok();
            assert_eq!(seen["refunds"][0]["status"], "succeeded");
        },
    )
    .await;
    assert!(count >= 9, "only {count} cuts");
}

#[tokio::test]
async fn looking_at_an_upload() {
    let large = include_bytes!("../infra/local/pictures/kambing-super.jpg");
    let rendered = qutab::files::render(qutab::domain::ids::PictureId::named(&["small"]), large).unwrap();
    let picture = &rendered.sizes[0].1;
    let profile = async |w: &World, affiliate: &Affiliate| w.get("/api/affiliate/profile", &affiliate.token).await.ok();
    let count = every_cut(
        async |w: &World| {
            let affiliate = w.affiliate("rina").await;
            w.drain().await;
            let body = json!({ "content_type": "image/jpeg", "bytes": picture.len() });
            let opened = w.post("/api/affiliate/profile/photo", &affiliate.token, body).await.ok();
            let request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
            let request = request.header("content-length", picture.len()).body(picture.clone().into()).unwrap();
            assert_eq!(w.wire.files.answer(request).await.status(), 200);
            (affiliate, opened["upload_id"].as_str().unwrap().to_owned())
        },
        async |w: &World, (affiliate, upload): &(Affiliate, String)| {
            let path = format!("/api/affiliate/profile/photo/{upload}/complete");
            let done = w.post(&path, &affiliate.token, json!({})).await.status == 202;
            for _ in 0..3 {
                w.work_once().await;
            }
            done
        },
        async |w: &World, (affiliate, _): &(Affiliate, String)| {
            w.drain().await;
            assert!(profile(w, affiliate).await["photo"].is_array());
            assert!(!w.items().iter().any(|i| i["kind"]["S"] == "outbox"), "nothing is owed any more");
        },
    )
    .await;
    assert!(count >= 30, "only {count} cuts");
}

#[tokio::test]
async fn deciding_on_a_held_commission() {
    every_cut(
        async |w: &World| {
            let affiliate = w.affiliate("rina").await;
            let body = json!({ "name": "Pembeli Aneh", "email": "x@yopmail.com", "phone": "081255550000", "password": qutab_tests::PASSWORD });
            w.post("/api/auth/register", "", body).await.ok();
            let login = json!({ "email": "x@yopmail.com", "password": qutab_tests::PASSWORD });
            let buyer = w.post("/api/auth/login", "", login).await.ok()["access_token"].as_str().unwrap().to_owned();
            let click = w.click(&affiliate.code).await;
            let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
            w.pay(&order).await;
            w.drain().await;
            (affiliate, order["id"].as_str().unwrap().to_owned(), w.admin("finance").await)
        },
        async |w: &World, (_, id, finance): &(Affiliate, String, String)| {
            w.post(&format!("/api/admin/signals/{id}/void"), finance, json!({ "reason": "palsu" })).await.status == 200
        },
        async |w: &World, (affiliate, ..): &(Affiliate, String, String)| assert_eq!(w.balance(affiliate).await, (0, 0, 0, 0)),
    )
    .await;
}

/// A repeat that came too early is told that the first is still under way: it must not take its own work for another's.
#[tokio::test]
async fn an_order_that_was_applied_while_it_was_said_to_be_under_way() {
    let w = World::new().await;
    let (buyer, before) = (w.customer("budi").await, w.stock("kambing-standar").await);
    w.wire.still_under_way(8);
    let placed = w.send("POST", "/api/orders", Some(&buyer), &[], Some(World::order_body("kambing-standar", 1, None))).await;
    assert_eq!(placed.status, 201, "{}", String::from_utf8_lossy(&placed.bytes));
    assert_eq!(w.stock("kambing-standar").await, before - 1);
}
