//! Affiliates: found, seen whole, suspended and reinstated, given codes and rates.

use super::{REVIEW, id};
use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{App, Code, Problem, aggregate, review},
    domain::{
        affiliate::{Affiliate, AffiliateStatus, PayoutAccount, ReferralCode},
        settings::CommissionRule,
        staff::Permission,
        text::{Note, mask_number},
        wallet::Wallet,
    },
    http::{AdminCaller, Form, PageQuery, StaffForm, page::Listed, policy},
};
use serde_json::{Value, json};

/// Those who were approved, or those of another status; `?q=` looks for words: name, address, city, code, profile.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    listed(&app, caller, &page, "approved").await
}

pub async fn listed(app: &App, caller: AdminCaller, page: &PageQuery, usual: &str) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let status = AffiliateStatus::parse(page.filter("status").unwrap_or(usual)).map_err(|w| Problem::field("status", w))?;
    let words = page.filter("q").unwrap_or_default().to_owned();
    let found = app.store.applications(status, |a| a.is_meant_by(&words), page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|a| view(&a.value)))))
}

/// Everything about one: money, account, card, numbers, and who else has the same account or card.
pub async fn one(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let id = id(&affiliate)?;
    let affiliate = app.store.affiliate(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let summary = app.store.summary(id, app.clock.now().day(), aggregate::JOB).await?;
    let bank = app.store.payout_account(id).await?.map(|b| b.value);
    let card = app.store.ktp_images(id).await?.into_iter().next().map(|k| k.value);
    let same_account = match bank.as_ref().map(|b| &b.account_hash) {
        Some(hash) => app.store.sharing_account(hash, id).await?,
        None => Vec::new(),
    };
    let same_identity = match card.as_ref().map(|c| &c.identity.nik_hash).filter(|h| !h.is_empty()) {
        Some(hash) => app.store.sharing_identity(hash, id).await?,
        None => Vec::new(),
    };
    let mut body = view(&affiliate);
    body["balance"] = json!(summary.wallet.as_ref().map(|w: &Wallet| w.balance));
    body["open_payout"] = json!(summary.wallet.as_ref().and_then(|w| w.open_payout));
    body["bank_account"] = bank.as_ref().map_or(Value::Null, bank_view);
    body["ktp"] = card.map_or(Value::Null, |c| json!({ "status": c.status, "uploaded_at": c.uploaded_at, "decided_at": c.decided_at }));
    body["totals"] = json!(summary.totals);
    body["as_of"] = json!(summary.as_of);
    body["marks"] = json!(summary.wallet.as_ref().map(review::Shared::of).unwrap_or_default());
    body["same_bank_account_as"] = json!(same_account);
    body["same_identity_as"] = json!(same_identity);
    Ok(Json(body))
}

pub async fn suspend(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let reason = form.text("reason", Note::parse);
    form.checked()?;
    let Some(reason) = reason else { return Err(form.problem()) };
    Ok(Json(view(&review::suspend(&app, by, id(&affiliate)?, reason).await?)))
}

pub async fn reinstate(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    Ok(Json(view(&review::reinstate(&app, by, id(&affiliate)?).await?)))
}

/// The old code keeps working.
pub async fn change_code(State(app): State<App>, caller: AdminCaller, Path(affiliate): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let code = form.text("code", ReferralCode::parse);
    form.checked()?;
    let Some(code) = code else { return Err(form.problem()) };
    Ok(Json(view(&review::change_code(&app, by, id(&affiliate)?, code).await?)))
}

/// A rate of their own for orders from now on; `null` goes back to everybody's.
pub async fn set_commission(
    State(app): State<App>,
    caller: AdminCaller,
    Path(affiliate): Path<String>,
    StaffForm(mut form): StaffForm,
) -> Result<Json<Value>, Problem> {
    let by = caller.may(REVIEW)?.into();
    let rule: Option<CommissionRule> = if form.has("rule") { form.object("rule", policy::commission) } else { None };
    form.checked()?;
    if rule.is_some_and(CommissionRule::needs_owner) {
        caller.may(Permission::GiveMuch)?;
    }
    Ok(Json(view(&review::set_commission(&app, by, id(&affiliate)?, rule).await?)))
}

pub fn bank_view(account: &PayoutAccount) -> Value {
    json!({
        "affiliate_id": account.affiliate,
        "bank_code": account.account.bank_code,
        "bank_name": account.account.bank_name(),
        "account_number": mask_number(&account.account.number),
        "holder_name": account.account.holder,
        "status": account.status,
        "version": account.version,
        "changed_at": account.changed_at,
        "decided_by": account.decided_by,
        "decided_at": account.decided_at,
        "rejection_reason": account.rejection,
    })
}

pub fn view(a: &Affiliate) -> Value {
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
        "suspension_reason": a.suspension,
        "code": a.code,
        "commission_override": a.commission_override,
    })
}
