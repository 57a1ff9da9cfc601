//! Bank accounts that wait for verification, or were decided on.

use super::{VERIFY, affiliates::bank_view, id};
use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{
        App, Code, Problem,
        review::{self, BankDecision, Seen, Shared},
    },
    domain::{Wrong, affiliate::BankStatus, ids::UploadId, staff::Permission, text::Note},
    http::{AdminCaller, Form, PageQuery, page::Listed},
};
use serde_json::{Value, json};

/// Those that wait, or those of another status, longest first. Numbers are masked.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let status = BankStatus::parse(page.filter("status").unwrap_or("pending")).map_err(|w| Problem::field("status", w))?;
    let found = app.store.payout_accounts(status, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|b| bank_view(&b.value)))))
}

/// With the whole number, to be compared.
pub async fn one(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(VERIFY)?;
    let account = app.store.payout_account(id(&affiliate)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let mut body = bank_view(&account);
    body["account_number"] = json!(account.account.number);
    Ok(Json(body))
}

/// What was looked at: the account's version, and the identity card, if there was one.
fn seen(form: &mut Form) -> Option<Seen> {
    let version = form.integer("version", 1..=i64::from(u32::MAX)).and_then(|v| u32::try_from(v).ok());
    let card = form.maybe_text("ktp_upload_id", |t| UploadId::parse(t).ok_or_else(|| Wrong::new("unknown_value", "is no upload's id")));
    version.map(|version| Seen { version, card })
}

pub async fn verify(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let seen = seen(&mut form);
    let cleared = if form.has("clear") { form.texts("clear", 0..=2) } else { Some(Vec::new()) };
    let cleared: Option<Vec<Shared>> = cleared.and_then(|marks| marks.iter().map(|m| Shared::parse(m)).collect());
    if cleared.is_none() {
        form.wrong("clear", Wrong::new("unknown_value", "must be some of bank_account, identity"));
    }
    form.checked()?;
    let (Some(seen), Some(cleared)) = (seen, cleared) else { return Err(form.problem()) };
    Ok(Json(bank_view(&review::decide_bank_account(&app, by, id(&affiliate)?, seen, BankDecision::Verify(cleared)).await?)))
}

pub async fn reject(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let (seen, reason) = (seen(&mut form), form.text("reason", Note::parse));
    form.checked()?;
    let (Some(seen), Some(reason)) = (seen, reason) else { return Err(form.problem()) };
    Ok(Json(bank_view(&review::decide_bank_account(&app, by, id(&affiliate)?, seen, BankDecision::Reject(reason)).await?)))
}
