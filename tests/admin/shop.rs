//! Products, coupons and materials, as staff keep them.

use qutab::{
    app::{Code, audit::Reviewer, products},
    domain::{
        catalog::{Portion, Product},
        ids::{AdminId, ProductId},
    },
};
use qutab_local::seed::product_id;
use qutab_tests::{Answer, World};
use serde_json::{Value, json};

const PICTURE: &[u8] = include_bytes!("../../infra/local/pictures/domba-garut.jpg");

async fn put(w: &World, opened: &Value) {
    let request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
    let request = request.header("content-length", PICTURE.len()).body(PICTURE.to_vec().into()).unwrap();
    assert_eq!(w.wire.files.answer(request).await.status(), 200);
}

fn camel() -> Value {
    json!({ "name": "Sapi Bali Super", "category": "sapi", "portion": "whole", "price": 21_500_000, "weight_kg": { "from": 280, "to": 320 },
        "location": "Bima", "season": 1448, "available": 5, "description": "Sehat dan cukup umur" })
}

async fn patch(w: &World, ops: &str, id: &str, body: Value) -> Answer {
    w.send("PATCH", &format!("/api/admin/products/{id}"), Some(ops), &[], Some(body)).await
}

#[tokio::test]
async fn a_product_is_put_on_sale_changed_restocked_and_archived_with_its_history() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let wrong = w.post("/api/admin/products", &ops, json!({ "name": "x", "category": "unta", "portion": "share", "price": 0 })).await;
    let fields: Vec<&str> = wrong.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!((wrong.status, fields), (422, vec!["weight_kg", "location", "season", "name", "category", "price", "available"]));
    let made = w.post("/api/admin/products", &ops, camel()).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["slug"], "sapi-bali-super");
    assert_eq!(w.post("/api/admin/products", &ops, camel()).await.body["errors"][0]["field"], "slug", "one address for each");
    assert_eq!(w.stock("sapi-bali-super").await, 5);
    assert_eq!(patch(&w, &ops, &id, json!({ "price": 22_000_000, "slug": "sapi-bali" })).await.ok()["price"], 22_000_000);
    assert_eq!(patch(&w, &ops, &id, json!({ "slug": "domba-garut" })).await.status, 422, "taken");
    assert_eq!(patch(&w, &ops, &id, json!({ "category": "domba", "portion": "share" })).await.status, 422, "only a cow has shares");
    assert_eq!(w.stock("sapi-bali").await, 5);
    let stock = format!("/api/admin/products/{id}/stock");
    let restock = async |units: i64| w.post_once(&stock, &ops, json!({ "units": units, "note": "kandang" })).await;
    assert_eq!((restock(7).await.ok()["available"].as_i64(), restock(-12).await.ok()["available"].as_i64()), (Some(12), Some(0)));
    assert_eq!(restock(-1).await.status, 409, "never below zero");
    restock(2).await.ok();
    let buyer = w.customer("budi").await;
    let order = json!({ "items": [{ "product_id": id, "quantity": 1, "shohibul": [{ "name": "Ahmad" }] }],
        "recipient": { "name": "Masjid", "location": "Bima" }, "terms_version": "2026-01", "consent": true });
    let placed = w.post("/api/orders", &buyer, order.clone()).await.ok();
    assert_eq!(w.send("DELETE", &format!("/api/admin/products/{id}"), Some(&ops), &[], None).await.status, 204);
    assert_eq!(w.send("GET", "/api/products/sapi-bali", None, &[], None).await.status, 404, "not shown any more");
    assert_eq!(w.post("/api/orders", &buyer, order).await.status, 422, "and not sold");
    w.pay(&placed).await;
    w.drain().await;
    assert_eq!(w.get(&format!("/api/orders/{}", placed["id"].as_str().unwrap()), &buyer).await.ok()["total"], 22_000_000, "what was ordered stays");
    let history = w.get(&format!("/api/admin/products/{id}/history"), &ops).await.ok();
    let prices: Vec<&Value> = history["items"].as_array().unwrap().iter().map(|c| &c["after"]["price"]).collect();
    assert_eq!(history["items"].as_array().unwrap().len(), 6, "{prices:?}");
    assert!(history["items"].as_array().unwrap().iter().any(|c| c["before"]["price"] == 21_500_000 && c["after"]["price"] == 22_000_000));
    assert_eq!(patch(&w, &w.admin("finance").await, &id, json!({ "price": 1 })).await.status, 403);
}

#[tokio::test]
async fn a_change_of_stock_has_a_name_and_happens_once() {
    let w = World::new().await;
    let (ops, before) = (w.admin("ops").await, w.stock("domba-garut").await);
    let path = format!("/api/admin/products/{}/stock", qutab_local::seed::product_id("domba-garut"));
    let ten = async |key: &str, units: i64| w.send("POST", &path, Some(&ops), &[("idempotency-key", key)], Some(json!({ "units": units }))).await;
    assert_eq!(w.post(&path, &ops, json!({ "units": 10 })).await.body["errors"][0]["field"], "Idempotency-Key");
    for _ in 0..3 {
        assert_eq!(ten("kiriman-7", 10).await.ok()["available"], before + 10, "its answer was lost: it is sent again");
    }
    assert_eq!(ten("kiriman-7", 11).await.code(), "idempotency_mismatch");
    assert_eq!(ten("kiriman-8", -10).await.ok()["available"], before);
    assert_eq!((ten("kiriman-9", -before - 1).await.status, w.stock("domba-garut").await), (409, before));
}

#[tokio::test]
async fn pictures_are_uploaded_arranged_and_taken_away() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let path = format!("/api/admin/products/{}/images", product_id("domba-garut"));
    for _ in 0..2 {
        let opened = w.post(&path, &ops, json!({ "content_type": "image/jpeg", "bytes": PICTURE.len() })).await.ok();
        put(&w, &opened).await;
        w.post(&format!("{path}/{}/complete", opened["upload_id"].as_str().unwrap()), &ops, json!({})).await.ok();
        w.drain().await;
    }
    let images = async || w.send("GET", "/api/products/domba-garut", None, &[], None).await.ok()["images"].clone();
    let ids: Vec<Value> = images().await.as_array().unwrap().iter().map(|i| i["id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    let arrange = async |order: &[&Value]| w.send("PUT", &path, Some(&ops), &[], Some(json!({ "images": order }))).await;
    arrange(&[&ids[1], &ids[0]]).await.ok();
    assert_eq!(images().await[0]["id"], ids[1]);
    arrange(&[&ids[1]]).await.ok();
    assert_eq!(images().await.as_array().unwrap().len(), 1);
    assert_eq!(arrange(&[&ids[0]]).await.status, 422, "gone");
}

#[tokio::test]
async fn a_coupon_is_made_for_some_products_or_an_affiliate_used_and_switched_off() {
    let w = World::new().await;
    let (ops, rina) = (w.admin("ops").await, w.affiliate("rina").await);
    let make = async |body: Value| w.post("/api/admin/coupons", &ops, body).await;
    let body = |code: &str| {
        json!({ "code": code, "discount": { "kind": "percent", "rate": 1_000, "cap": 200_000 }, "valid_until": "2027-01-01T00:00:00Z",
        "limit": 5, "per_customer": 1, "minimum_order": 1_000_000 })
    };
    let wrong = make(json!({ "code": "x", "discount": { "kind": "gift" }, "valid_until": "2020-01-01T00:00:00Z", "products": ["x"] })).await;
    let fields: Vec<&str> = wrong.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["code", "discount.kind", "valid_until", "products", "limit"]);
    let mut garut = body("GARUT");
    garut["products"] = json!([product_id("domba-garut")]);
    make(garut).await.ok();
    let mut hers = body("RINA5");
    hers["affiliate"] = json!(rina.id);
    make(hers).await.ok();
    assert_eq!(make(body("GARUT")).await.status, 409, "one coupon for a code");
    let buyer = w.customer("budi").await;
    let mut order = World::order_body("kambing-standar", 1, None);
    order["coupon"] = json!("GARUT");
    assert_eq!(w.post("/api/orders", &buyer, order).await.body["errors"][0]["code"], "coupon_not_for_these_items");
    let mut order = World::order_body("domba-garut", 1, None);
    order["coupon"] = json!("GARUT");
    let placed = w.post("/api/orders", &buyer, order.clone()).await.ok();
    assert_eq!(placed["discount"], 200_000, "ten percent, at most two hundred thousand");
    let seen = w.get("/api/admin/coupons/GARUT", &w.admin("viewer").await).await.ok();
    assert_eq!((seen["used"].as_i64(), seen["active"].as_bool()), (Some(1), Some(true)));
    for _ in 0..2 {
        assert_eq!(w.post("/api/admin/coupons/GARUT/deactivate", &ops, json!({})).await.ok()["active"], false);
    }
    assert_eq!(w.post("/api/orders", &w.customer("siti").await, order).await.body["errors"][0]["code"], "coupon_inactive");
    assert_eq!(w.coupon_used("GARUT"), 1, "switching it off counts nothing");
    let list = async |query: &str| w.get(&format!("/api/admin/coupons{query}"), &ops).await.ok()["items"].as_array().unwrap().len();
    assert_eq!((list("").await, list(&format!("?affiliate={}", rina.id)).await), (2, 1), "the shop's, with the seeded one, and hers");
    assert_eq!(w.get("/api/affiliate/coupons", &rina.token).await.ok()["items"][0]["code"], "RINA5");
}

#[tokio::test]
async fn a_product_may_earn_its_affiliates_more_or_less() {
    let w = World::new().await;
    let (ops, rina) = (w.admin("ops").await, w.affiliate("rina").await);
    let sheep = product_id("domba-garut").to_string();
    patch(&w, &ops, &sheep, json!({ "commission_rule": { "kind": "flat", "amount": 500_000 } })).await.ok();
    let buyer = w.customer("budi").await;
    let click = w.click(&rina.code).await;
    let mut body = World::order_body("domba-garut", 1, Some(&click));
    let goat = json!({ "product_id": product_id("kambing-standar"), "quantity": 1, "shohibul": [{ "name": "Umar" }] });
    body["items"].as_array_mut().unwrap().push(goat);
    let order = w.post("/api/orders", &buyer, body).await.ok();
    patch(&w, &ops, &sheep, json!({ "commission_rule": null })).await.ok();
    w.pay(&order).await;
    w.drain().await;
    assert_eq!(w.balance(&rina).await.0, 500_000 + 137_500, "as it stood when the order was placed");
}

#[tokio::test]
async fn materials_are_uploaded_and_taken_away() {
    let w = World::new().await;
    let (ops, rina) = (w.admin("ops").await, w.affiliate("rina").await);
    let body = json!({ "title": "Spanduk Idul Adha", "kind": "banner", "content_type": "image/jpeg", "bytes": PICTURE.len() });
    let opened = w.post("/api/admin/materials", &ops, body).await.ok();
    put(&w, &opened).await;
    let mine = async || w.get("/api/affiliate/materials", &rina.token).await.ok()["items"].as_array().unwrap().len();
    assert_eq!(mine().await, 0, "not before somebody looked at it");
    w.post(&format!("/api/admin/materials/{}/complete", opened["upload_id"].as_str().unwrap()), &ops, json!({})).await.ok();
    w.drain().await;
    assert_eq!(mine().await, 1);
    let path = format!("/api/admin/materials/{}", opened["id"].as_str().unwrap());
    assert_eq!(w.send("DELETE", &path, Some(&w.admin("finance").await), &[], None).await.status, 403);
    for _ in 0..2 {
        assert_eq!(w.send("DELETE", &path, Some(&ops), &[], None).await.status, 204);
    }
    assert_eq!(mine().await, 0);
}

#[tokio::test]
async fn what_two_changes_would_make_of_a_product_together_is_judged_at_the_write() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let id = w.post("/api/admin/products", &ops, camel()).await.ok()["id"].as_str().unwrap().to_owned();
    patch(&w, &ops, &id, json!({ "category": "kambing" })).await.ok();
    // Somebody else saw it as a cow, and writes behind the change.
    let by = Reviewer { admin: AdminId::named(&["ops@qutab.test"]), address: None };
    let product = ProductId::parse(&id).unwrap();
    let refused = products::update(&w.shop.app, by, product, |p| Ok(Product { portion: Portion::Share, ..p })).await.unwrap_err();
    assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::Invalid, "portion"), "the field that is wrong is named");
    let now = w.get(&format!("/api/admin/products/{id}"), &ops).await.ok();
    assert_eq!((now["category"].as_str(), now["portion"].as_str()), (Some("kambing"), Some("whole")));
}

#[tokio::test]
async fn a_product_needs_no_description_and_takes_the_highest_price_of_the_document() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let mut body = camel();
    body.as_object_mut().unwrap().remove("description");
    body["price"] = json!(1_000_000_000);
    let made = w.post("/api/admin/products", &ops, body.clone()).await.ok();
    assert!(made["description"].is_null());
    assert!(w.send("GET", "/api/products/sapi-bali-super", None, &[], None).await.ok()["description"].is_null());
    body["price"] = json!(1_000_000_001);
    assert_eq!(w.post("/api/admin/products", &ops, body).await.body["errors"][0]["field"], "price");
}

#[tokio::test]
async fn codes_and_addresses_of_dashes_alone_and_coupons_that_take_off_nothing_are_refused() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let rina = w.affiliate("rina").await;
    let code =
        async |code: &str| w.send("PUT", &format!("/api/admin/affiliates/{}/code", rina.id), Some(&ops), &[], Some(json!({ "code": code }))).await;
    assert_eq!((code("-----").await.status, code("R--1").await.status), (422, 200));
    let mut product = camel();
    product["slug"] = json!("---");
    assert_eq!(w.post("/api/admin/products", &ops, product).await.body["errors"][0]["field"], "slug");
    let coupon = async |code: &str, discount: Value| {
        let body = json!({ "code": code, "discount": discount, "valid_until": "2027-01-01T00:00:00Z", "limit": 5, "minimum_order": 2 });
        w.post("/api/admin/coupons", &ops, body).await
    };
    let fixed = json!({ "kind": "fixed", "amount": 1 });
    assert_eq!((coupon("---", fixed.clone()).await.status, coupon("HEMAT", fixed).await.status), (422, 201));
    let nothing =
        [json!({ "kind": "percent", "rate": 0 }), json!({ "kind": "fixed", "amount": 0 }), json!({ "kind": "percent", "rate": 500, "cap": 0 })];
    for (number, discount) in nothing.into_iter().enumerate() {
        assert_eq!(coupon(&format!("KOSONG{number}"), discount).await.status, 422);
    }
}

#[tokio::test]
async fn a_material_that_is_deleted_twice_leaves_one_line_in_the_audit_log() {
    let w = World::new().await;
    let ops = w.admin("ops").await;
    let wanted = json!({ "title": "Spanduk", "kind": "banner", "content_type": "image/jpeg", "bytes": PICTURE.len() });
    let opened = w.post("/api/admin/materials", &ops, wanted).await.ok();
    put(&w, &opened).await;
    w.post(&format!("/api/admin/materials/{}/complete", opened["upload_id"].as_str().unwrap()), &ops, json!({})).await.ok();
    w.drain().await;
    let path = format!("/api/admin/materials/{}", opened["id"].as_str().unwrap());
    let delete = async || w.send("DELETE", &path, Some(&ops), &[], None).await.status;
    let (one, other) = tokio::join!(delete(), delete());
    assert_eq!((one, other, delete().await), (204, 204, 204));
    let log = w.get("/api/admin/audit-log?action=material.delete", &w.admin("owner").await).await.ok();
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
}
