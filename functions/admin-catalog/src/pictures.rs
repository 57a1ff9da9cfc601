//! Pictures of products: uploaded, looked at, shown in order.

use super::{
    EDIT,
    products::{id, view},
};
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem, products,
        uploads::{self, By, Intake, Wanted},
    },
    domain::{
        Wrong,
        catalog::MOST_PICTURES,
        ids::{PictureId, UploadId},
        upload::Purpose,
    },
    http::{AdminCaller, Form, upload},
};
use serde_json::Value;

pub async fn open(
    State(intake): State<Intake>,
    caller: AdminCaller,
    Path(product): Path<String>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(EDIT)?;
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let Some((content_type, bytes)) = wanted else { return Err(form.problem()) };
    let product = intake.app.store.product(id(&product)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value.id;
    let wanted = Wanted { purpose: Purpose::Product { product }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(&intake.app, &intake.quarantine, &by.id.to_string(), wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

pub async fn complete(
    State(app): State<App>,
    caller: AdminCaller,
    Path((product, upload)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = By::Staff(caller.may(EDIT)?.into(), "product.picture");
    let product = id(&product)?;
    let upload = UploadId::parse(&upload).ok_or_else(|| Problem::new(Code::NotFound))?;
    let completed = uploads::complete(&app, upload, by, |p| *p == Purpose::Product { product }).await?;
    Ok((StatusCode::ACCEPTED, Json(upload::view(&completed))))
}

/// `{"images": [ids]}`: in this order; those that are left out go.
pub async fn arrange(State(app): State<App>, caller: AdminCaller, Path(product): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let named = form.texts("images", 0..=MOST_PICTURES);
    let order: Option<Vec<PictureId>> = named.and_then(|ids| ids.iter().map(|i| PictureId::parse(i)).collect());
    form.checked()?;
    let order = order.ok_or_else(|| Problem::field("images", Wrong::new("unknown_picture", "names a picture that the product does not have")))?;
    Ok(Json(view(&app, &products::arrange(&app, by, id(&product)?, &order).await?, None)))
}
