//! Applications, affiliates and their bank accounts.

use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{App, Code, Problem, affiliates},
    domain::{
        affiliate::{Affiliate, AffiliateStatus, ReferralCode},
        identity::Permission,
        ids::AffiliateId,
        text::{Note, mask_number},
    },
    http::{Access, AdminCaller, Form, Group, PageQuery, page::Listed},
};
use serde_json::{Value, json};

const REVIEW: Permission = Permission::ReviewAffiliates;
const VERIFY: Permission = Permission::VerifyBankAccounts;

pub fn group(app: App) -> Group {
    Group::named("admin-affiliates")
        .get("/api/admin/applications", Access::Admin(Permission::Read), list)
        .get("/api/admin/applications/{id}", Access::Admin(Permission::Read), one)
        .post("/api/admin/applications/{id}/approve", Access::Admin(REVIEW), approve)
        .post("/api/admin/applications/{id}/reject", Access::Admin(REVIEW), reject)
        .post("/api/admin/affiliates/{id}/suspend", Access::Admin(REVIEW), suspend)
        .post("/api/admin/bank-accounts/{id}/verify", Access::Admin(VERIFY), verify_bank)
        .post("/api/admin/bank-accounts/{id}/reject", Access::Admin(VERIFY), reject_bank)
        .build(app)
}

fn id(text: &str) -> Result<AffiliateId, Problem> {
    AffiliateId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let status = AffiliateStatus::parse(page.filter("status").unwrap_or("pending")).map_err(|w| Problem::field("status", w))?;
    let found = app.store.applications(status, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.items.iter().map(|a| view(&a.value)).collect(), found.next)))
}

async fn one(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let affiliate = app.store.affiliate(id(&affiliate)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(Json(view(&affiliate.value)))
}

async fn approve(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let code = form.maybe_text("code", ReferralCode::parse);
    form.checked()?;
    Ok(Json(view(&affiliates::approve(&app, by, id(&affiliate)?, code).await?)))
}

async fn reject(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let reason = form.text("reason", Note::parse);
    form.checked()?;
    let Some(reason) = reason else { return Err(form.problem()) };
    Ok(Json(view(&affiliates::reject(&app, by, id(&affiliate)?, reason).await?)))
}

async fn suspend(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    Ok(Json(view(&affiliates::suspend(&app, by, id(&affiliate)?).await?)))
}

async fn verify_bank(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let decided = affiliates::decide_bank_account(&app, by, id(&affiliate)?, true, None).await?;
    Ok(Json(bank_view(&decided)))
}

async fn reject_bank(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(VERIFY)?.into();
    let reason = form.text("reason", Note::parse);
    form.checked()?;
    let decided = affiliates::decide_bank_account(&app, by, id(&affiliate)?, false, reason).await?;
    Ok(Json(bank_view(&decided)))
}

fn bank_view(account: &qutab::domain::affiliate::PayoutAccount) -> Value {
    json!({
        "affiliate_id": account.affiliate,
        "bank_name": account.account.bank_name(),
        "account_number": mask_number(&account.account.number),
        "holder_name": account.account.holder,
        "status": account.status,
        "version": account.version,
        "rejection_reason": account.rejection,
    })
}

fn view(a: &Affiliate) -> Value {
    json!({
        "id": a.id,
        "status": a.status,
        "first_name": a.details.first_name,
        "last_name": a.details.last_name,
        "email": a.email,
        "whatsapp": a.details.whatsapp,
        "city": a.details.city,
        "social": a.details.social,
        "primary_platform": a.details.primary_platform,
        "reason": a.details.reason,
        "applied_at": a.applied_at,
        "decided_at": a.decided_at,
        "rejection_reason": a.rejection,
        "code": a.code,
    })
}
