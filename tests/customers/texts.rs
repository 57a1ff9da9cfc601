//! What people may write, and how much of it: names that show what they are, and orders that always fit.

use qutab_tests::{PASSWORD, World};
use serde_json::{Value, json};

async fn register(w: &World, name: &str) -> (u16, String) {
    let body = json!({ "name": name, "email": "budi@example.com", "phone": "081234567890", "password": PASSWORD });
    let answer = w.post("/api/auth/register", "", body).await;
    (answer.status, answer.body["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn no_text_holds_a_character_that_nobody_sees() {
    let w = World::new().await;
    let unseen = [
        "Budi \u{202e}moc.evil",
        "Bu\u{200b}di Santoso",
        "\u{feff}Budi Santoso",
        "Budi\u{2066}Santoso",
        "Budi\u{ad}Santoso",
        "Budi\u{200d}Santoso",
        "Budi \u{3164}",
        "Budi\u{0}Santoso",
        "Budi\u{e0041}Santoso",
    ];
    for name in unseen {
        assert_eq!(register(&w, name).await, (422, "bad_characters".to_owned()), "{name:?}");
    }
    let buyer = w.customer("siti").await;
    let mut order = World::order_body("domba-garut", 1, None);
    order["note"] = json!("kirim \u{202e}ke sini");
    assert_eq!(w.post("/api/orders", &buyer, order.clone()).await.body["errors"][0]["field"], "note");
    // Joiners where a script or a picture needs them, blanks of every kind, and letters of every alphabet.
    order["note"] = json!("untuk keluarga \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{2764}\u{fe0f}");
    order["items"][0]["shohibul"] =
        json!([{ "name": "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", "father": "Nguy\u{1ec5}n\u{a0}\u{2028}V\u{103}n" }]);
    let placed = w.post("/api/orders", &buyer, order).await.ok();
    assert_eq!(placed["items"][0]["shohibul"][0]["father"], "Nguy\u{1ec5}n V\u{103}n");
}

/// An order of three products, ten cows with seventy names each.
async fn large(w: &World, buyer: &str) -> (Value, Vec<Value>) {
    let ops = w.admin("ops").await;
    let mut products = Vec::new();
    for number in 0..3 {
        let body = json!({ "name": format!("Sapi Lot {number}"), "category": "sapi", "portion": "whole", "price": 25_000_000,
            "weight_kg": { "from": 23, "to": 28 }, "location": "Sumba", "season": 1448, "available": 100 });
        products.push(w.post("/api/admin/products", &ops, body).await.ok()["id"].clone());
    }
    let mut body = World::order_body("domba-garut", 1, None);
    body["items"] = products.iter().map(|p| json!({ "product_id": p, "quantity": 10, "shohibul": vec![json!({ "name": "Ahmad" }); 10] })).collect();
    let order = w.post("/api/orders", buyer, body).await.ok();
    (order, products)
}

#[tokio::test]
async fn the_names_of_an_order_always_leave_room_for_every_later_step() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let (order, products) = large(&w, &buyer).await;
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    let long = "\u{1f42e}".repeat(100);
    let rename = async |product: &Value, people: usize| {
        let shohibul: Vec<Value> = (0..people).map(|_| json!({ "name": long, "father": long })).collect();
        let body = json!({ "items": [{ "product_id": product, "shohibul": shohibul }] });
        w.send("PATCH", &format!("{path}/names"), Some(&buyer), &[], Some(body)).await
    };
    assert_eq!(rename(&products[0], 70).await.status, 200);
    let full = rename(&products[1], 70).await;
    assert_eq!(
        (full.status, full.body["errors"][0]["field"].as_str(), full.body["errors"][0]["code"].as_str()),
        (422, Some("items"), Some("too_many_names"))
    );
    assert_eq!(rename(&products[1], 50).await.status, 200, "less of it fits");
    w.pay(&order).await;
    w.drain().await;
    let admin = format!("/api/admin/orders/{}", order["id"].as_str().unwrap());
    let note = "\u{1f42e}".repeat(200);
    let ops = w.admin("ops").await;
    assert_eq!(w.post(&format!("{admin}/status"), &ops, json!({ "to": "processing", "note": note })).await.status, 200);
    let finance = w.admin("finance").await;
    assert_eq!(w.post(&format!("{admin}/refund"), &finance, json!({ "kind": "end", "because": "undeliverable", "reason": note })).await.status, 201);
}
