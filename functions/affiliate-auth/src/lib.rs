//! Affiliates apply, log in and see where their application stands.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, affiliates},
    domain::{
        affiliate::{AffiliateStatus, Platform},
        contact::{Email, Phone},
        identity::{Audience, Language},
        text::{Motivation, PersonName, Place},
    },
    http::{Access, ActiveAffiliate, AffiliateToken, Form, Group, Peer, login},
    secrets::password::Password,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn group(app: App) -> Group {
    Group::named("affiliate-auth")
        .post("/api/affiliate/auth/register", Access::Public, register)
        .post("/api/affiliate/auth/login", Access::Public, log_in)
        .post("/api/affiliate/auth/refresh", Access::Public, refresh)
        .post("/api/affiliate/auth/logout", Access::Affiliate, logout)
        .get("/api/affiliate/status", Access::Affiliate, status)
        .build(app)
}

/// The answer is the same whether the address was new or not.
async fn register(State(app): State<App>, peer: Peer, mut form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    let first_name = form.text("first_name", PersonName::parse);
    let last_name = form.text("last_name", PersonName::parse);
    let email = form.text("email", Email::parse);
    let password = form.text("password", Password::parse);
    let whatsapp = form.text("whatsapp", Phone::parse);
    let city = form.text("city", Place::parse);
    let primary_platform = form.text("primary_platform", Platform::parse);
    let reason = form.text("reason", Motivation::parse);
    let language = form.maybe_text("language", Language::parse).unwrap_or(Language::Id);
    let social = form.object("social", |links| {
        let mut social = BTreeMap::new();
        for platform in Platform::ALL {
            social.extend(links.maybe_text(platform.as_str(), |link| platform.profile(link)).map(|link| (*platform, link)));
        }
        Some(social)
    });
    if let (Some(platform), Some(social)) = (primary_platform, &social)
        && !social.contains_key(&platform)
    {
        form.wrong("social", qutab::domain::Wrong::new("required", format!("needs the link of {}", platform.as_str())));
    }
    form.checked()?;
    let (Some(first_name), Some(last_name), Some(email), Some(password), Some(whatsapp)) = (first_name, last_name, email, password, whatsapp) else {
        return Err(form.problem());
    };
    let (Some(city), Some(primary_platform), Some(reason), Some(social)) = (city, primary_platform, reason, social) else {
        return Err(form.problem());
    };
    let application = affiliates::Application { first_name, last_name, email, password, whatsapp, city, social, primary_platform, reason, language };
    affiliates::apply(&app, application, &peer.address).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "pending" }))))
}

async fn log_in(State(app): State<App>, peer: Peer, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Affiliate, &peer, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Affiliate, &headers).await
}

async fn logout(State(app): State<App>, caller: AffiliateToken) -> Result<Response, Problem> {
    login::log_out(&app, Audience::Affiliate, &caller.id.to_string(), caller.session).await
}

async fn status(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let affiliate = app.store.affiliate(caller.id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let link = affiliate.code.as_ref().map(|code| format!("{}/r/{code}", app.site.api));
    Ok(Json(json!({
        "affiliate_id": affiliate.id,
        "status": affiliate.status,
        "applied_at": affiliate.applied_at,
        "decided_at": affiliate.decided_at,
        "code": affiliate.code,
        "referral_link": link,
        "rejection_reason": affiliate.rejection.filter(|_| affiliate.status == AffiliateStatus::Rejected),
    })))
}
