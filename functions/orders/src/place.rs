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
        order::{MAX_LINES, Recipient, WantedLine},
        text::{Note, PersonName, Place, TermsVersion},
    },
    http::{CustomerToken, Form, IdempotencyKey, Peer, cookies, items},
};
use serde_json::Value;

pub async fn place(
    State(shop): State<Shop>,
    caller: CustomerToken,
    peer: Peer,
    headers: HeaderMap,
    IdempotencyKey(key): IdempotencyKey,
    mut form: Form,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<Value>), Problem> {
    let mut wanted = read(&shop, &headers, key, &mut form)?;
    wanted.address.clone_from(&peer.address);
    wanted.visitor = shop.app.referrals.as_ref().map(|key| key.visitor(&peer.address, &peer.agent, shop.app.clock.now()));
    let placed = place_order::place_order(&shop, &caller.session(), wanted).await?;
    let replayed = if placed.replayed { "true" } else { "false" };
    let body = view::placed(&placed.order, placed.payment_url.as_deref());
    Ok((StatusCode::CREATED, [(HeaderName::from_static("idempotent-replayed"), replayed)], Json(body)))
}

fn read(shop: &Shop, headers: &HeaderMap, key: Option<String>, form: &mut Form) -> Result<Wanted, Problem> {
    let lines = form.list("items", 1..=MAX_LINES, items::named);
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
    // The field and the cookie may tell of different clicks, and the last one counts; a token that was not signed here is
    // no referral and no error.
    let signed = [token.as_deref(), cookies::read(headers, cookies::REFERRAL)].into_iter().flatten();
    let clicks = signed.filter_map(|token| shop.app.referrals.as_ref().and_then(|key| key.open(token))).collect();
    Ok(Wanted {
        lines: WantedLine::merged(lines),
        recipient,
        note,
        coupon,
        terms: terms.as_str().into(),
        clicks,
        visitor: None,
        address: String::new(),
        request: key.map(|k| (k, digest)),
    })
}
