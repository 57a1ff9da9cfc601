//! Commissions that are held because something about the sale is odd.

use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{
        App, Code, Problem,
        signals::{self, Decision},
    },
    domain::{commission::Commission, ids::OrderId, staff::Permission, text::Note},
    http::{AdminCaller, Form, PageQuery, page::Listed},
};
use serde_json::{Value, json};

const DECIDE: Permission = Permission::Refund;

/// What is held, oldest first. Its id is the order's.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let found = app.store.held(page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|c| view(&c.value)))))
}

async fn decide(app: &App, caller: AdminCaller, order: &str, decision: Decision, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(DECIDE)?.into();
    let note = form.text("reason", Note::parse);
    form.checked()?;
    let Some(note) = note else { return Err(form.problem()) };
    let order = OrderId::parse(order).ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&signals::decide(app, by, order, decision, &note).await?)))
}

pub async fn release(State(app): State<App>, caller: AdminCaller, Path(order): Path<String>, form: Form) -> Result<Json<Value>, Problem> {
    decide(&app, caller, &order, Decision::Release, form).await
}

pub async fn void(State(app): State<App>, caller: AdminCaller, Path(order): Path<String>, form: Form) -> Result<Json<Value>, Problem> {
    decide(&app, caller, &order, Decision::Void, form).await
}

fn view(c: &Commission) -> Value {
    json!({
        "id": c.order,
        "order_number": c.order_number,
        "affiliate_id": c.affiliate,
        "status": c.status,
        "signals": c.signals,
        "basis": c.basis,
        "amount": c.amount,
        "remaining": c.remaining(),
        "paid_at": c.paid_at,
    })
}
