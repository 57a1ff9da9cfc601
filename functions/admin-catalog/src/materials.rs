//! Banners and graphics for affiliates.

use super::EDIT;
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem, audit,
        uploads::{self, By, Intake, Wanted},
    },
    domain::{
        ids::{MaterialId, UploadId},
        material::MaterialKind,
        staff::Permission,
        text::Title,
        upload::Purpose,
    },
    http::{AdminCaller, Form, picture, upload},
    store::transaction::Transaction,
};
use serde_json::{Value, json};

pub async fn list(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let materials = app.store.materials().await?;
    let view = |m: &qutab::domain::material::Material| json!({ "id": m.id, "title": m.title, "kind": m.kind, "sizes": picture::sizes(&app.site, &m.picture), "created_at": m.created_at });
    Ok(Json(json!({ "items": materials.iter().map(view).collect::<Vec<_>>(), "next_cursor": null })))
}

/// What it is, and an address to put the picture to. It is there once its picture was looked at.
pub async fn open(State(intake): State<Intake>, caller: AdminCaller, mut form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(EDIT)?;
    let (title, kind) = (form.text("title", Title::parse), form.text("kind", MaterialKind::parse));
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let (Some(title), Some(kind), Some((content_type, bytes))) = (title, kind, wanted) else { return Err(form.problem()) };
    let material = MaterialId::fresh(intake.app.clock.now(), &intake.app.entropy);
    let wanted = Wanted { purpose: Purpose::Material { material, title, form: kind }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(&intake.app, &intake.quarantine, &by.id.to_string(), wanted).await?;
    let mut body = upload::address(&opened, &address);
    body["id"] = json!(material);
    Ok((StatusCode::CREATED, Json(body)))
}

pub async fn complete(State(app): State<App>, caller: AdminCaller, Path(upload): Path<String>) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = By::Staff(caller.may(EDIT)?.into(), "material.create");
    let id = UploadId::parse(&upload).ok_or_else(|| Problem::new(Code::NotFound))?;
    let completed = uploads::complete(&app, id, by, |p| matches!(p, Purpose::Material { .. })).await?;
    Ok((StatusCode::ACCEPTED, Json(upload::view(&completed))))
}

/// Taken out of the list; copies that affiliates use stay where they are.
pub async fn delete(State(app): State<App>, caller: AdminCaller, Path(material): Path<String>) -> Result<StatusCode, Problem> {
    let by = caller.may(EDIT)?;
    let id = MaterialId::parse(&material).ok_or_else(|| Problem::new(Code::NotFound))?;
    // Whoever asks second, or at the same moment, finds it gone and leaves no second line in the audit log.
    let Some(read) = app.store.material(id).await? else { return Ok(StatusCode::NO_CONTENT) };
    let mut tx = Transaction::new();
    tx.remove(&read, ()).create(&audit::entry(&app, by.into(), "material.delete", &id.to_string(), audit::whole(&read.value), ""), ());
    app.store.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
