//! The OpenAPI document: it is what the routes and contracts come to, its examples are true, and every operation of it
//! was seen to succeed. (Every exchange of every test is held to it as well: `world/exchange.rs`.)

use qutab::domain::{
    catalog::{MOST_PICTURES, MOST_PRICE},
    order::{MAX_LINES, MAX_QUANTITY},
    text,
    upload::MOST_BYTES,
};
use qutab_tests::{PASSWORD, World, exchange};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../infra/contract/openapi.json");
const PICTURE: &[u8] = include_bytes!("../infra/local/pictures/domba-garut.jpg");

fn operations(document: &Value) -> Vec<Value> {
    let paths = document["paths"].as_object().unwrap().values();
    paths.flat_map(|methods| methods.as_object().unwrap().values()).cloned().collect()
}

#[tokio::test]
async fn the_document_is_what_the_routes_and_contracts_come_to() {
    let w = World::new().await;
    let made = qutab_contract::document(w.groups()).unwrap();
    let kept: Value = serde_json::from_str(DOCUMENT).unwrap();
    assert!(made == kept, "infra/contract/openapi.json is old: cargo run -p qutab-contract");
    let ids: std::collections::BTreeSet<String> = operations(&kept).iter().map(|o| o["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), w.groups().iter().map(|g| g.routes.len()).sum::<usize>(), "each route once, each name once");
    for operation in operations(&kept) {
        assert!(operation["summary"].as_str().is_some_and(|s| s.len() > 8), "{operation}");
    }
}

#[test]
fn every_answer_and_every_body_has_an_example_that_is_true() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut missing = Vec::new();
    for operation in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        let answers = operation["responses"].as_object().unwrap().iter();
        let answers = answers.filter(|(status, _)| status.starts_with('2')).map(|(_, a)| &a["content"]["application/json"]);
        for content in answers.chain([&operation["requestBody"]["content"]["application/json"]]).filter(|c| c.is_object()) {
            match content.get("example") {
                Some(example) => exchange::fits(&content["schema"], example).unwrap_or_else(|why| panic!("{id}: {why}")),
                None => missing.push(id.to_owned()),
            }
        }
    }
    assert!(missing.is_empty(), "no example of {missing:?}");
}

fn cookie(answer: &qutab_tests::Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_audience_sees_its_devices_and_logs_one_out() {
    let w = World::new().await;
    w.customer("budi").await;
    let rina = w.affiliate("rina").await;
    w.admin("viewer").await;
    for (path, email) in [("/api/auth", "budi@example.com"), ("/api/affiliate/auth", rina.email.as_str()), ("/api/admin/auth", "viewer@qutab.test")] {
        let login = w.post(&format!("{path}/login"), "", json!({ "email": email, "password": PASSWORD })).await;
        let renewed = w.send("POST", &format!("{path}/refresh"), None, &[("cookie", &cookie(&login))], None).await.ok();
        let token = renewed["access_token"].as_str().unwrap();
        let devices = w.get(&format!("{path}/sessions"), token).await.ok()["items"].clone();
        let other = devices.as_array().unwrap().iter().find(|d| d["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
        let (one, kept) = (format!("{path}/sessions/{other}"), devices.as_array().unwrap().len() - 1);
        assert_eq!(w.send("DELETE", &one, Some(token), &[], None).await.status, 204);
        assert_eq!(w.send("DELETE", &one, Some(token), &[], None).await.status, 404, "it is gone");
        assert_eq!(w.get(&format!("{path}/sessions"), token).await.ok()["items"].as_array().unwrap().len(), kept);
    }
}

#[tokio::test]
async fn staff_change_their_password_and_a_link_is_sent_again() {
    let w = World::new().await;
    let viewer = w.admin("viewer").await;
    let body = json!({ "current_password": PASSWORD, "new_password": "kata sandi baru" });
    assert_eq!(w.send("PUT", "/api/admin/auth/password", Some(&viewer), &[], Some(body)).await.status, 204);
    let login = json!({ "email": "viewer@qutab.test", "password": "kata sandi baru" });
    assert_eq!(w.post("/api/admin/auth/login", "", login).await.status, 200);
    w.customer("budi").await;
    let again = w.post("/api/auth/resend-verification", "", json!({ "email": "budi@example.com" })).await;
    assert_eq!((again.status, again.body), (202, json!({ "status": "mailed_if_known" })));
}

#[tokio::test]
async fn a_bank_account_is_refused_and_a_product_read() {
    let w = World::new().await;
    let rina = w.affiliate("rina").await;
    let body = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Orang Lain", "current_password": PASSWORD });
    w.send("PUT", "/api/affiliate/bank-account", Some(&rina.token), &[], Some(body)).await.ok();
    let finance = w.admin("finance").await;
    let waiting = w.get("/api/admin/bank-accounts", &finance).await.ok()["items"][0].clone();
    let path = format!("/api/admin/bank-accounts/{}", waiting["affiliate_id"].as_str().unwrap());
    let refused = w.post(&format!("{path}/reject"), &finance, json!({ "version": waiting["version"], "reason": "Nama lain" })).await.ok();
    assert_eq!((refused["status"].as_str(), refused["rejection_reason"].as_str()), (Some("rejected"), Some("Nama lain")));
    let all = w.get("/api/admin/products", &finance).await.ok();
    let one = w.get(&format!("/api/admin/products/{}", all["items"][0]["id"].as_str().unwrap()), &finance).await.ok();
    assert_eq!(one, all["items"][0]);
}

#[tokio::test]
async fn a_refund_by_hand_keeps_the_picture_that_proves_it() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "domba-garut", None).await;
    w.pay(&order).await;
    w.drain().await;
    let finance = w.admin("finance").await;
    let path = format!("/api/admin/orders/{}", order["id"].as_str().unwrap());
    let made = w.post(&format!("{path}/refund"), &finance, json!({ "kind": "end" })).await.ok();
    w.drain().await;
    let refund = format!("{path}/refunds/{}", made["refund"]["id"].as_str().unwrap());
    for event in w.wire.zendit.finish_refunds("FAILED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    w.post(&format!("{refund}/take-over"), &finance, json!({})).await.ok();
    let opened = w.post(&format!("{refund}/proof"), &finance, json!({ "content_type": "image/jpeg", "bytes": PICTURE.len() })).await.ok();
    let put = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap()).header("content-type", "image/jpeg");
    let put = put.header("content-length", PICTURE.len()).body(PICTURE.to_vec().into()).unwrap();
    assert_eq!(w.wire.files.answer(put).await.status(), 200);
    let done = format!("{refund}/proof/{}/complete", opened["upload_id"].as_str().unwrap());
    assert_eq!(w.post(&done, &finance, json!({})).await.status, 202);
    w.drain().await;
    let link = w.get(&format!("{refund}/proof"), &finance).await.ok()["picture"]["path"].as_str().unwrap().to_owned();
    let picture = w.get(&link, &finance).await;
    assert_eq!((picture.status, picture.headers["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    assert_eq!(w.get(&link, &finance).await.status, 404, "it works once");
}

#[test]
fn the_limits_of_the_document_are_those_of_the_code() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let schemas = &document["components"]["schemas"];
    for (name, shortest, longest) in text::LENGTHS {
        assert_eq!(schemas[*name], json!({ "type": "string", "minLength": shortest, "maxLength": longest }), "{name}");
    }
    let limits = [
        ("/ProductWanted/properties/price/maximum", MOST_PRICE.get()),
        ("/ProductChange/properties/price/maximum", MOST_PRICE.get()),
        ("/PictureOrder/properties/images/maxItems", i64::try_from(MOST_PICTURES).unwrap()),
        ("/UploadWanted/properties/bytes/maximum", i64::from(MOST_BYTES)),
        ("/MaterialWanted/properties/bytes/maximum", i64::from(MOST_BYTES)),
        ("/OrderWanted/properties/items/maxItems", i64::try_from(MAX_LINES).unwrap()),
        ("/ItemWanted/properties/quantity/maximum", i64::from(MAX_QUANTITY)),
        ("/ItemWanted/properties/shohibul/maxItems", i64::from(MAX_QUANTITY) * 7),
    ];
    for (place, most) in limits {
        assert_eq!(schemas.pointer(place).and_then(Value::as_i64), Some(most), "{place}");
    }
}
