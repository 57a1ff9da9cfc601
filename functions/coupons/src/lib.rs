//! Coupons at the checkout: what a code is worth for a basket, or why nothing.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, quote},
    domain::{
        coupon::CouponCode,
        money::Rupiah,
        order::{MAX_LINES, WantedLine},
    },
    http::{Access, CustomerToken, Form, Group, items},
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("coupons").post("/api/coupons/validate", Access::Customer, validate).build(app)
}

/// Nothing is taken: the use is reserved when the order is placed.
async fn validate(State(app): State<App>, caller: CustomerToken, mut form: Form) -> Result<Json<Value>, Problem> {
    let code = form.text("code", CouponCode::parse);
    let wanted = form.list("items", 1..=MAX_LINES, items::unnamed);
    form.checked()?;
    let (Some(code), Some(wanted)) = (code, wanted) else { return Err(form.problem()) };
    let quote = quote::quote(&app, caller.id, &WantedLine::merged(wanted), &code).await?;
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
