//! The receipt as a file that people print.

use qutab_local::seed::product_id;
use qutab_tests::World;
use serde_json::{Value, json};

/// The text of a page, run by run, in the order in which it was written.
fn texts(file: &[u8]) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), file);
    while let Some(at) = rest.windows(4).position(|w| w == b") Tj") {
        let start = rest[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let run: String = rest[start..at].iter().map(|b| char::from(*b)).collect();
        found.push(run.trim_start_matches('(').replace("\\(", "(").replace("\\)", ")"));
        rest = &rest[at + 4..];
    }
    found
}

async fn receipt(w: &World, order: &Value, token: &str) -> Vec<u8> {
    let answer = w.get(&format!("/api/orders/{}/receipt", order["id"].as_str().unwrap()), token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/pdf");
    let disposition = answer.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment; ") && disposition.contains(order["number"].as_str().unwrap()), "a file to save: {disposition}");
    assert!(answer.bytes.starts_with(b"%PDF-1.7") && answer.bytes.trim_ascii_end().ends_with(b"%%EOF"));
    answer.bytes
}

#[tokio::test]
async fn a_receipt_says_what_was_bought_for_whom_and_how_it_was_paid() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let mut body = World::order_body("sapi-limosin", 1, None);
    body["coupon"] = json!("BERKAH10");
    let order = w.post("/api/orders", &buyer, body).await.ok();
    let bill = texts(&receipt(&w, &order, &buyer).await);
    assert!(bill.iter().any(|t| t == "TAGIHAN") && bill.iter().any(|t| t == "Menunggu pembayaran"), "{bill:?}");
    w.pay_by(&order, "QRIS").await;
    w.drain().await;
    let paid = texts(&receipt(&w, &order, &buyer).await);
    for expected in [
        "KWITANSI",
        order["number"].as_str().unwrap(),
        "Pembeli budi",
        "Masjid Al Hikmah",
        "Sapi Limosin",
        "Atas nama: Ahmad bin/binti Umar",
        "Rp25.000.000",
        "Potongan (BERKAH10)",
        "- Rp500.000",
        "Rp24.500.000",
        "Lunas",
        "Rp24.500.000 diterima pada 23 November 2026 10.00 WIB, QRIS.",
        "Halaman 1 dari 1",
    ] {
        assert!(paid.iter().any(|t| t == expected), "{expected} is missing in {paid:?}");
    }
}

#[tokio::test]
async fn a_refund_is_on_the_receipt() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "kambing-standar", None).await;
    w.pay(&order).await;
    w.drain().await;
    let part = json!({ "kind": "adjust", "amount": 250_000, "reason": "hewan lebih kecil" });
    let finance = w.admin("finance").await;
    w.post_once(&format!("/api/admin/orders/{}/refund", order["id"].as_str().unwrap()), &finance, part).await.ok();
    let seen = texts(&receipt(&w, &order, &buyer).await);
    assert!(seen.iter().any(|t| t == "Pengembalian diproses") && seen.iter().any(|t| t == "- Rp250.000"), "{seen:?}");
}

#[tokio::test]
async fn a_long_order_runs_over_several_pages_and_strange_names_stay_readable() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let names: Vec<Value> = (0..300).map(|n| json!({ "name": format!("Muḥammad Ṣāliḥ (ke-{n})"), "father": "عبد الله" })).collect();
    let items = json!([{ "product_id": product_id("patungan-sapi"), "quantity": 100, "shohibul": names[..100] },
        { "product_id": product_id("kambing-standar"), "quantity": 100, "shohibul": names[100..200] },
        { "product_id": product_id("kambing-super"), "quantity": 80, "shohibul": names[200..280] }]);
    let mut body = World::order_body("domba-garut", 1, None);
    body["items"] = items;
    let settings = json!({ "version": 1, "unpaid_animals": 500 });
    w.send("PUT", "/api/admin/settings", Some(&w.admin("owner").await), &[], Some(settings)).await.ok();
    let order = w.post("/api/orders", &buyer, body).await.ok();
    let seen = texts(&receipt(&w, &order, &buyer).await).join(" ");
    assert!(seen.contains("Muhammad Salih (ke-279)"), "no name is lost");
    let pages = seen.matches("Halaman ").count();
    assert!(pages > 2 && seen.contains(&format!("Halaman {pages} dari {pages}")), "{pages} pages");
    assert!(!seen.contains('?') && !seen.contains("Muá"), "{seen}");
}

#[tokio::test]
async fn nobody_elses_receipt_is_shown() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    let order = w.order(&buyer, "kambing-standar", None).await;
    let path = format!("/api/orders/{}/receipt", order["id"].as_str().unwrap());
    assert_eq!(w.get(&path, &w.customer("siti").await).await.status, 404);
}
