//! Customers see, change and delete their own data.

use axum::{Json, extract::State};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem, credentials,
        profile::{self, Changes},
    },
    domain::{
        contact::Phone,
        identity::{Audience, Customer, Language},
        text::{PersonName, Place},
    },
    http::{Access, ActiveCustomer, Form, Group, login},
    secrets::password::Password,
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("customer-profile")
        .get("/api/profile", Access::Customer, read)
        .patch("/api/profile", Access::Customer, change)
        .delete("/api/profile", Access::Customer, delete)
        .put("/api/profile/password", Access::Customer, change_password)
        .build(app)
}

async fn read(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer) -> Result<Json<Value>, Problem> {
    let customer = app.store.customer(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    Ok(Json(view(&customer.value)))
}

async fn change(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer, mut form: Form) -> Result<Json<Value>, Problem> {
    let changes = Changes {
        name: form.maybe_text("name", PersonName::parse),
        phone: form.maybe_text("phone", Phone::parse),
        address: form.maybe_text("address", Place::parse),
        language: form.maybe_text("language", Language::parse),
    };
    form.checked()?;
    Ok(Json(view(&profile::change(&app, caller.id, changes).await?)))
}

/// Every other device is logged out.
async fn change_password(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer, mut form: Form) -> Result<StatusCode, Problem> {
    let (old, new) = login::passwords(&mut form)?;
    let customer = app.store.customer(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    credentials::change_password(&app, Audience::Customer, &customer.value.email, caller.session, &old, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For good. The password is asked for again.
async fn delete(State(app): State<App>, ActiveCustomer(caller): ActiveCustomer, mut form: Form) -> Result<StatusCode, Problem> {
    let password = form.text("current_password", Password::typed);
    form.checked()?;
    let Some(password) = password else { return Err(form.problem()) };
    profile::delete(&app, caller.id, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(c: &Customer) -> Value {
    json!({
        "id": c.id,
        "name": c.name,
        "email": c.email,
        "email_verified": c.verified_at.is_some(),
        "phone": c.phone,
        "address": c.address,
        "language": c.language,
        "created_at": c.created_at,
    })
}
