//! Coupons: made, listed with their use, switched off.

use super::EDIT;
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, coupons},
    domain::{
        Wrong,
        catalog::Category,
        coupon::{Coupon, CouponCode, Discount},
        ids::{AffiliateId, ProductId},
        money::{BasisPoints, Rupiah},
        staff::Permission,
        time::Timestamp,
    },
    http::{AdminCaller, Form, PageQuery, StaffForm, page::Listed, policy},
};
use serde_json::{Value, json};

const MOST_USES: i64 = 1_000_000;
/// The highest discount; the lowest is one rupiah, for a coupon that takes off nothing is a mistake.
const MOST_DISCOUNT: i64 = 1_000_000_000_000;
/// Most products that one coupon names.
const MOST_PRODUCTS: usize = 50;

fn code(text: &str) -> Result<CouponCode, Problem> {
    CouponCode::parse(text).map_err(|_| Problem::new(Code::NotFound))
}

fn affiliate(text: &str) -> Result<AffiliateId, Wrong> {
    AffiliateId::parse(text).ok_or_else(|| Wrong::new("unknown_value", "is no affiliate's id"))
}

/// The shop's own, newest first; with `?affiliate=` that one's.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let owner = page.filter("affiliate").map(affiliate).transpose().map_err(|w| Problem::field("affiliate", w))?;
    let found = match owner {
        Some(id) => app.store.coupons_of(id, page.limit, page.after.clone()).await?,
        None => app.store.shop_coupons(page.limit, page.after.clone()).await?,
    };
    Ok(Json(page.answer(found.map(|c| view(&c.value)))))
}

pub async fn one(State(app): State<App>, caller: AdminCaller, Path(text): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let coupon = app.store.coupon(&code(&text)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&coupon.value)))
}

/// `{"kind": "percent", "rate": 1000, "cap": 500000}` or `{"kind": "fixed", "amount": 100000}`.
fn discount(form: &mut Form) -> Option<Discount> {
    match form.text("kind", |kind| Ok(kind.to_owned()))?.as_str() {
        "percent" => {
            let cap = form.maybe_integer("cap", 1..=MOST_DISCOUNT).map(Rupiah::new);
            let rate = form.integer("rate", 1..=i64::from(BasisPoints::WHOLE));
            let rate = rate.and_then(|n| u16::try_from(n).ok()).and_then(BasisPoints::new);
            rate.map(|rate| Discount::Percent { rate, cap })
        }
        "fixed" => form.integer("amount", 1..=MOST_DISCOUNT).map(|amount| Discount::Fixed { amount: Rupiah::new(amount) }),
        _ => {
            form.wrong("kind", Wrong::new("unknown_value", "must be one of percent, fixed"));
            None
        }
    }
}

fn named<T>(form: &mut Form, field: &str, most: usize, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let Some(texts) = (if form.has(field) { form.texts(field, 0..=most) } else { None }) else { return Vec::new() };
    let found: Option<Vec<T>> = texts.iter().map(|t| parse(t)).collect();
    found.unwrap_or_else(|| {
        form.wrong(field, Wrong::new("unknown_value", "names something that there is not"));
        Vec::new()
    })
}

fn moment(text: &str) -> Result<Timestamp, Wrong> {
    Timestamp::parse(text).ok_or_else(|| Wrong::new("bad_time", "must be a time as 2026-11-23T00:00:00Z"))
}

fn uses(form: &mut Form, field: &str) -> Option<u32> {
    form.maybe_integer(field, 1..=MOST_USES).and_then(|n| u32::try_from(n).ok())
}

pub async fn create(State(app): State<App>, caller: AdminCaller, StaffForm(mut form): StaffForm) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(EDIT)?.into();
    let (code, discount) = (form.text("code", CouponCode::parse), form.object("discount", discount));
    let valid_from = form.maybe_text("valid_from", moment).unwrap_or_else(|| app.clock.now());
    let valid_until = form.text("valid_until", moment);
    if valid_until.is_some_and(|until| until <= valid_from) {
        form.wrong("valid_until", Wrong::new("bad_range", "must be after valid_from"));
    }
    let minimum_order = policy::maybe_rupiah(&mut form, "minimum_order").unwrap_or(Rupiah::ZERO);
    let (limit, per_customer) = (uses(&mut form, "limit"), uses(&mut form, "per_customer"));
    let affiliate = form.maybe_text("affiliate", affiliate);
    let categories = named(&mut form, "categories", Category::ALL.len(), |t| Category::parse(t).ok());
    let products = named(&mut form, "products", MOST_PRODUCTS, ProductId::parse);
    if !form.has("limit") {
        form.wrong("limit", Wrong::new("required", "is required"));
    }
    form.checked()?;
    let (Some(code), Some(discount), Some(valid_until), Some(limit)) = (code, discount, valid_until, limit) else { return Err(form.problem()) };
    if discount.needs_owner(minimum_order) {
        caller.may(Permission::GiveMuch)?;
    }
    let coupon = Coupon {
        code,
        discount,
        valid_from,
        valid_until,
        minimum_order,
        limit,
        used: 0,
        active: true,
        affiliate,
        per_customer,
        categories,
        products,
    };
    Ok((StatusCode::CREATED, Json(view(&coupons::create(&app, by, coupon).await?))))
}

pub async fn deactivate(State(app): State<App>, caller: AdminCaller, Path(text): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    Ok(Json(view(&coupons::deactivate(&app, by, &code(&text)?).await?)))
}

fn view(c: &Coupon) -> Value {
    json!({
        "code": c.code,
        "discount": c.discount,
        "valid_from": c.valid_from,
        "valid_until": c.valid_until,
        "minimum_order": c.minimum_order,
        "limit": c.limit,
        "used": c.used,
        "per_customer": c.per_customer,
        "affiliate": c.affiliate,
        "categories": c.categories,
        "products": c.products,
        "active": c.active,
    })
}
