//! Customers register, log in, stay logged in and log out.

use axum::extract::State;
use axum::{Json, response::Response};
use http::StatusCode;
use qutab::{
    app::{App, Problem, sessions},
    domain::{
        contact::{Email, Phone},
        identity::{Audience, Language},
        text::PersonName,
    },
    http::{Access, CustomerToken, Form, Group, Peer, login},
    secrets::password::Password,
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("customer-auth")
        .post("/api/auth/register", Access::Public, register)
        .post("/api/auth/login", Access::Public, log_in)
        .post("/api/auth/refresh", Access::Public, refresh)
        .post("/api/auth/logout", Access::Customer, logout)
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

async fn log_in(State(app): State<App>, peer: Peer, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Customer, &peer, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Customer, &headers).await
}

async fn logout(State(app): State<App>, caller: CustomerToken) -> Result<Response, Problem> {
    login::log_out(&app, Audience::Customer, &caller.id.to_string(), caller.session).await
}
