//! Staff log in, stay logged in and log out.

use axum::{extract::State, response::Response};
use qutab::{
    app::{App, Problem},
    domain::identity::{Audience, Permission},
    http::{Access, AdminCaller, Form, Group, Peer, login},
};

pub fn group(app: App) -> Group {
    Group::named("admin-auth")
        .post("/api/admin/auth/login", Access::Public, log_in)
        .post("/api/admin/auth/refresh", Access::Public, refresh)
        .post("/api/admin/auth/logout", Access::Admin(Permission::Read), logout)
        .build(app)
}

async fn log_in(State(app): State<App>, peer: Peer, form: Form) -> Result<Response, Problem> {
    login::log_in(&app, Audience::Admin, &peer, form).await
}

async fn refresh(State(app): State<App>, headers: http::HeaderMap) -> Result<Response, Problem> {
    login::refresh(&app, Audience::Admin, &headers).await
}

async fn logout(State(app): State<App>, caller: AdminCaller) -> Result<Response, Problem> {
    login::log_out(&app, Audience::Admin, &caller.id.to_string(), caller.session).await
}
