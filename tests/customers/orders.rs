//! Orders: several items, names, lists, tracking, cancellation.

use qutab_local::seed::product_id;
use qutab_tests::World;
use serde_json::{Value, json};

fn item(slug: &str, quantity: u32, names: &[(&str, Option<&str>)]) -> Value {
    let shohibul: Vec<Value> = names.iter().map(|(name, father)| json!({ "name": name, "father": father })).collect();
    json!({ "product_id": product_id(slug), "quantity": quantity, "shohibul": shohibul })
}

fn body(items: &[Value]) -> Value {
    json!({ "items": items, "recipient": { "name": "Masjid Al Hikmah", "location": "Lombok Timur" }, "terms_version": "2026-01",
        "consent": true, "note": "Mohon kabari sebelum penyembelihan" })
}

fn path(order: &Value, rest: &str) -> String {
    format!("/api/orders/{}{rest}", order["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_order_holds_several_items_names_a_recipient_and_what_was_agreed_to() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let cow = [("Ahmad", Some("Umar")), ("Siti", None), ("Budi", None), ("Dewi", None), ("Eka", None), ("Fajar", None), ("Gita", None)];
    let items = [item("sapi-limosin", 1, &cow), item("kambing-standar", 2, &[("Hasan", Some("Ali")), ("Husain", Some("Ali"))])];
    let placed = w.post("/api/orders", &buyer, body(&items)).await.ok();
    assert_eq!((placed["total"].as_i64(), placed["status"].as_str()), (Some(30_500_000), Some("pending")));
    let number = placed["number"].as_str().unwrap();
    assert!(number.starts_with("QTB-261123-") && number.len() == 15, "{number}");
    let seen = w.get(&path(&placed, ""), &buyer).await.ok();
    assert_eq!(seen["items"][0]["shohibul"].as_array().unwrap().len(), 7);
    assert_eq!(seen["items"][0]["shohibul"][0], json!({ "name": "Ahmad", "father": "Umar" }));
    assert_eq!(seen["recipient"], json!({ "name": "Masjid Al Hikmah", "location": "Lombok Timur" }));
    assert_eq!((seen["terms_version"].as_str(), seen["note"].as_str()), (Some("2026-01"), Some("Mohon kabari sebelum penyembelihan")));
}

#[tokio::test]
async fn equal_lines_are_merged_and_names_have_their_limits() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let twice = [item("domba-garut", 1, &[("Ahmad", None)]), item("domba-garut", 2, &[("Budi", None), ("Citra", None)])];
    let placed = w.post("/api/orders", &buyer, body(&twice)).await.ok();
    assert_eq!((placed["items"].as_array().unwrap().len(), placed["items"][0]["quantity"].as_i64()), (1, Some(3)));
    assert_eq!(w.stock("domba-garut").await, 57);
    let refused = async |items: &[Value], code: &str| {
        let answer = w.post("/api/orders", &buyer, body(items)).await;
        assert_eq!((answer.status, answer.body["errors"][0]["code"].as_str()), (422, Some(code)), "{}", answer.body);
    };
    refused(&[item("domba-garut", 1, &[("Ahmad", None), ("Budi", None)])], "bad_shohibul").await;
    refused(&[item("sapi-limosin", 1, &[("Ahmad", None); 8])], "bad_shohibul").await;
    refused(&[item("patungan-sapi", 1, &[("Ahmad", None), ("Budi", None)])], "bad_shohibul").await;
    refused(&[item("domba-garut", 101, &[("Ahmad", None)])], "bad_number").await;
    refused(&[item("domba-garut", 1, &[])], "bad_length").await;
    let nowhere = json!({ "product_id": "prd_00000000000000000000000000", "quantity": 1, "shohibul": [{ "name": "Ahmad" }] });
    refused(&[nowhere], "unknown_product").await;
    let many: Vec<Value> = (0..21).map(|_| item("domba-garut", 1, &[("Ahmad", None)])).collect();
    refused(&many, "bad_length").await;
    let mut unagreed = body(&[item("domba-garut", 1, &[("Ahmad", None)])]);
    unagreed["consent"] = json!(false);
    assert_eq!(w.post("/api/orders", &buyer, unagreed).await.body["errors"][0]["field"], "consent");
    assert_eq!(w.stock("domba-garut").await, 57, "nothing was taken");
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_status_and_in_pages() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut placed = Vec::new();
    for n in 0..7 {
        w.pass_seconds(1);
        let order = w.order(&buyer, "kambing-standar", None).await;
        if [1, 4].contains(&n) {
            w.post(&path(&order, "/cancel"), &buyer, json!({})).await.ok();
        }
        placed.push(order);
    }
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|o| o["id"].clone()).collect::<Vec<_>>();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = w.get(&format!("/api/orders?limit=2&status=pending{cursor}"), &buyer).await.ok();
        seen.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        assert_eq!(page["items"].as_array().unwrap().len(), 2, "a page is full while there is more");
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<Value> = [6, 5, 3, 2, 0].map(|n: usize| placed[n]["id"].clone()).into();
    assert_eq!(seen, expected);
    let cancelled = w.get("/api/orders?status=cancelled", &buyer).await.ok();
    assert_eq!(ids(&cancelled), [placed[4]["id"].clone(), placed[1]["id"].clone()]);
    assert_eq!(w.get("/api/orders?status=lost", &buyer).await.status, 422);
    let other = w.customer("siti").await;
    assert!(ids(&w.get("/api/orders", &other).await.ok()).is_empty());
    let borrowed = w.get(&format!("/api/orders?limit=2&status=pending{cursor}"), &other).await;
    assert!(borrowed.status == 200 && ids(&borrowed.body).is_empty(), "a cursor of somebody else's shows nothing of theirs");
}

#[tokio::test]
async fn an_order_is_followed_from_payment_to_distribution() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    let ops = w.admin("ops").await;
    let advance = format!("/api/admin/orders/{}/status", order["id"].as_str().unwrap());
    for (to, note) in [("processing", "Hewan telah dipilih"), ("distributed", "Disalurkan di Garut"), ("completed", "Laporan dikirim")] {
        w.pass_seconds(60);
        w.post(&advance, &ops, json!({ "to": to, "note": note })).await.ok();
    }
    let tracking = w.get(&path(&order, "/tracking"), &buyer).await.ok();
    let steps = tracking["steps"].as_array().unwrap();
    let seen: Vec<&str> = steps.iter().map(|s| s["status"].as_str().unwrap()).collect();
    assert_eq!(seen, ["pending", "paid", "processing", "distributed", "completed"]);
    assert_eq!(steps[3]["note"], "Disalurkan di Garut");
    assert!(steps.windows(2).all(|s| s[0]["at"].as_str() <= s[1]["at"].as_str()));
    assert!(!tracking.to_string().contains("adm_"), "who of the staff it was stays inside");
    assert_eq!(w.get(&path(&order, "/tracking"), &w.customer("siti").await).await.status, 404);
}

#[tokio::test]
async fn names_change_until_the_cut_off() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "sapi-limosin", None).await;
    let rename = async |token: &str, names: Value| {
        let body = json!({ "items": [{ "product_id": product_id("sapi-limosin"), "shohibul": names }] });
        w.send("PATCH", &path(&order, "/names"), Some(token), &[], Some(body)).await
    };
    let changed = rename(&buyer, json!([{ "name": "Zainab", "father": "Jahsy" }, { "name": "Maryam" }])).await.ok();
    assert_eq!(changed["items"][0]["shohibul"], json!([{ "name": "Zainab", "father": "Jahsy" }, { "name": "Maryam" }]));
    assert_eq!(rename(&buyer, json!(vec![json!({ "name": "Ahmad" }); 8])).await.status, 422);
    assert_eq!(rename(&buyer, json!([])).await.status, 422);
    assert_eq!(rename(&w.customer("siti").await, json!([{ "name": "Siti" }])).await.status, 404);
    let other = json!({ "items": [{ "product_id": product_id("domba-garut"), "shohibul": [{ "name": "Ahmad" }] }] });
    assert_eq!(w.send("PATCH", &path(&order, "/names"), Some(&buyer), &[], Some(other)).await.status, 422);
    w.pay(&order).await;
    w.drain().await;
    // Eid of 1448 is on 16 May 2027; the list closes three days before.
    w.pass_days(171);
    assert_eq!(rename(&w.customer_again("budi").await, json!([{ "name": "Terakhir" }])).await.status, 200);
    w.pass_days(1);
    let late = rename(&w.customer_again("budi").await, json!([{ "name": "Terlambat" }])).await;
    assert_eq!((late.status, late.code()), (409, "conflict"));
}

#[tokio::test]
async fn an_order_is_cancelled_before_payment_only_and_gives_everything_back() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "kambing-standar", None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(w.post(&path(&order, "/cancel"), &w.customer("siti").await, json!({})).await.status, 404);
    let cancelled = w.post(&path(&order, "/cancel"), &buyer, json!({})).await.ok();
    assert_eq!((cancelled["status"].as_str(), w.stock("kambing-standar").await), (Some("cancelled"), 200));
    assert_eq!(w.wire.zendit.invoice(&invoice).unwrap().status, "EXPIRED", "the link is dead before the order is");
    let paid = w.order(&buyer, "kambing-standar", None).await;
    w.pay(&paid).await;
    w.drain().await;
    let refused = w.post(&path(&paid, "/cancel"), &buyer, json!({})).await;
    assert_eq!((refused.status, w.stock("kambing-standar").await), (409, 199));
}

#[tokio::test]
async fn a_referral_comes_by_cookie_or_by_field_and_a_forged_one_is_nobodys() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let buyer = w.customer("budi").await;
    let click = w.click(&affiliate.code).await;
    let place = async |cookie: &str| {
        let headers = [("cookie", cookie)];
        w.send("POST", "/api/orders", Some(&buyer), &headers, Some(World::order_body("kambing-standar", 1, None))).await.ok()
    };
    let ours = place(&format!("other=1; qutab_ref={click}")).await;
    let forged = place(&format!("qutab_ref={}x", &click[..click.len() - 1])).await;
    for order in [&ours, &forged] {
        w.pay(order).await;
    }
    w.drain().await;
    assert_eq!(w.balance(&affiliate).await.0, 137_500, "one of the two");
    // The window is thirty days.
    w.pass_days(30);
    let late = w
        .send(
            "POST",
            "/api/orders",
            Some(&w.customer_again("budi").await),
            &[("cookie", &format!("qutab_ref={click}"))],
            Some(World::order_body("kambing-standar", 1, None)),
        )
        .await
        .ok();
    w.pay(&late).await;
    w.drain().await;
    let affiliate = w.affiliate_again(&affiliate).await;
    assert_eq!(w.balance(&affiliate).await.0, 137_500);
}
