//! Pictures that prove transfers: uploaded, looked at, sealed.

use super::{PAY, id};
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem,
        uploads::{self, By, Intake, Wanted},
    },
    domain::{ids::UploadId, upload::Purpose},
    http::{AdminCaller, Form, upload},
};
use serde_json::Value;

pub async fn open(
    State(intake): State<Intake>,
    caller: AdminCaller,
    Path(payout): Path<String>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(PAY)?;
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let Some((content_type, bytes)) = wanted else { return Err(form.problem()) };
    let payout = intake.app.store.payout(id(&payout)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value.id;
    let wanted = Wanted { purpose: Purpose::PayoutProof { payout }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(&intake.app, &intake.quarantine, &by.id.to_string(), wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

pub async fn complete(
    State(app): State<App>,
    caller: AdminCaller,
    Path((payout, upload)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = By::Staff(caller.may(PAY)?.into(), "payout.proof");
    let payout = id(&payout)?;
    let upload = UploadId::parse(&upload).ok_or_else(|| Problem::new(Code::NotFound))?;
    let completed = uploads::complete(&app, upload, by, |p| *p == Purpose::PayoutProof { payout }).await?;
    Ok((StatusCode::ACCEPTED, Json(upload::view(&completed))))
}
