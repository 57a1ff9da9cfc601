//! Products: put on sale, changed, archived, restocked.

use super::EDIT;
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, products},
    domain::{
        Wrong,
        catalog::{Category, MOST_PRICE, Portion, Product, Slug},
        ids::ProductId,
        money::Rupiah,
        settings::CommissionRule,
        staff::Permission,
        text::{Description, Note, Place, Title},
    },
    http::{AdminCaller, Change, Form, IdempotencyKey, PageQuery, StaffForm, page::Listed, picture, policy},
};
use serde_json::{Value, json};

const MOST_UNITS: i64 = 100_000;

pub fn id(text: &str) -> Result<ProductId, Problem> {
    ProductId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

/// All of them, archived ones included, with what can be bought.
pub async fn list(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let offers = app.store.catalogue().await?;
    let items: Vec<Value> = offers.iter().map(|o| view(&app, &o.product, Some(o.available))).collect();
    Ok(Json(json!({ "items": items, "next_cursor": null })))
}

pub async fn one(State(app): State<App>, caller: AdminCaller, Path(product): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let id = id(&product)?;
    let product = app.store.product(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    Ok(Json(view(&app, &product, app.store.stock(id).await?.map(|s| s.value.available))))
}

/// What a body says of a product; what it does not name stays.
struct Edit {
    name: Option<Title>,
    slug: Option<Slug>,
    category: Option<Category>,
    portion: Option<Portion>,
    price: Option<Rupiah>,
    weight_kg: Option<(u16, u16)>,
    location: Option<Place>,
    description: Option<Description>,
    season: Option<u16>,
    active: Option<bool>,
    /// Taken away: back to everybody's rule.
    commission: Change<CommissionRule>,
}

fn small(form: &mut Form, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<u16> {
    form.integer(field, range).and_then(|n| u16::try_from(n).ok())
}

fn weight(form: &mut Form) -> Option<(u16, u16)> {
    let (from, to) = (small(form, "from", 1..=2_000)?, small(form, "to", 1..=2_000)?);
    if from > to {
        form.wrong("to", Wrong::new("bad_range", "must not be less than from"));
    }
    Some((from, to))
}

fn read(form: &mut Form) -> Edit {
    Edit {
        name: form.maybe_text("name", Title::parse),
        slug: form.maybe_text("slug", Slug::parse),
        category: form.maybe_text("category", Category::parse),
        portion: form.maybe_text("portion", Portion::parse),
        price: form.maybe_integer("price", 1..=MOST_PRICE.get()).map(Rupiah::new),
        weight_kg: if form.has("weight_kg") { form.object("weight_kg", weight) } else { None },
        location: form.maybe_text("location", Place::parse),
        description: form.maybe_text("description", Description::parse),
        season: form.maybe_integer("season", 1_400..=1_600).and_then(|n| u16::try_from(n).ok()),
        active: form.maybe_flag("active"),
        commission: form.change("commission_rule", policy::commission),
    }
}

/// A large commission is an owner's to give.
fn may_give(caller: AdminCaller, commission: Change<CommissionRule>) -> Result<(), Problem> {
    let much = matches!(commission, Change::Set(rule) if rule.needs_owner());
    if much { caller.may(Permission::GiveMuch).map(|_| ()) } else { Ok(()) }
}

pub async fn create(State(app): State<App>, caller: AdminCaller, StaffForm(mut form): StaffForm) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(EDIT)?.into();
    for field in ["name", "category", "portion", "price", "weight_kg", "location", "season"] {
        if !form.has(field) {
            form.wrong(field, Wrong::new("required", "is required"));
        }
    }
    let edit = read(&mut form);
    let units = form.integer("available", 0..=MOST_UNITS).and_then(|n| u32::try_from(n).ok());
    let slug = match (&edit.slug, &edit.name) {
        (None, Some(name)) => Slug::of(name).map_err(|w| form.wrong("slug", w)).ok(),
        (slug, _) => slug.clone(),
    };
    form.checked()?;
    let product = (|| {
        Some(Product {
            id: ProductId::fresh(app.clock.now(), &app.entropy),
            slug: slug?,
            name: edit.name?,
            category: edit.category?,
            portion: edit.portion?,
            price: edit.price?,
            weight_kg: edit.weight_kg?,
            location: edit.location?,
            description: edit.description,
            pictures: Vec::new(),
            season: edit.season?,
            active: edit.active.unwrap_or(true),
            commission: edit.commission.over(None),
        })
    })();
    may_give(caller, edit.commission)?;
    let (Some(product), Some(units)) = (product, units) else { return Err(form.problem()) };
    let created = products::create(&app, by, product, units).await?;
    Ok((StatusCode::CREATED, Json(view(&app, &created, Some(units)))))
}

pub async fn update(
    State(app): State<App>,
    caller: AdminCaller,
    Path(product): Path<String>,
    StaffForm(mut form): StaffForm,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let id = id(&product)?;
    let edit = read(&mut form);
    form.checked()?;
    may_give(caller, edit.commission)?;
    let changed = products::update(&app, by, id, |before| {
        Ok(Product {
            name: edit.name.clone().unwrap_or(before.name),
            slug: edit.slug.clone().unwrap_or(before.slug),
            category: edit.category.unwrap_or(before.category),
            portion: edit.portion.unwrap_or(before.portion),
            price: edit.price.unwrap_or(before.price),
            weight_kg: edit.weight_kg.unwrap_or(before.weight_kg),
            location: edit.location.clone().unwrap_or(before.location),
            description: edit.description.clone().or(before.description),
            season: edit.season.unwrap_or(before.season),
            active: edit.active.unwrap_or(before.active),
            commission: edit.commission.over(before.commission),
            id: before.id,
            pictures: before.pictures,
        })
    });
    Ok(Json(view(&app, &changed.await?, app.store.stock(id).await?.map(|s| s.value.available))))
}

/// Not shown and not for sale any more. Orders keep their copy of it.
pub async fn archive(State(app): State<App>, caller: AdminCaller, Path(product): Path<String>) -> Result<StatusCode, Problem> {
    let by = caller.may(EDIT)?.into();
    products::update(&app, by, id(&product)?, |before| Ok(Product { active: false, ..before })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `{"units": 10}` adds, `{"units": -3}` takes what nobody has reserved.
pub async fn restock(
    State(app): State<App>,
    caller: AdminCaller,
    Path(product): Path<String>,
    key: IdempotencyKey,
    mut form: Form,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let units = form.integer("units", -MOST_UNITS..=MOST_UNITS).and_then(|n| i32::try_from(n).ok());
    let note = form.maybe_text("note", Note::parse);
    form.checked()?;
    let Some(units) = units else { return Err(form.problem()) };
    let available = products::restock(&app, by, id(&product)?, units, note, &key.required()?).await?;
    Ok(Json(json!({ "available": available })))
}

pub async fn history(
    State(app): State<App>,
    caller: AdminCaller,
    Path(product): Path<String>,
    page: PageQuery,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let found = app.store.product_changes(id(&product)?, page.limit, page.after.clone()).await?;
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let view = |c: &qutab::domain::catalog::ProductChange| json!({ "at": c.at, "by": c.by, "before": c.before.as_deref().map(parsed), "after": parsed(&c.after), "note": c.note });
    Ok(Json(page.answer(found.map(|c| view(&c.value)))))
}

pub fn view(app: &App, p: &Product, available: Option<u32>) -> Value {
    let image = |i: &qutab::domain::picture::Picture| json!({ "id": i.id, "sizes": picture::sizes(&app.site, i) });
    json!({
        "id": p.id,
        "slug": p.slug,
        "name": p.name,
        "category": p.category,
        "portion": p.portion,
        "price": p.price,
        "available": available,
        "weight_kg": { "from": p.weight_kg.0, "to": p.weight_kg.1 },
        "location": p.location,
        "description": p.description,
        "season": p.season,
        "active": p.active,
        "commission_rule": p.commission,
        "images": p.pictures.iter().map(image).collect::<Vec<_>>(),
    })
}
