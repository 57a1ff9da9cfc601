//! An affiliate's money: bank account, balance, commissions, ledger, payouts.

mod ktp;
mod statement;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use qutab::{
    app::{App, Code, Problem, affiliates, payouts, uploads::Intake},
    domain::{
        affiliate::PayoutAccount,
        commission::{Commission, Shown},
        contact::BankAccount,
        ids::PayoutId,
        money::Rupiah,
        payout::{NotEligible, Payout, obstacles},
        settings::Settings,
        text::{PersonName, mask_number},
        wallet::{Balance, PaidOut, Standing, Wallet},
    },
    http::{Access, ActiveAffiliate, AffiliateToken, Form, Group, IdempotencyKey, PageQuery, page::Listed},
    secrets::password::Password,
    store::{Page, entity::Referral, keys},
};
use serde_json::{Value, json};

pub fn group(intake: Intake) -> Group {
    Group::named("affiliate-finance")
        .get("/api/affiliate/bank-account", Access::Affiliate, bank_account)
        .put("/api/affiliate/bank-account", Access::Affiliate, save_bank_account)
        .get("/api/affiliate/balance", Access::Affiliate, balance)
        .get("/api/affiliate/commissions", Access::Affiliate, commissions)
        .get("/api/affiliate/ledger", Access::Affiliate, ledger)
        .get("/api/affiliate/payouts", Access::Affiliate, list_payouts)
        .post("/api/affiliate/payouts", Access::Affiliate, request_payout)
        .get("/api/affiliate/payouts/eligibility", Access::Affiliate, eligibility)
        .get("/api/affiliate/payouts/{id}", Access::Affiliate, one_payout)
        .post("/api/affiliate/bank-account/ktp", Access::Affiliate, ktp::open)
        .post("/api/affiliate/bank-account/ktp/{upload_id}/complete", Access::Affiliate, ktp::complete)
        .build(intake)
}

async fn bank_account(State(intake): State<Intake>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let account = intake.app.store.payout_account(caller.id).await?;
    let card = ktp::view(&intake, caller.id).await?;
    let mut body = match &account {
        Some(account) => bank_view(&account.value),
        None if card.is_null() => return Err(Problem::new(Code::NotFound)),
        None => json!({}),
    };
    body["ktp"] = card;
    Ok(Json(body))
}

async fn save_bank_account(State(intake): State<Intake>, ActiveAffiliate(caller): ActiveAffiliate, mut form: Form) -> Result<Json<Value>, Problem> {
    let bank = form.text("bank_code", BankAccount::bank);
    let number = form.text("account_number", |text| match bank {
        Some(bank) => BankAccount::number(bank, text),
        // The bank is wrong already; the number is judged once it is known.
        None => Ok(text.to_owned()),
    });
    let holder = form.text("holder_name", PersonName::parse);
    let password = form.text("current_password", Password::typed);
    form.checked()?;
    let (Some(bank), Some(number), Some(holder), Some(password)) = (bank, number, holder, password) else { return Err(form.problem()) };
    let account = BankAccount { bank_code: bank.code.into(), number, holder };
    let hash = intake.app.vault()?.find("bank", &format!("{}/{}", account.bank_code, account.number));
    Ok(Json(bank_view(&affiliates::save_bank_account(&intake.app, caller.id, &password, account, hash).await?)))
}

/// The caller's money, and every reason at once why all of it cannot be requested now; with the settings that apply. One
/// round trip. Whoever has not been approved has an empty wallet.
async fn wallet(app: &App, caller: AffiliateToken) -> Result<(Balance, Vec<NotEligible>, Settings), Problem> {
    let key = keys::wallet(caller.id);
    let mut found = app.store.get_many([key.clone(), keys::settings()]).await?;
    let approved = found.take::<Wallet>(&key)?.map(|w| w.value);
    let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
    let wallet = approved.unwrap_or_else(|| Wallet { standing: Standing::Suspended, ..Wallet::open(caller.id) });
    let why_not = obstacles(&wallet, wallet.balance.available, &settings, app.clock.now().day());
    Ok((wallet.balance, why_not, settings))
}

async fn balance(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let (balance, why_not, settings) = wallet(&app, caller).await?;
    Ok(Json(json!({
        "pending": balance.pending,
        "available": balance.available,
        "reserved": balance.reserved,
        "paid_out": balance.paid_out,
        "minimum_payout": settings.minimum_payout,
        "can_request_payout": why_not.is_empty(),
        "why_not": why_not,
    })))
}

async fn eligibility(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let (balance, why_not, settings) = wallet(&app, caller).await?;
    Ok(Json(json!({
        "eligible": why_not.is_empty(),
        "reasons": why_not,
        "available": balance.available,
        "minimum_payout": settings.minimum_payout,
    })))
}

async fn commissions(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    let status = page.filter("status").map(Shown::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let paid_out = app.store.wallet(caller.id).await?.map_or_else(PaidOut::default, |w| w.value.paid_out());
    let wanted = |c: &Commission| status.is_none_or(|s| c.shown(&paid_out) == s);
    let found = app.store.commissions(caller.id, wanted, page.limit, page.after.clone()).await?;
    let (found, next) = found.shown();
    let leads: Vec<_> = found.iter().map(|c| keys::referral(caller.id, c.value.placed_at, c.value.order)).collect();
    let mut leads_found = app.store.get_many(leads.clone()).await?;
    let mut items = Vec::new();
    for (commission, lead) in found.iter().zip(&leads) {
        let lead = leads_found.take::<Referral>(lead)?;
        items.push(commission_view(&commission.value, &paid_out, lead.as_ref().map(|l| l.value.items.as_str())));
    }
    Ok(Json(page.answer(Page::new(items, next))))
}

async fn ledger(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Response, Problem> {
    if let Some(month) = page.filter("month") {
        return statement::of_month(&app, caller.id, month, page.filter("format")).await;
    }
    let found = app.store.ledger(caller.id, page.limit, page.after.clone()).await?;
    let view = |e: &qutab::domain::wallet::LedgerEntry| json!({ "number": e.number, "at": e.at, "cause": e.cause, "legs": e.legs });
    Ok(Json(page.answer(found.map(|e| view(&e.value)))).into_response())
}

async fn list_payouts(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    let found = app.store.payouts(caller.id, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|p| payout_view(&p.value)))))
}

async fn one_payout(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::new(Code::NotFound);
    let id = PayoutId::parse(&id).ok_or_else(missing)?;
    let payout = app.store.payout(id).await?.filter(|p| p.value.affiliate == caller.id).ok_or_else(missing)?;
    Ok(Json(payout_view(&payout.value)))
}

/// The session is checked in the use case's own read.
async fn request_payout(
    State(app): State<App>,
    caller: AffiliateToken,
    IdempotencyKey(key): IdempotencyKey,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let amount = form.maybe_integer("amount", 1..=1_000_000_000_000).map(Rupiah::new);
    form.checked()?;
    let payout = payouts::request_payout(&app, caller.id, caller.session, amount, key.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(requested_view(&payout))))
}

fn bank_view(account: &PayoutAccount) -> Value {
    json!({
        "bank_code": account.account.bank_code,
        "bank_name": account.account.bank_name(),
        "account_number": mask_number(&account.account.number),
        "holder_name": account.account.holder,
        "status": account.status,
        "rejection_reason": account.rejection,
        "changed_at": account.changed_at,
    })
}

fn commission_view(c: &Commission, paid_out: &PaidOut, items: Option<&str>) -> Value {
    json!({
        "order_number": c.order_number,
        "items": items,
        "status": c.shown(paid_out),
        "void_because": c.void_because,
        "ordered_at": c.placed_at,
        "basis": c.basis,
        "rule": c.rule.rule,
        "amount": c.amount,
        "voided": c.voided,
        "remaining": c.remaining(),
        "paid_at": c.paid_at,
        "matures_on": c.due_at,
        "matured_at": c.matured_at,
    })
}

/// What was fixed at the request: a repeated request gets it word for word.
fn requested_view(p: &Payout) -> Value {
    json!({
        "id": p.id,
        "status": "requested",
        "gross": p.gross,
        "withheld": p.withheld,
        "net": p.net,
        "bank_name": p.account.bank_name(),
        "account_number": mask_number(&p.account.number),
        "requested_at": p.requested_at,
    })
}

fn payout_view(p: &Payout) -> Value {
    let mut view = requested_view(p);
    view["status"] = json!(p.status);
    view["decided_at"] = json!(p.decided_at);
    view["reference"] = json!(p.reference);
    view["note"] = json!(p.note);
    view
}
