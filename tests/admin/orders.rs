//! Orders are found, moved on, photographed, exported.

use qutab_tests::World;
use serde_json::{Value, json};

const PICTURE: &[u8] = include_bytes!("../../infra/local/pictures/domba-garut.jpg");

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

#[tokio::test]
async fn orders_are_found_by_number_address_affiliate_status_days_and_words() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let (budi, siti) = (w.customer("budi").await, w.customer("siti").await);
    let click = w.click(&rina.code).await;
    let first = w.order(&budi, "kambing-standar", Some(&click)).await;
    w.pay(&first).await;
    w.drain().await;
    w.pass_days(2);
    let siti = {
        drop(siti);
        w.customer_again("siti").await
    };
    let mut orders = Vec::new();
    for slug in ["domba-garut", "kambing-super", "domba-garut"] {
        orders.push(w.order(&siti, slug, None).await);
    }
    let find = async |query: &str| {
        let list = w.get(&format!("/api/admin/orders?{query}"), &w.admin("viewer").await).await.ok();
        list["items"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let number = first["number"].as_str().unwrap();
    assert_eq!(
        (find(&format!("q={number}")).await, find(&format!("q={}", number.to_lowercase())).await),
        (vec![id(&first).to_owned()], vec![id(&first).to_owned()])
    );
    assert_eq!(find("q=budi@example.com").await, [id(&first)]);
    assert_eq!(find(&format!("affiliate={}", rina.id)).await, [id(&first)]);
    assert_eq!(find("status=paid").await, [id(&first)]);
    for none in ["status=expired", "from=2026-11-25&to=2026-11-25"] {
        assert_eq!(find(&format!("q={number}&{none}")).await.len(), 0, "{none}");
    }
    assert_eq!(find("q=domba%20garut").await.len(), 2);
    assert_eq!(
        (find("").await.len(), find("from=2026-11-25&to=2026-11-25").await.len(), find("from=2026-11-24&to=2026-11-24").await.len()),
        (4, 3, 0)
    );
    let viewer = w.admin("viewer").await;
    let (mut seen, mut cursor) = (0, String::new());
    for _ in 0..4 {
        let page = w.get(&format!("/api/admin/orders?limit=1{cursor}"), &viewer).await.ok();
        seen += page["items"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 4, "page by page, over empty days");
    for wrong in ["status=lost", "from=2026-11-26&to=2026-11-25", "from=2020-01-01", "affiliate=x", "cursor=x"] {
        assert_eq!(w.get(&format!("/api/admin/orders?{wrong}"), &viewer).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn an_order_is_seen_with_everything_that_happened_to_it() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.post(&format!("/api/orders/{}/payments?new=1", id(&order)), &buyer, json!({})).await.ok();
    w.pay(&w.post(&format!("/api/orders/{}/payments", id(&order)), &buyer, json!({})).await.ok()).await;
    w.drain().await;
    let seen = w.get(&format!("/api/admin/orders/{}", id(&order)), &w.admin("viewer").await).await.ok();
    assert_eq!((seen["customer"]["email"].as_str(), seen["payment_attempts"].as_array().unwrap().len()), (Some("budi@example.com"), 2));
    assert_eq!((seen["webhooks"][0]["said"].as_str(), seen["proposed_refund"].as_i64()), (Some("PAID"), Some(3_250_000)));
    assert_eq!(seen["history"][1]["status"], "paid");
}

#[tokio::test]
async fn many_orders_are_moved_on_at_once_each_by_itself() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let order = w.order(&buyer, "kambing-standar", None).await;
        if n < 2 {
            w.pay(&order).await;
        }
        ids.push(id(&order).to_owned());
    }
    w.drain().await;
    ids.push("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV".into());
    let ops = w.admin("ops").await;
    let body = json!({ "orders": ids, "to": "processing", "note": "Batch pertama" });
    for _ in 0..2 {
        let moved = w.post("/api/admin/orders/bulk-status", &ops, body.clone()).await.ok();
        let results: Vec<String> =
            moved["items"].as_array().unwrap().iter().map(|r| r["status"].as_str().or_else(|| r["problem"].as_str()).unwrap().to_owned()).collect();
        assert_eq!(results, ["processing", "processing", "conflict", "not_found"], "again is the same");
    }
    let tracking = w.get(&format!("/api/orders/{}/tracking", ids[0]), &buyer).await.ok();
    assert_eq!((tracking["steps"].as_array().unwrap().len(), tracking["steps"][2]["note"].as_str()), (3, Some("Batch pertama")));
    assert_eq!(w.post("/api/admin/orders/bulk-status", &ops, json!({ "orders": [], "to": "processing" })).await.status, 422);
    assert_eq!(w.post("/api/admin/orders/bulk-status", &w.admin("finance").await, body).await.status, 403);
}

#[tokio::test]
async fn a_photo_of_the_distribution_is_seen_by_the_customer() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let ops = w.admin("ops").await;
    let path = format!("/api/admin/orders/{}/photos", id(&order));
    let opened = w.post(&path, &ops, json!({ "content_type": "image/jpeg", "bytes": PICTURE.len() })).await.ok();
    let request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
    let request = request.header("content-length", PICTURE.len()).body(PICTURE.to_vec().into()).unwrap();
    assert_eq!(w.wire.files.answer(request).await.status(), 200);
    let done = format!("{path}/{}/complete", opened["upload_id"].as_str().unwrap());
    assert_eq!(w.post(&done, &ops, json!({})).await.status, 202);
    w.drain().await;
    let tracking = w.get(&format!("/api/orders/{}/tracking", id(&order)), &buyer).await.ok();
    assert!(tracking["photos"][0]["sizes"][0]["url"].as_str().unwrap().starts_with("http://s3.local/media/pictures/"), "{tracking}");
    let other = w.order(&buyer, "domba-garut", None).await;
    let elsewhere = done.replace(id(&order), id(&other));
    assert_eq!(w.post(&elsewhere, &ops, json!({})).await.status, 404, "another order's photo");
}

#[tokio::test]
async fn orders_are_exported_without_formulas_and_it_is_noted() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("domba-garut", 1, None);
    body["recipient"]["name"] = json!("=HYPERLINK(\"x\")");
    let order = w.post("/api/orders", &buyer, body).await.ok();
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.get("/api/admin/orders/export.csv", &w.admin("ops").await).await.status, 403);
    let file = w.get("/api/admin/orders/export.csv", &w.admin("finance").await).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.contains("'=HYPERLINK"), "marked as text");
    let rows = qutab::http::csv::rows(&text).unwrap();
    assert_eq!((rows.len(), rows[0]["recipient"].as_str(), rows[0]["paid"].as_str()), (1, "=HYPERLINK(\"x\")", "3250000"), "and read back as it was");
    assert!(w.items().iter().any(|i| i["kind"]["S"] == "audit" && i["action"]["S"] == "orders.export"));
}

#[tokio::test]
async fn staff_cancel_an_unpaid_order_and_it_is_noted() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let path = format!("/api/admin/orders/{}/cancel", id(&order));
    assert_eq!(w.post(&path, &w.admin("finance").await, json!({ "reason": "x" })).await.status, 403);
    let ops = w.admin("ops").await;
    assert_eq!(w.post(&path, &ops, json!({ "reason": "Atas permintaan" })).await.ok()["status"], "cancelled");
    assert_eq!((w.stock("domba-garut").await, w.post(&path, &ops, json!({ "reason": "lagi" })).await.status), (60, 200));
    let noted = w.items().iter().filter(|i| i["kind"]["S"] == "audit" && i["action"]["S"] == "order.cancel").count();
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn a_cancelled_order_gives_its_coupon_back() {
    let w = World::new().await;
    w.coupon("SEPULUH", 5, Some(1)).await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("domba-garut", 1, None);
    body["coupon"] = json!("SEPULUH");
    let order = w.post("/api/orders", &buyer, body).await.ok();
    assert_eq!(w.coupon_used("SEPULUH"), 1);
    let path = format!("/api/admin/orders/{}/cancel", id(&order));
    w.post(&path, &w.admin("ops").await, json!({ "reason": "Atas permintaan" })).await.ok();
    assert_eq!((w.coupon_used("SEPULUH"), w.stock("domba-garut").await), (0, 60));
}

#[tokio::test]
async fn an_order_is_cancelled_although_too_little_came_and_that_is_not_lost() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    let invoice = order["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    w.wire.zendit.pay(&invoice, "EWALLET", Some(1_000)).unwrap();
    let path = format!("/api/admin/orders/{}", id(&order));
    w.post(&format!("{path}/cancel"), &w.admin("ops").await, json!({ "reason": "Atas permintaan" })).await.ok();
    let seen = w.get(&path, &w.admin("viewer").await).await.ok();
    assert_eq!((seen["status"].as_str(), seen["receipts"][0]["amount"].as_i64()), (Some("cancelled"), Some(1_000)));
    let tasks = w.get("/api/admin/tasks", &w.admin("viewer").await).await.ok();
    assert_eq!(tasks["items"][0]["subject"]["kind"], "unmatched_receipt");
}

#[tokio::test]
async fn an_order_is_found_by_its_id_and_by_the_id_name_and_number_of_its_customer() {
    let w = World::new().await;
    let (budi, siti) = (w.customer("budi").await, w.customer("siti").await);
    w.send("PATCH", "/api/profile", Some(&budi), &[], Some(json!({ "name": "Bambang Prakoso", "phone": "081299990007" }))).await.ok();
    let (order, _) = (w.order(&budi, "domba-garut", None).await, w.order(&siti, "domba-garut", None).await);
    let viewer = w.admin("viewer").await;
    let whole = w.get(&format!("/api/admin/orders/{}", order["id"].as_str().unwrap()), &viewer).await.ok();
    let customer = whole["customer"]["id"].as_str().unwrap().to_owned();
    for words in [order["id"].as_str().unwrap(), &customer, "bambang", "prakoso%20garut", "0812-9999-0007", "%2B6281299990007"] {
        let found = w.get(&format!("/api/admin/orders?q={words}"), &viewer).await.ok();
        let ids: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|o| &o["id"]).collect();
        assert_eq!(ids, [&order["id"]], "{words}");
    }
}
