//! The affiliate's link: as an address, as HTML to embed, as a QR code.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use qrcode::{EcLevel, QrCode, render::svg};
use qutab::{
    app::{App, Code, Problem},
    domain::{affiliate::ReferralCode, ids::AffiliateId},
    http::ActiveAffiliate,
};
use serde_json::{Value, json};

/// Side of the QR code, in pixels; it scales without loss.
const SIDE: u32 = 320;

async fn own(app: &App, id: AffiliateId) -> Result<(ReferralCode, String), Problem> {
    let affiliate = app.store.affiliate(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let code = affiliate.code.ok_or_else(|| Problem::conflict("the application has not been approved"))?;
    let url = format!("{}/r/{code}", app.site.api);
    Ok((code, url))
}

pub async fn link(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let (code, url) = own(&app, caller.id).await?;
    // Code and address are letters, digits and dashes: nothing in them needs escaping.
    let embed = format!("<a href=\"{url}\" rel=\"noopener\" target=\"_blank\">Qurban Tanpa Batas</a>");
    Ok(Json(json!({ "code": code, "url": url, "embed_code": embed, "qr_code_url": format!("{}/api/affiliate/referral-link/qr", app.site.api) })))
}

pub async fn qr_code(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Response, Problem> {
    let (_, url) = own(&app, caller.id).await?;
    let code = QrCode::with_error_correction_level(url.as_bytes(), EcLevel::M).map_err(Problem::internal)?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).quiet_zone(true).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CONTENT_DISPOSITION, "inline; filename=\"qutab.svg\"")], drawn).into_response())
}
