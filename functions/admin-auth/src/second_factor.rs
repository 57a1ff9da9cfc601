//! One's own second factor.

use axum::{Json, extract::State};
use http::StatusCode;
use qutab::{
    app::{App, Problem, second_factor},
    domain::Wrong,
    http::{AdminCaller, Form},
    secrets::password::Password,
};
use serde_json::{Value, json};

/// No code is longer than a recovery code with blanks around it.
fn code(text: &str) -> Result<String, Wrong> {
    if text.len() <= 40 { Ok(text.trim().to_owned()) } else { Err(Wrong::new("too_long", "is no code")) }
}

/// The secret for the app, shown once. It counts when a first code of it was right.
pub async fn enrol(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let password = form.text("current_password", Password::typed);
    form.checked()?;
    let Some(password) = password else { return Err(form.problem()) };
    let (secret, admin) = second_factor::enrol(&app, caller.into(), &password).await?;
    Ok(Json(json!({ "secret": secret.text(), "uri": secret.uri(&admin.email) })))
}

/// Proves the app; answers with the recovery codes, once.
pub async fn verify(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let code = form.text("code", code);
    form.checked()?;
    let Some(code) = code else { return Err(form.problem()) };
    Ok(Json(json!({ "recovery_codes": second_factor::confirm(&app, caller.into(), &code).await? })))
}

pub async fn disable(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<StatusCode, Problem> {
    let password = form.text("current_password", Password::typed);
    let code = form.maybe_text("code", code);
    form.checked()?;
    let Some(password) = password else { return Err(form.problem()) };
    second_factor::disable(&app, caller.into(), &password, code.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
