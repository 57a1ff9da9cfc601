//! `POST /api/orders`.

use super::view;
use axum::{Json, extract::State};
use http::{HeaderMap, HeaderName, StatusCode};
use qutab::{
    app::{
        Problem, Shop,
        place_order::{self, Wanted},
    },
    domain::{
        Wrong,
        coupon::CouponCode,
        ids::ProductId,
        order::{MAX_LINES, MAX_QUANTITY, Recipient, Shohibul, WantedLine},
        text::{Note, PersonName, Place, TermsVersion},
    },
    http::{CustomerToken, Form, IdempotencyKey, cookies},
};
use serde_json::Value;

/// Most shohibul names of one line: seven for each cow.
const MAX_NAMES: usize = 7 * MAX_QUANTITY as usize;

pub async fn place(
    State(shop): State<Shop>,
    caller: CustomerToken,
    headers: HeaderMap,
    IdempotencyKey(key): IdempotencyKey,
    mut form: Form,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<Value>), Problem> {
    let wanted = read(&shop, &headers, key, &mut form)?;
    let placed = place_order::place_order(&shop, caller.id, wanted).await?;
    let replayed = if placed.replayed { "true" } else { "false" };
    let body = view::placed(&placed.order, placed.payment_url.as_deref());
    Ok((StatusCode::CREATED, [(HeaderName::from_static("idempotent-replayed"), replayed)], Json(body)))
}

fn read(shop: &Shop, headers: &HeaderMap, key: Option<String>, form: &mut Form) -> Result<Wanted, Problem> {
    let lines = form.list("items", 1..=MAX_LINES, line);
    let recipient = form.object("recipient", |r| {
        let (name, location) = (r.text("name", PersonName::parse), r.text("location", Place::parse));
        Some(Recipient { name: name?, location: location? })
    });
    let note = form.maybe_text("note", Note::parse);
    let coupon = form.maybe_text("coupon", CouponCode::parse);
    let terms = form.text("terms_version", TermsVersion::parse);
    if form.flag("consent") == Some(false) {
        form.wrong("consent", Wrong::new("required", "the terms must be agreed to"));
    }
    let token = form.maybe_text("referral_token", |t| Ok(t.to_owned()));
    let digest = form.digest();
    form.checked()?;
    let (Some(lines), Some(recipient), Some(terms)) = (lines, recipient, terms) else { return Err(form.problem()) };
    // The field comes before the cookie; a token that was not signed here is no referral and no error.
    let signed = token.as_deref().or_else(|| cookies::read(headers, cookies::REFERRAL));
    let click = signed.zip(shop.app.referrals.as_ref()).and_then(|(token, key)| key.open(token));
    Ok(Wanted { lines: WantedLine::merged(lines), recipient, note, coupon, terms: terms.as_str().into(), click, request: key.map(|k| (k, digest)) })
}

fn line(item: &mut Form) -> Option<WantedLine> {
    let product = item.text("product_id", |t| ProductId::parse(t).ok_or_else(|| Wrong::new("unknown_product", "there is no such product")));
    let quantity = item.integer("quantity", 1..=i64::from(MAX_QUANTITY)).and_then(|q| u32::try_from(q).ok());
    let shohibul = item.list("shohibul", 1..=MAX_NAMES, |s| {
        let (name, father) = (s.text("name", PersonName::parse), s.maybe_text("father", PersonName::parse));
        Some(Shohibul { name: name?, father })
    });
    Some(WantedLine { product: product?, quantity: quantity?, shohibul: shohibul? })
}
