//! Staff: who there is, and what owners change about them.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem,
        staff::{self, Changes, Invited},
    },
    domain::{
        contact::Email,
        ids::AdminId,
        staff::{Admin, Permission, Role},
        text::PersonName,
    },
    http::{AdminCaller, PageQuery, StaffForm, page::Listed},
};
use serde_json::{Value, json};

pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::ManageStaff)?;
    let found = app.store.staff(page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|a| view(&a.value)))))
}

pub async fn invite(State(app): State<App>, caller: AdminCaller, StaffForm(mut form): StaffForm) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(Permission::ManageStaff)?.into();
    let (name, email) = (form.text("name", PersonName::parse), form.text("email", Email::parse));
    let role = form.text("role", Role::parse);
    form.checked()?;
    let (Some(name), Some(email), Some(role)) = (name, email, role) else { return Err(form.problem()) };
    Ok((StatusCode::CREATED, Json(view(&staff::invite(&app, by, Invited { name, email, role }).await?))))
}

pub async fn change(
    State(app): State<App>,
    caller: AdminCaller,
    Path(id): Path<String>,
    StaffForm(mut form): StaffForm,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(Permission::ManageStaff)?.into();
    let changes = Changes {
        name: form.maybe_text("name", PersonName::parse),
        role: form.maybe_text("role", Role::parse),
        active: form.maybe_flag("active"),
        forget_second_factor: form.maybe_flag("forget_second_factor").unwrap_or(false),
    };
    form.checked()?;
    let id = AdminId::parse(&id).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&staff::change(&app, by, id, changes).await?)))
}

fn view(a: &Admin) -> Value {
    json!({
        "id": a.id,
        "name": a.name,
        "email": a.email,
        "role": a.role,
        "active": a.active,
        "second_factor": a.asks_for_code().is_some(),
        "created_at": a.created_at,
    })
}
