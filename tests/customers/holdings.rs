//! What orders that are not paid may keep from others: stock, coupons, and somebody's mailbox.

use qutab::domain::{
    coupon::{Coupon, Discount},
    money::BasisPoints,
};
use qutab_tests::{Answer, PASSWORD, World};
use serde_json::{Value, json};

const GOAT: &str = "kambing-standar";

async fn place(w: &World, buyer: &str, units: u32) -> Answer {
    w.post("/api/orders", buyer, World::order_body(GOAT, units, None)).await
}

async fn cancel(w: &World, buyer: &str, order: &Value) {
    w.post(&format!("/api/orders/{}/cancel", order["id"].as_str().unwrap()), buyer, json!({})).await.ok();
}

#[tokio::test]
async fn whoever_has_proved_no_address_holds_one_small_order_for_two_hours() {
    let w = World::new().await;
    let buyer = w.newcomer("borong").await;
    let large = place(&w, &buyer, 8).await;
    assert_eq!((large.status, large.body["errors"][0]["code"].as_str()), (422, Some("too_many_animals")));
    let first = place(&w, &buyer, 7).await.ok();
    let pay_by = qutab::domain::time::Timestamp::parse(first["pay_by"].as_str().unwrap()).unwrap();
    assert_eq!(pay_by.since(w.now()), 2 * 3_600);
    let second = place(&w, &buyer, 1).await;
    let wait: i64 = second.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((second.status, second.code(), wait), (429, "too_many_requests", 2 * 3_600));
    assert_eq!(w.stock(GOAT).await, 193, "what was refused took nothing");
    cancel(&w, &buyer, &first).await;
    let third = place(&w, &buyer, 1).await.ok();
    w.pay(&third).await;
    w.drain().await;
    place(&w, &buyer, 1).await.ok();
    assert_eq!(place(&w, &buyer, 1).await.status, 429);
    w.pass_seconds(2 * 3_600);
    let buyer = w.customer_again("borong").await;
    assert_eq!(place(&w, &buyer, 1).await.status, 201, "its time is over");
}

#[tokio::test]
async fn whoever_has_proved_the_address_holds_five_orders_and_thirty_animals() {
    let w = World::new().await;
    let buyer = w.customer("borong").await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(place(&w, &buyer, 5).await.ok());
    }
    assert_eq!(place(&w, &buyer, 1).await.status, 429, "a sixth order");
    w.pay(&orders[0]).await;
    w.drain().await;
    let more = place(&w, &buyer, 11).await;
    assert_eq!(more.status, 429, "thirty-one animals: {}", more.body);
    place(&w, &buyer, 10).await.ok();
    assert_eq!(w.stock(GOAT).await, 165);
    let owner = w.admin("owner").await;
    let settings = json!({ "version": 1, "unpaid_animals": 100 });
    w.send("PUT", "/api/admin/settings", Some(&owner), &[], Some(settings)).await.ok();
    cancel(&w, &buyer, &orders[1]).await;
    assert_eq!(place(&w, &buyer, 60).await.status, 201, "an owner allows more");
}

#[tokio::test]
async fn many_accounts_that_proved_nothing_hold_seventy_animals_from_one_network_address() {
    let w = World::new().await;
    let mut buyers = Vec::new();
    for n in 0..11 {
        buyers.push(w.newcomer(&format!("akun{n}")).await);
    }
    for buyer in &buyers[..10] {
        place(&w, buyer, 7).await.ok();
    }
    assert_eq!(place(&w, &buyers[10], 1).await.status, 429);
    assert_eq!(w.stock(GOAT).await, 130);
    let body = World::order_body(GOAT, 1, None);
    assert_eq!(w.send_at("198.51.100.9", "POST", "/api/orders", &buyers[10], &[], body).await.status, 201, "from elsewhere");
    let neighbour = w.customer("tetangga").await;
    assert_eq!(place(&w, &neighbour, 7).await.status, 201, "a neighbour who proved the address is not counted with them");
    assert!(!w.items().iter().any(|i| i.to_string().contains("203.0.113.7")), "the address itself is kept nowhere");
}

#[tokio::test]
async fn what_costs_nothing_takes_stock_as_well_and_is_counted() {
    let w = World::new().await;
    let free = Coupon { discount: Discount::Percent { rate: BasisPoints::percent(100), cap: None }, ..w.plain_coupon("GRATIS") };
    w.put_coupon(free).await;
    let buyer = w.newcomer("borong").await;
    let mut body = World::order_body(GOAT, 7, None);
    body["coupon"] = json!("GRATIS");
    assert_eq!(w.post("/api/orders", &buyer, body.clone()).await.ok()["total"], 0);
    assert_eq!(place(&w, &buyer, 1).await.status, 429);
}

#[tokio::test]
async fn a_coupon_waits_for_one_payment_of_a_customer() {
    let w = World::new().await;
    w.coupon("EMPATPULUH", 40, None).await;
    let buyer = w.customer("borong").await;
    let mut body = World::order_body(GOAT, 1, None);
    body["coupon"] = json!("EMPATPULUH");
    let first = w.post("/api/orders", &buyer, body.clone()).await.ok();
    let second = w.post("/api/orders", &buyer, body.clone()).await;
    assert_eq!((second.status, second.body["errors"][0]["code"].as_str()), (422, Some("coupon_held_by_you")));
    assert_eq!(w.coupon_used("EMPATPULUH"), 1);
    w.pay(&first).await;
    w.drain().await;
    assert_eq!(w.post("/api/orders", &buyer, body).await.status, 201, "paid: another may wait");
}

#[tokio::test]
async fn coupon_codes_cannot_be_guessed_by_ordering() {
    let w = World::new().await;
    let (buyer, other) = (w.customer("penebak").await, w.customer("jujur").await);
    let order = async |who: &str, code: &str| {
        let mut body = World::order_body(GOAT, 1, None);
        body["coupon"] = json!(code);
        // Nothing that there is: the order cannot be placed, whatever the code.
        body["items"][0]["product_id"] = json!("prd_00000000000000000000000000");
        w.post("/api/orders", who, body).await
    };
    for at in 0..60 {
        assert_eq!(order(&buyer, &format!("TEBAK{at}")).await.status, 422);
    }
    let (wrong, right) = (order(&buyer, "TEBAK60").await, order(&buyer, "BERKAH10").await);
    assert_eq!((wrong.status, right.status), (429, 429), "nothing is said of the code any more");
    assert_eq!(order(&other, "BERKAH10").await.status, 422, "somebody else is asked nothing");
    let mut body = World::order_body(GOAT, 1, None);
    body["coupon"] = json!("BERKAH10");
    assert_eq!(w.post("/api/orders", &other, body).await.status, 201, "a right code is none of the tries");
}

#[tokio::test]
async fn accounts_that_cost_nothing_guess_at_coupons_together() {
    let w = World::new().await;
    let mut statuses = Vec::new();
    for n in 0..4 {
        let buyer = w.newcomer(&format!("akun{n}")).await;
        for at in 0..55 {
            let mut body = World::order_body(GOAT, 1, None);
            body["coupon"] = json!(format!("TEBAK{n}X{at}"));
            statuses.push(w.post("/api/orders", &buyer, body).await.status);
        }
    }
    assert_eq!(statuses.iter().filter(|s| **s == 422).count(), 200, "of one network address: {statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn an_order_agrees_to_the_terms_in_force() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let contact = w.send("GET", "/api/helpdesk/contact", None, &[], None).await.ok();
    let mut body = World::order_body(GOAT, 1, None);
    body["terms_version"] = json!("1999-never");
    let refused = w.post("/api/orders", &buyer, body.clone()).await;
    assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (422, Some("outdated")));
    body["terms_version"] = contact["terms_version"].clone();
    assert_eq!(w.post("/api/orders", &buyer, body).await.status, 201);
}

#[tokio::test]
async fn no_animal_is_sold_when_its_eid_is_past() {
    let w = World::new().await;
    w.pass_days(174);
    let buyer = w.customer("budi").await;
    assert_eq!(place(&w, &buyer, 1).await.status, 201, "on the day itself");
    w.pass_days(1);
    let buyer = w.customer_again("budi").await;
    let quote = json!({ "code": "BERKAH10", "items": [{ "product_id": qutab_local::seed::product_id(GOAT), "quantity": 1 }] });
    for refused in [place(&w, &buyer, 1).await, w.post("/api/coupons/validate", &buyer, quote).await] {
        assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (422, Some("season_over")));
    }
}

#[tokio::test]
async fn every_animal_is_offered_in_a_name() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body(GOAT, 2, None);
    body["items"][0]["shohibul"] = json!([{ "name": "Ahmad" }]);
    let refused = w.post("/api/orders", &buyer, body).await;
    assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (422, Some("bad_shohibul")));
    let order = place(&w, &buyer, 2).await.ok();
    let names = json!({ "items": [{ "product_id": order["items"][0]["product_id"], "shohibul": [{ "name": "Ahmad" }] }] });
    let path = format!("/api/orders/{}/names", order["id"].as_str().unwrap());
    assert_eq!(w.send("PATCH", &path, Some(&buyer), &[], Some(names)).await.status, 422);
}

#[tokio::test]
async fn an_address_that_nobody_proved_hears_of_one_order_a_day() {
    let w = World::new().await;
    let buyer = w.newcomer("korban").await;
    let told = |w: &World| w.mails_to("korban@example.com").len();
    w.drain().await;
    let registered = told(&w);
    for _ in 0..5 {
        let order = place(&w, &buyer, 1).await.ok();
        w.drain().await;
        cancel(&w, &buyer, &order).await;
    }
    w.drain().await;
    assert_eq!(told(&w) - registered, 1);
    let order = place(&w, &buyer, 1).await.ok();
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(told(&w) - registered, 2, "a payment is always told");
    w.pass_days(1);
    let buyer = w.customer_again("korban").await;
    place(&w, &buyer, 1).await.ok();
    w.drain().await;
    assert_eq!(told(&w) - registered, 3, "a day later");
}

#[tokio::test]
async fn a_mailbox_is_mailed_three_registrations_a_day_however_it_is_spelled() {
    let w = World::new().await;
    let spellings =
        ["korban@gmail.com", "k.orban@gmail.com", "korban+1@gmail.com", "ko.rban+2@gmail.com", "korban@googlemail.com", "KORBAN@gmail.com"];
    for (n, email) in spellings.iter().enumerate() {
        let body = json!({ "name": "Korban", "email": email, "phone": "081234567890", "password": PASSWORD });
        let answer = w.send_from(&format!("198.51.100.{n}"), "POST", "/api/auth/register", body).await;
        assert_eq!((answer.status, answer.body["status"].as_str()), (202, Some("registered")), "the same answer");
    }
    w.drain().await;
    assert_eq!(w.wire.mailbox.all().len(), 3);
    let login = json!({ "email": "korban+1@gmail.com", "password": PASSWORD });
    assert_eq!(w.post("/api/auth/login", "", login).await.status, 200, "the account is there");
    for email in spellings {
        w.post("/api/auth/resend-verification", "", json!({ "email": email })).await;
    }
    w.drain().await;
    assert!(w.wire.mailbox.all().len() <= 8, "five links an hour for all spellings");
}

#[tokio::test]
async fn a_name_holds_no_address_of_the_web() {
    let w = World::new().await;
    for name in ["KLIK http://evil.example MENANG", "Buka WWW.evil.example", "x://y"] {
        let body = json!({ "name": name, "email": "a@example.com", "phone": "081234567890", "password": PASSWORD });
        let refused = w.post("/api/auth/register", "", body).await;
        assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (422, Some("bad_characters")), "{name}");
    }
}
