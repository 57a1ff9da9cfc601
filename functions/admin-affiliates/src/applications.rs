//! Applications: read, approved, rejected.

use super::{
    REVIEW,
    affiliates::{self, view},
    id,
};
use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{App, Code, Problem, review},
    domain::{affiliate::ReferralCode, staff::Permission, text::Note},
    http::{AdminCaller, Form, PageQuery, page::Listed},
};
use serde_json::Value;

/// Those that wait, or those of another status, oldest first; `?q=` looks for words.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    affiliates::listed(&app, caller, &page, "pending").await
}

pub async fn one(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let affiliate = app.store.affiliate(id(&affiliate)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&affiliate.value)))
}

/// With a generated code, or with the one in the body.
pub async fn approve(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let code = form.maybe_text("code", ReferralCode::parse);
    form.checked()?;
    Ok(Json(view(&review::approve(&app, by, id(&affiliate)?, code).await?)))
}

pub async fn reject(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let reason = form.text("reason", Note::parse);
    form.checked()?;
    let Some(reason) = reason else { return Err(form.problem()) };
    Ok(Json(view(&review::reject(&app, by, id(&affiliate)?, reason).await?)))
}
