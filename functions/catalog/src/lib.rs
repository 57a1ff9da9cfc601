//! What is for sale: the list, one product, the categories.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{App, Code, Problem},
    domain::{Wrong, catalog::Category, ids::ProductId},
    http::{Access, Group, PageQuery},
    store::catalog::Offer,
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("catalog")
        .get("/api/products", Access::Public, list)
        .get("/api/products/{id}", Access::Public, one)
        .get("/api/categories", Access::Public, categories)
        .build(app)
}

/// One query, whatever is asked; answers may be a few seconds old.
async fn list(State(app): State<App>, page: PageQuery) -> Result<Response, Problem> {
    let category = match page.filter("category") {
        Some(name) => Some(
            Category::parse(name).ok_or_else(|| Problem::field("category", Wrong::new("unknown_value", "must be one of sapi, kambing, domba")))?,
        ),
        None => None,
    };
    let words: Vec<String> = page.filter("q").unwrap_or_default().to_lowercase().split_whitespace().take(8).map(str::to_owned).collect();
    let mut offers = app.store.catalogue().await?;
    offers.retain(|o| {
        let text = format!("{} {} {}", o.product.name, o.product.category.as_str(), o.product.location).to_lowercase();
        o.product.active && category.is_none_or(|c| o.product.category == c) && words.iter().all(|w| text.contains(w.as_str()))
    });
    offers.sort_by_key(|o| (o.product.category.as_str(), o.product.price, o.product.id));
    let items: Vec<Value> = offers.iter().take(page.limit).map(view).collect();
    Ok(cached(json!({ "items": items, "next_cursor": null })))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let offers = app.store.catalogue().await?;
    let wanted = ProductId::parse(&id);
    let found = offers.iter().find(|o| o.product.active && (Some(o.product.id) == wanted || o.product.slug == id));
    found.map(|o| cached(view(o))).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn categories() -> Json<Value> {
    let items: Vec<Value> = Category::ALL.iter().map(|c| json!({ "id": c, "name": c.title() })).collect();
    Json(json!({ "items": items, "next_cursor": null }))
}

fn view(offer: &Offer) -> Value {
    let product = &offer.product;
    json!({
        "id": product.id,
        "slug": product.slug,
        "name": product.name,
        "category": product.category,
        "portion": product.portion,
        "price": product.price,
        "available": offer.available,
        "weight_kg": { "from": product.weight_kg.0, "to": product.weight_kg.1 },
        "location": product.location,
        "season": product.season,
        "names_per_unit": product.names_per_unit(),
    })
}

fn cached(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=5")], Json(body)).into_response()
}
