//! Affiliates apply, log in and see where their application stands.

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, affiliates},
    domain::{
        affiliate::{Affiliate, AffiliateStatus},
        contact::Email,
        identity::{Audience, LinkPurpose},
    },
    http::{Access, ActiveAffiliate, AffiliateToken, Form, Group, Peer, details, login},
    secrets::password::Password,
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("affiliate-auth")
        .post("/api/affiliate/auth/register", Access::Public, register)
        .post("/api/affiliate/auth/login", Access::Public, log_in)
        .post("/api/affiliate/auth/refresh", Access::Public, refresh)
        .post("/api/affiliate/auth/logout", Access::Affiliate, logout)
        .post("/api/affiliate/auth/forgot-password", Access::Public, forgot_password)
        .post("/api/affiliate/auth/reset-password", Access::Public, reset_password)
        .get("/api/affiliate/auth/sessions", Access::Affiliate, list_sessions)
        .delete("/api/affiliate/auth/sessions/{id}", Access::Affiliate, end_session)
        .put("/api/affiliate/application", Access::Affiliate, reapply)
        .get("/api/affiliate/status", Access::Affiliate, status)
        .build(app)
}

/// The answer is the same whether the address was new or not.
async fn register(State(app): State<App>, peer: Peer, mut form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    let (email, password) = (form.text("email", Email::parse), form.text("password", Password::parse));
    let details = details::details(&mut form);
    form.checked()?;
    let (Some(email), Some(password), Some(details)) = (email, password, details) else { return Err(form.problem()) };
    affiliates::apply(&app, affiliates::Application { email, password, details }, &peer.address).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "pending" }))))
}

/// After a rejection, with other details.
async fn reapply(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, mut form: Form) -> Result<Json<Value>, Problem> {
    let details = details::details(&mut form);
    form.checked()?;
    let Some(details) = details else { return Err(form.problem()) };
    Ok(Json(view(&app, &affiliates::reapply(&app, caller.id, details).await?)))
}

async fn log_in(State(app): State<App>, peer: Peer, headers: http::HeaderMap, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Affiliate, &peer, &headers, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Affiliate, &headers).await
}

async fn logout(State(app): State<App>, caller: AffiliateToken) -> Result<Response, Problem> {
    login::log_out(&app, Audience::Affiliate, &caller.id.to_string(), caller.session).await
}

async fn forgot_password(State(app): State<App>, peer: Peer, form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    login::mail_link(&app, Audience::Affiliate, LinkPurpose::ResetPassword, &peer, form).await
}

async fn reset_password(State(app): State<App>, peer: Peer, form: Form) -> Result<StatusCode, Problem> {
    login::set_password_by_link(&app, Audience::Affiliate, LinkPurpose::ResetPassword, &peer, form).await
}

async fn list_sessions(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    login::sessions(&app, &caller.id.to_string(), caller.session).await
}

async fn end_session(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    login::end_session(&app, &caller.id.to_string(), &id).await
}

async fn status(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let affiliate = app.store.affiliate(caller.id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    Ok(Json(view(&app, &affiliate)))
}

fn view(app: &App, affiliate: &Affiliate) -> Value {
    let link = affiliate.code.as_ref().map(|code| format!("{}/r/{code}", app.site.api));
    json!({
        "affiliate_id": affiliate.id,
        "status": affiliate.status,
        "applied_at": affiliate.applied_at,
        "decided_at": affiliate.decided_at,
        "code": affiliate.code,
        "referral_link": link,
        "rejection_reason": affiliate.rejection.as_ref().filter(|_| affiliate.status == AffiliateStatus::Rejected),
    })
}
