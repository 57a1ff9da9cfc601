//! Orders are moved on, one or many, with notes and photos; or cancelled.

use super::{id, view};
use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Counter, Problem, Shop, advance_order,
        audit::Reviewer,
        release_order::{self, Released},
        uploads::{self, By, Wanted},
    },
    domain::{ids::UploadId, order::OrderStatus, staff::Permission, text::Note, upload::Purpose},
    http::{AdminCaller, Form, upload},
};
use serde_json::{Value, json};

const RUN: Permission = Permission::RunOrders;
/// Most orders that are moved on at once.
const MOST: usize = 50;

pub async fn advance(State(app): State<App>, caller: AdminCaller, Path(order): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(RUN)?.into();
    let (to, note) = step(&mut form)?;
    Ok(Json(view::order(&app, &advance_order::advance(&app, by, id(&order)?, to, note).await?)))
}

fn step(form: &mut Form) -> Result<(OrderStatus, Option<Note>), Problem> {
    let to = form.text("to", OrderStatus::parse);
    let note = form.maybe_text("note", Note::parse);
    form.checked()?;
    to.map(|to| (to, note)).ok_or_else(|| form.problem())
}

/// Each order by itself: what became of each is in the answer. Repeating it changes nothing more.
pub async fn advance_many(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let by: Reviewer = caller.may(RUN)?.into();
    let orders = form.texts("orders", 1..=MOST);
    let (to, note) = step(&mut form)?;
    let mut results = Vec::new();
    for order in orders.unwrap_or_default() {
        let moved = match id(&order) {
            Ok(id) => advance_order::advance(&app, by, id, to, note.clone()).await,
            Err(problem) => Err(problem),
        };
        results.push(match moved {
            Ok(moved) => json!({ "id": order, "status": moved.status }),
            Err(problem) => json!({ "id": order, "problem": problem.code.as_str(), "detail": problem.detail }),
        });
    }
    Ok(Json(json!({ "items": results })))
}

/// An address to put a photo of the animal, the slaughter or the distribution to. The customer sees it.
pub async fn open_photo(
    State(counter): State<Counter>,
    caller: AdminCaller,
    Path(order): Path<String>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.may(RUN)?;
    let wanted = upload::wanted(&mut form);
    form.checked()?;
    let Some((content_type, bytes)) = wanted else { return Err(form.problem()) };
    let app = &counter.shop.app;
    let order = app.store.order(id(&order)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value.id;
    let wanted = Wanted { purpose: Purpose::Order { order }, content_type, bytes, identity: None };
    let (opened, address) = uploads::open(app, &counter.quarantine, &by.id.to_string(), wanted).await?;
    Ok((StatusCode::CREATED, Json(upload::address(&opened, &address))))
}

pub async fn complete_photo(
    State(app): State<App>,
    caller: AdminCaller,
    Path((order, upload)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = By::Staff(caller.may(RUN)?.into(), "order.photo");
    let order = id(&order)?;
    let id = UploadId::parse(&upload).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok((StatusCode::ACCEPTED, Json(upload::view(&uploads::complete(&app, id, by, |p| *p == Purpose::Order { order }).await?))))
}

/// Before payment only; the gateway's invoice ends first.
pub async fn cancel(State(shop): State<Shop>, caller: AdminCaller, Path(order): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(RUN)?.into();
    let note = form.text("reason", Note::parse);
    form.checked()?;
    let read = shop.app.store.order(id(&order)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let now = shop.app.clock.now();
    Ok(Json(view::order(&shop.app, &release_order::release(&shop, read, OrderStatus::Cancelled, Released::Admin(by), note, now).await?)))
}
