//! What is for sale: lists, words, sorting, pages, stock, pictures.

use qutab_tests::World;
use serde_json::Value;

async fn slugs(w: &World, query: &str) -> Vec<String> {
    let list = w.send("GET", &format!("/api/products{query}"), None, &[], None).await.ok();
    list["items"].as_array().unwrap().iter().map(|p| p["slug"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_packages_are_listed_with_what_a_buyer_wants_to_know() {
    let w = World::new().await;
    let list = w.send("GET", "/api/products", None, &[], None).await;
    assert_eq!(list.headers["cache-control"], "public, max-age=5");
    let items = list.ok()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 5);
    let share = items.iter().find(|p| p["slug"] == "patungan-sapi").unwrap();
    assert_eq!((share["price"].as_i64(), share["portion"].as_str(), share["available"].as_i64()), (Some(3_600_000), Some("share"), Some(140)));
    assert_eq!((share["weight_kg"]["from"].as_i64(), share["weight_kg"]["to"].as_i64()), (Some(300), Some(350)));
    assert_eq!((share["location"].as_str(), share["season"].as_i64()), (Some("Lombok Timur"), Some(1448)));
    assert!(share["description"].as_str().unwrap().contains("syariat"));
}

#[tokio::test]
async fn packages_are_found_by_category_and_words_and_sorted() {
    let w = World::new().await;
    assert_eq!(slugs(&w, "?category=kambing").await, ["kambing-standar", "kambing-super"]);
    assert_eq!(slugs(&w, "?q=lombok%20patungan").await, ["patungan-sapi"]);
    assert_eq!(slugs(&w, "?q=SAPI&sort=-price").await, ["sapi-limosin", "patungan-sapi"]);
    assert_eq!(slugs(&w, "?sort=price&limit=2").await, ["kambing-standar", "domba-garut"]);
    assert_eq!(slugs(&w, "?sort=name").await[0], "domba-garut");
    assert!(slugs(&w, "?q=unta").await.is_empty());
    for wrong in ["category=unta", "sort=weight", "limit=101", "limit=x", "cursor=x.y"] {
        assert_eq!(w.send("GET", &format!("/api/products?{wrong}"), None, &[], None).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let w = World::new().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..5 {
        let page = w.send("GET", &format!("/api/products?limit=2&sort=price{cursor}"), None, &[], None).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|p| p["price"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        let elsewhere = w.send("GET", &format!("/api/products?limit=2&sort=name&cursor={next}"), None, &[], None).await;
        assert_eq!(elsewhere.status, 422, "a cursor is bound to its query");
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [2_750_000, 3_250_000, 3_600_000, 3_950_000, 25_000_000]);
}

#[tokio::test]
async fn one_package_is_found_by_id_and_by_name() {
    let w = World::new().await;
    let by_name = w.send("GET", "/api/products/domba-garut", None, &[], None).await.ok();
    let by_id = w.send("GET", &format!("/api/products/{}", by_name["id"].as_str().unwrap()), None, &[], None).await.ok();
    assert_eq!(by_name, by_id);
    for missing in ["unta", "prd_00000000000000000000000000", "%2e%2e", "%ff"] {
        let answer = w.send("GET", &format!("/api/products/{missing}"), None, &[], None).await;
        assert!(matches!(answer.status, 400 | 404), "{missing}: {}", answer.status);
    }
}

#[tokio::test]
async fn there_are_three_categories() {
    let w = World::new().await;
    let list = w.send("GET", "/api/categories", None, &[], None).await.ok();
    let ids: Vec<&str> = list["items"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["sapi", "kambing", "domba"]);
}

#[tokio::test]
async fn what_is_reserved_is_not_for_sale() {
    let w = World::new().await;
    let buyer = w.customer("budi").await;
    assert_eq!(w.stock("sapi-limosin").await, 12);
    let body = World::order_body("sapi-limosin", 12, None);
    w.post("/api/orders", &buyer, body).await.ok();
    assert_eq!(w.stock("sapi-limosin").await, 0);
    let refused = w.post("/api/orders", &buyer, World::order_body("sapi-limosin", 1, None)).await;
    assert_eq!((refused.status, refused.code()), (409, "out_of_stock"));
}

#[tokio::test]
async fn pictures_come_in_several_sizes_that_never_change() {
    let w = World::new().await;
    qutab_local::seed::pictures(&w.shop.app, &w.media).await.unwrap();
    let product = w.send("GET", "/api/products/domba-garut", None, &[], None).await.ok();
    let sizes = product["images"][0]["sizes"].as_array().unwrap();
    let widths: Vec<i64> = sizes.iter().map(|s| s["width"].as_i64().unwrap()).collect();
    assert_eq!(widths, [320, 640, 1280]);
    for size in sizes {
        let answer = picture(&w, size["url"].as_str().unwrap()).await;
        assert_eq!((answer.0.as_str(), answer.1.as_str()), ("image/jpeg", "public, max-age=31536000, immutable"));
        assert_eq!(dimensions(&answer.2), (size["width"].clone(), size["height"].clone()));
    }
}

/// Type, cache rule and bytes of a picture, fetched without any credentials.
async fn picture(w: &World, url: &str) -> (String, String, Vec<u8>) {
    let request = http::Request::builder().uri(url).body(Vec::new().into()).unwrap();
    let answer = w.wire.files.answer(request).await;
    assert_eq!(answer.status(), 200, "{url}");
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    (header("content-type"), header("cache-control"), answer.body().to_vec())
}

/// Width and height, from the first frame header of a JPEG.
fn dimensions(jpeg: &[u8]) -> (Value, Value) {
    let at = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).expect("a baseline JPEG");
    let number = |at: usize| Value::from(u16::from_be_bytes([jpeg[at], jpeg[at + 1]]));
    (number(at + 7), number(at + 5))
}

#[tokio::test]
async fn a_list_goes_on_where_it_was_when_the_product_that_was_shown_last_leaves_the_shop() {
    let w = World::new().await;
    let first = w.send("GET", "/api/products?limit=2&sort=price", None, &[], None).await.ok();
    let last = first["items"][1]["id"].as_str().unwrap();
    let ops = w.admin("ops").await;
    assert_eq!(w.send("DELETE", &format!("/api/admin/products/{last}"), Some(&ops), &[], None).await.status, 204);
    let rest = format!("/api/products?limit=9&sort=price&cursor={}", first["next_cursor"].as_str().unwrap());
    let rest = w.send("GET", &rest, None, &[], None).await.ok();
    let prices: Vec<i64> = rest["items"].as_array().unwrap().iter().map(|p| p["price"].as_i64().unwrap()).collect();
    assert_eq!(prices, [3_600_000, 3_950_000, 25_000_000], "without a gap and without a double");
}
