//! What is for sale: the list, one product, the categories.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{App, Code, Problem, Site},
    domain::{
        Wrong,
        catalog::{Category, Product},
        picture::Picture,
    },
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
    offers.sort_by_cached_key(|o| order.place(&o.product));
    let (shown, next) = part(&offers, order, &page)?;
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

    /// Where a product stands in this order.
    fn place(self, product: &Product) -> Place {
        let (text, price) = match self {
            Self::Category => (product.category.as_str(), product.price.get()),
            Self::Cheapest => ("", product.price.get()),
            Self::Dearest => ("", -product.price.get()),
            Self::Name => (product.name.as_str(), 0),
        };
        Place { text: text.to_owned(), price, id: product.id.to_string() }
    }
}

/// A place in a sorted list: it stays where it is when the product that stood there leaves the shop or changes its price.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    text: String,
    price: i64,
    id: String,
}

impl Place {
    fn position(self) -> Position {
        Position(vec![("text".into(), self.text), ("price".into(), self.price.to_string()), ("id".into(), self.id)])
    }

    fn of(Position(at): &Position) -> Option<Self> {
        let part = |name: &str| at.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        Some(Self { text: part("text")?, price: part("price")?.parse().ok()?, id: part("id")? })
    }
}

/// One page of the list: what comes after the place that the cursor names.
fn part<'a>(offers: &'a [Offer], order: Order, page: &PageQuery) -> Result<(&'a [Offer], Option<Position>), Problem> {
    let rest = match &page.after {
        None => offers,
        Some(position) => {
            let last = Place::of(position).ok_or(StoreError::Astray)?;
            let begins = offers.partition_point(|o| order.place(&o.product) <= last);
            offers.get(begins..).unwrap_or_default()
        }
    };
    let shown = rest.get(..page.limit).unwrap_or(rest);
    let more = shown.len() < rest.len();
    Ok((shown, shown.last().filter(|_| more).map(|o| order.place(&o.product).position())))
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
