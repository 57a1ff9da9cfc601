//! Customers register, prove their address, log in, stay logged in, log out, and get a new password.

use axum::extract::{Path, State};
use axum::{Json, response::Response};
use http::StatusCode;
use qutab::{
    app::{App, Problem, credentials, sessions},
    domain::{
        contact::{Email, Phone},
        identity::{Audience, Language, LinkPurpose},
        text::PersonName,
    },
    http::{Access, ActiveCustomer, CustomerToken, Form, Group, Peer, login},
    secrets::password::Password,
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("customer-auth")
        .post("/api/auth/register", Access::Public, register)
        .post("/api/auth/login", Access::Public, log_in)
        .post("/api/auth/refresh", Access::Public, refresh)
        .post("/api/auth/logout", Access::Customer, logout)
        .post("/api/auth/verify-email", Access::Public, verify_email)
        .post("/api/auth/resend-verification", Access::Public, resend_verification)
        .post("/api/auth/forgot-password", Access::Public, forgot_password)
        .post("/api/auth/reset-password", Access::Public, reset_password)
        .get("/api/auth/sessions", Access::Customer, list_sessions)
        .delete("/api/auth/sessions/{id}", Access::Customer, end_session)
        .build(app)
}

/// The answer is the same whether the address was new or not.
async fn register(State(app): State<App>, peer: Peer, mut form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = form.text("name", PersonName::parse);
    let email = form.text("email", Email::parse);
    let phone = form.text("phone", Phone::parse);
    let password = form.text("password", Password::parse);
    let language = form.maybe_text("language", Language::parse).unwrap_or(Language::Id);
    form.checked()?;
    let (Some(name), Some(email), Some(phone), Some(password)) = (name, email, phone, password) else { return Err(form.problem()) };
    sessions::register(&app, sessions::NewCustomer { name, email, phone, password, language }, &peer.address).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "registered" }))))
}

async fn log_in(State(app): State<App>, peer: Peer, headers: http::HeaderMap, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Customer, &peer, &headers, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Customer, &headers).await
}

async fn logout(State(app): State<App>, caller: CustomerToken) -> Result<Response, Problem> {
    login::log_out(&app, Audience::Customer, &caller.id.to_string(), caller.session).await
}

async fn verify_email(State(app): State<App>, peer: Peer, mut form: Form) -> Result<StatusCode, Problem> {
    let token = form.text("token", |t| Ok(t.to_owned()));
    form.checked()?;
    let Some(token) = token else { return Err(form.problem()) };
    credentials::verify_email(&app, &token, &peer.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn resend_verification(State(app): State<App>, peer: Peer, form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    login::mail_link(&app, Audience::Customer, LinkPurpose::VerifyEmail, &peer, form).await
}

async fn forgot_password(State(app): State<App>, peer: Peer, form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    login::mail_link(&app, Audience::Customer, LinkPurpose::ResetPassword, &peer, form).await
}

async fn reset_password(State(app): State<App>, peer: Peer, form: Form) -> Result<StatusCode, Problem> {
    login::set_password_by_link(&app, Audience::Customer, LinkPurpose::ResetPassword, &peer, form).await
}

async fn list_sessions(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer) -> Result<Json<Value>, Problem> {
    login::sessions(&app, &caller.id.to_string(), caller.session).await
}

async fn end_session(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    login::end_session(&app, &caller.id.to_string(), &id).await
}
