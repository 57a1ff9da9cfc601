//! Payout requests and what became of them, one by one or in batches.

mod batch;
mod proof;

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, payouts, transfers, uploads::Intake},
    domain::{
        ids::PayoutId,
        outbox::TransferEnding,
        payout::{Decision, Evidence, Payout, PayoutStatus},
        staff::Permission,
        text::{Note, TransferReference, mask_number},
    },
    http::{Access, AdminCaller, Form, Group, PageQuery, page::Listed},
};
use serde_json::{Value, json};

const PAY: Permission = Permission::PayOut;

pub fn group(intake: Intake) -> Group {
    Group::named("admin-payouts")
        .get("/api/admin/payouts", Access::Admin(Permission::Read), list)
        .get("/api/admin/payouts/export.csv", Access::Admin(PAY), batch::export)
        .post("/api/admin/payouts/batch", Access::Admin(PAY), batch::decide_many)
        .get("/api/admin/payouts/{id}", Access::Admin(Permission::Read), one)
        .post("/api/admin/payouts/{id}/process", Access::Admin(PAY), process)
        .post("/api/admin/payouts/{id}/approve", Access::Admin(PAY), approve)
        .post("/api/admin/payouts/{id}/transfer", Access::Admin(PAY), transfer)
        .post("/api/admin/payouts/{id}/pay", Access::Admin(PAY), pay)
        .post("/api/admin/payouts/{id}/fail", Access::Admin(PAY), fail)
        .post("/api/admin/payouts/{id}/reject", Access::Admin(PAY), reject)
        .post("/api/admin/payouts/{id}/reverse", Access::Admin(PAY), reverse)
        .post("/api/admin/payouts/{id}/proof", Access::Admin(PAY), proof::open)
        .post("/api/admin/payouts/{id}/proof/{upload_id}/complete", Access::Admin(PAY), proof::complete)
        .build(intake)
}

fn id(text: &str) -> Result<PayoutId, Problem> {
    PayoutId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

/// The open ones, oldest first; or with a closed `?status=` those that were requested in a `?month=` (this one if none is
/// named), newest first.
async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let status = page.filter("status").map(PayoutStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let month = page.month(app.clock.now().day())?;
    let found = if let Some(closed) = status.filter(|s| !s.is_open()) {
        app.store.closed_payouts(month, |p| p.status == closed, page.limit, page.after.clone()).await?
    } else {
        let any_month = page.filter("month").is_none();
        let keep = |p: &Payout| status.is_none_or(|s| p.status == s) && (any_month || p.requested_at.day().first_of_month() == month);
        app.store.open_payouts(keep, page.limit, page.after.clone()).await?
    };
    Ok(Json(page.answer(found.map(|p| view(&p.value, caller)))))
}

async fn one(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let payout = app.store.payout(id(&payout)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&payout.value, caller)))
}

async fn decide(app: &App, caller: AdminCaller, payout: &str, decision: Decision) -> Result<Json<Value>, Problem> {
    let by = caller.may(PAY)?.into();
    Ok(Json(view(&payouts::decide_payout(app, by, id(payout)?, decision).await?, caller)))
}

async fn process(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>) -> Result<Json<Value>, Problem> {
    decide(&app, caller, &payout, Decision::Process).await
}

/// A second person agrees that it may leave.
async fn approve(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(PAY)?.into();
    Ok(Json(view(&payouts::approve(&app, by, id(&payout)?).await?, caller)))
}

/// The gateway makes the transfer, where that is switched on.
async fn transfer(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(PAY)?.into();
    Ok(Json(view(&transfers::hand_over(&app, by, id(&payout)?).await?, caller)))
}

async fn pay(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    caller.may(PAY)?;
    let reference = form.text("reference", TransferReference::parse);
    let evidence = if form.maybe_flag("transfer_has_left").unwrap_or(false) { Evidence::HasLeft } else { Evidence::Now };
    form.checked()?;
    let Some(reference) = reference else { return Err(form.problem()) };
    decide(&app, caller, &payout, Decision::Pay { reference, evidence }).await
}

/// Of a transfer that the gateway makes, the gateway is asked: 202, and its word decides.
async fn fail(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>, mut form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.may(PAY)?;
    let not_transferred = form.maybe_flag("not_transferred").unwrap_or(false);
    let note = reason(form)?;
    end(&app, caller, &payout, TransferEnding::Failed, Decision::Fail { note, not_transferred }).await
}

async fn end(app: &App, caller: AdminCaller, payout: &str, ending: TransferEnding, decision: Decision) -> Result<(StatusCode, Json<Value>), Problem> {
    let read = app.store.payout(id(payout)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    if read.value.transfer.is_some() {
        let asked = transfers::request_ending(app, caller.into(), read.value.id, ending).await?;
        return Ok((StatusCode::ACCEPTED, Json(view(&asked, caller))));
    }
    Ok((StatusCode::OK, decide(app, caller, payout, decision).await?))
}

async fn reject(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>, form: Form) -> Result<Json<Value>, Problem> {
    caller.may(PAY)?;
    let note = reason(form)?;
    decide(&app, caller, &payout, Decision::Reject { note }).await
}

async fn reverse(State(app): State<App>, caller: AdminCaller, Path(payout): Path<String>, form: Form) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.may(PAY)?;
    let note = reason(form)?;
    end(&app, caller, &payout, TransferEnding::Reversed, Decision::Reverse { note }).await
}

fn reason(mut form: Form) -> Result<Note, Problem> {
    let note = form.text("reason", Note::parse);
    form.checked()?;
    note.ok_or_else(|| form.problem())
}

/// With the whole account number for whoever makes the transfer.
fn view(p: &Payout, caller: AdminCaller) -> Value {
    let whole = caller.role.may(PAY) || caller.role.may(Permission::VerifyBankAccounts);
    let number = if whole { p.account.number.clone() } else { mask_number(&p.account.number) };
    json!({
        "id": p.id,
        "affiliate_id": p.affiliate,
        "status": p.status,
        "gross": p.gross,
        "withheld": p.withheld,
        "net": p.net,
        "bank_name": p.account.bank_name(),
        "account_number": number,
        "holder_name": p.account.holder,
        "requested_at": p.requested_at,
        "processed_by": p.processed_by,
        "decided_by": p.decided_by,
        "decided_at": p.decided_at,
        "reference": p.reference,
        "note": p.note,
        "approved_by": p.approval.map(|a| a.by),
        "approved_at": p.approval.map(|a| a.at),
        "exported_at": p.exported_at,
        "transfer": p.transfer,
        "has_proof": p.proof.is_some(),
    })
}
