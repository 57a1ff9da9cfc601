//! Staff log in with password and second factor, stay logged in, choose passwords, and look after their devices.

mod second_factor;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, credentials, staff},
    domain::{
        identity::{Audience, LinkPurpose},
        staff::Permission,
    },
    http::{Access, AdminCaller, Form, Group, Peer, login},
};
use serde_json::{Value, json};

/// Every member of staff may look after their own login.
pub const OWN: Access = Access::Admin(Permission::Read);

pub fn group(app: App) -> Group {
    Group::named("admin-auth")
        .post("/api/admin/auth/login", Access::Public, log_in)
        .post("/api/admin/auth/refresh", Access::Public, refresh)
        .post("/api/admin/auth/forgot-password", Access::Public, forgot_password)
        .post("/api/admin/auth/reset-password", Access::Public, reset_password)
        .post("/api/admin/auth/accept-invitation", Access::Public, accept_invitation)
        .post("/api/admin/auth/logout", OWN, logout)
        .get("/api/admin/auth/me", OWN, me)
        .put("/api/admin/auth/password", OWN, change_password)
        .get("/api/admin/auth/sessions", OWN, list_sessions)
        .delete("/api/admin/auth/sessions/{id}", OWN, end_session)
        .post("/api/admin/auth/totp/enrol", OWN, second_factor::enrol)
        .post("/api/admin/auth/totp/verify", OWN, second_factor::verify)
        .post("/api/admin/auth/totp/disable", OWN, second_factor::disable)
        .build(app)
}

async fn log_in(State(app): State<App>, peer: Peer, headers: http::HeaderMap, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Admin, &peer, &headers, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Admin, &headers).await
}

async fn forgot_password(State(app): State<App>, peer: Peer, form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    login::mail_link(&app, Audience::Admin, LinkPurpose::ResetPassword, &peer, form).await
}

async fn reset_password(State(app): State<App>, peer: Peer, form: Form) -> Result<StatusCode, Problem> {
    login::set_password_by_link(&app, Audience::Admin, LinkPurpose::ResetPassword, &peer, form).await
}

async fn accept_invitation(State(app): State<App>, peer: Peer, form: Form) -> Result<StatusCode, Problem> {
    login::set_password_by_link(&app, Audience::Admin, LinkPurpose::AcceptInvitation, &peer, form).await
}

async fn logout(State(app): State<App>, caller: AdminCaller) -> Result<Response, Problem> {
    let session = caller.session;
    staff::leave(&app, caller.into(), session).await?;
    Ok(login::logged_out(&app, Audience::Admin))
}

/// Who one is, and what one may do.
async fn me(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    let admin = app.store.admin(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?.value;
    let rights: Vec<&str> = Permission::ALL.iter().filter(|p| admin.role.may(**p)).map(|p| p.as_str()).collect();
    let factor = admin.asks_for_code();
    Ok(Json(json!({
        "id": admin.id,
        "name": admin.name,
        "email": admin.email,
        "role": admin.role,
        "rights": rights,
        "second_factor": factor.is_some(),
        "recovery_codes_left": factor.map(|f| f.recovery.len()),
    })))
}

async fn change_password(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<StatusCode, Problem> {
    let (old, new) = login::passwords(&mut form)?;
    let admin = app.store.admin(caller.id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    credentials::change_password(&app, Audience::Admin, &admin.value.email, caller.session, &old, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_sessions(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    login::sessions(&app, &caller.id.to_string(), caller.session).await
}

async fn end_session(State(app): State<App>, caller: AdminCaller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let session = login::own_session(&app, &caller.id.to_string(), &id).await?;
    staff::leave(&app, caller.into(), session).await?;
    Ok(StatusCode::NO_CONTENT)
}
