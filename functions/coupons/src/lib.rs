//! Coupons: what a code is worth for a basket, or why nothing; and which codes an affiliate has.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, quote},
    domain::{
        coupon::{Coupon, CouponCode},
        money::Rupiah,
        order::{MAX_LINES, WantedLine},
    },
    http::{Access, ActiveAffiliate, CustomerToken, Form, Group, PageQuery, Peer, items, page::Listed},
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("coupons")
        .post("/api/coupons/validate", Access::Customer, validate)
        .get("/api/affiliate/coupons", Access::Affiliate, of_affiliate)
        .build(app)
}

/// The affiliate's own codes, with how far they are used up.
async fn of_affiliate(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    let now = app.clock.now();
    let found = app.store.coupons_of(caller.id, page.limit, page.after.clone()).await?;
    let view = |c: &Coupon| {
        json!({
            "code": c.code,
            "discount": c.discount,
            "minimum_order": c.minimum_order,
            "categories": c.categories,
            "valid_from": c.valid_from,
            "valid_until": c.valid_until,
            "used": c.used,
            "limit": c.limit,
            "per_customer": c.per_customer,
            "active": c.active && (c.valid_from..c.valid_until).contains(&now) && c.used < c.limit,
        })
    };
    Ok(Json(page.answer(found.map(|c| view(&c.value)))))
}

/// Nothing is taken: the use is reserved when the order is placed.
async fn validate(State(app): State<App>, caller: CustomerToken, peer: Peer, mut form: Form) -> Result<Json<Value>, Problem> {
    let code = form.text("code", CouponCode::parse);
    let wanted = form.list("items", 1..=MAX_LINES, items::unnamed);
    form.checked()?;
    let (Some(code), Some(wanted)) = (code, wanted) else { return Err(form.problem()) };
    let quote = quote::quote(&app, &caller.session(), &WantedLine::merged(wanted), &code, &peer.address).await?;
    Ok(Json(json!({
        "code": code,
        "valid": quote.discount.is_ok(),
        "reason": quote.discount.err().map(|why| json!({ "code": why.code(), "message": why.to_string() })),
        "subtotal": quote.subtotal,
        "discount": quote.discount.unwrap_or(Rupiah::ZERO),
        "total": quote.total,
        "valid_until": quote.valid_until,
    })))
}
