//! What is for sale: the list, one product, the categories.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{App, Code, Problem, Site},
    domain::{Wrong, catalog::Category, ids::ProductId, picture::Picture},
    http::{Access, Group, PageQuery, picture},
    store::{Page, Position, StoreError, catalog::Offer},
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
        Some(name) => Some(Category::parse(name).map_err(|w| Problem::field("category", w))?),
        None => None,
    };
    let order = page.filter("sort").map_or(Ok(Order::Category), Order::parse).map_err(|w| Problem::field("sort", w))?;
    let words: Vec<String> = page.filter("q").unwrap_or_default().to_lowercase().split_whitespace().take(8).map(str::to_owned).collect();
    let mut offers = app.store.catalogue().await?;
    offers.retain(|o| {
        let p = &o.product;
        let text = format!("{} {} {} {}", p.name, p.category.as_str(), p.location, p.slug.as_str()).to_lowercase();
        p.active && category.is_none_or(|c| p.category == c) && words.iter().all(|w| text.contains(w.as_str()))
    });
    order.sort(&mut offers);
    let (shown, next) = part(&offers, &page)?;
    let items: Vec<Value> = shown.iter().map(|o| view(&app.site, o)).collect();
    Ok(cached(json!(page.answer(Page::new(items, next)))))
}

/// How a list is sorted. Every order ends in the id, so that pages never overlap.
#[derive(Debug, Clone, Copy)]
enum Order {
    Category,
    Cheapest,
    Dearest,
    Name,
}

impl Order {
    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "category" => Ok(Self::Category),
            "price" => Ok(Self::Cheapest),
            "-price" => Ok(Self::Dearest),
            "name" => Ok(Self::Name),
            _ => Err(Wrong::new("unknown_value", "must be one of category, price, -price, name")),
        }
    }

    fn sort(self, offers: &mut [Offer]) {
        offers.sort_by(|a, b| {
            let (a, b) = (&a.product, &b.product);
            let first = match self {
                Self::Category => (a.category.as_str(), a.price).cmp(&(b.category.as_str(), b.price)),
                Self::Cheapest => a.price.cmp(&b.price),
                Self::Dearest => b.price.cmp(&a.price),
                Self::Name => a.name.as_str().cmp(b.name.as_str()),
            };
            first.then(a.id.cmp(&b.id))
        });
    }
}

/// One page of the list: what comes after the product that the cursor names.
fn part<'a>(offers: &'a [Offer], page: &PageQuery) -> Result<(&'a [Offer], Option<Position>), Problem> {
    let rest = match &page.after {
        None => offers,
        Some(Position(at)) => {
            let last = at.first().and_then(|(_, id)| ProductId::parse(id));
            let found = offers.iter().position(|o| Some(o.product.id) == last);
            found.and_then(|at| offers.get(at + 1..)).ok_or(StoreError::Astray)?
        }
    };
    let shown = rest.get(..page.limit).unwrap_or(rest);
    let more = shown.len() < rest.len();
    Ok((shown, shown.last().filter(|_| more).map(|o| Position(vec![("after".into(), o.product.id.to_string())]))))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = app.store.offer(&id).await?.filter(|o| o.product.active);
    found.map(|o| cached(view(&app.site, &o))).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn categories() -> Response {
    let items: Vec<Value> = Category::ALL.iter().map(|c| json!({ "id": c, "name": c.title() })).collect();
    cached(json!({ "items": items, "next_cursor": null }))
}

fn view(site: &Site, offer: &Offer) -> Value {
    let product = &offer.product;
    let image = |p: &Picture| json!({ "id": p.id, "sizes": picture::sizes(site, p) });
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
        "description": product.description,
        "images": product.pictures.iter().map(image).collect::<Vec<_>>(),
    })
}

fn cached(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=5")], Json(body)).into_response()
}
