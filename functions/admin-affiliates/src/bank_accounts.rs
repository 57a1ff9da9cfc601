//! Bank accounts that wait for verification, or were decided on.

use super::{VERIFY, affiliates::bank_view, id};
use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{
        App, Code, Problem,
        review::{self, BankDecision},
    },
    domain::{affiliate::BankStatus, staff::Permission, text::Note},
    http::{AdminCaller, Form, PageQuery, page::Listed},
};
use serde_json::{Value, json};

/// Those that wait, or those of another status, longest first. Numbers are masked.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let status = BankStatus::parse(page.filter("status").unwrap_or("pending")).map_err(|w| Problem::field("status", w))?;
    let found = app.store.payout_accounts(status, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.items.iter().map(|b| bank_view(&b.value)).collect(), found.next)))
}

/// With the whole number, to be compared.
pub async fn one(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(VERIFY)?;
    let account = app.store.payout_account(id(&affiliate)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let mut body = bank_view(&account);
    body["account_number"] = json!(account.account.number);
    Ok(Json(body))
}

/// The version that was looked at: another one is not verified unseen.
fn version(form: &mut Form) -> Option<u32> {
    form.integer("version", 1..=i64::from(u32::MAX)).and_then(|v| u32::try_from(v).ok())
}

pub async fn verify(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let version = version(&mut form);
    form.checked()?;
    let Some(version) = version else { return Err(form.problem()) };
    Ok(Json(bank_view(&review::decide_bank_account(&app, by, id(&affiliate)?, version, BankDecision::Verify).await?)))
}

pub async fn reject(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let (version, reason) = (version(&mut form), form.text("reason", Note::parse));
    form.checked()?;
    let (Some(version), Some(reason)) = (version, reason) else { return Err(form.problem()) };
    Ok(Json(bank_view(&review::decide_bank_account(&app, by, id(&affiliate)?, version, BankDecision::Reject(reason)).await?)))
}
