//! What an affiliate's links bring: summary, statistics, activity, leads; and what to promote with.

mod link;
mod statistics;

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, activity, aggregate, leads},
    domain::{
        lead::LeadStatus,
        wallet::{Balance, Wallet},
    },
    http::{Access, ActiveAffiliate, Group, PageQuery, page::Listed, picture},
};
use serde_json::{Value, json};

pub fn group(app: App) -> Group {
    Group::named("affiliate-dashboard")
        .get("/api/affiliate/dashboard/summary", Access::Affiliate, summary)
        .get("/api/affiliate/dashboard/activity", Access::Affiliate, latest)
        .get("/api/affiliate/statistics", Access::Affiliate, statistics::of_period)
        .get("/api/affiliate/referral-link", Access::Affiliate, link::link)
        .get("/api/affiliate/referral-link/qr", Access::Affiliate, link::qr_code)
        .get("/api/affiliate/materials", Access::Affiliate, materials)
        .get("/api/affiliate/referrals", Access::Affiliate, referrals)
        .build(app)
}

/// Two round trips, however long the history is.
async fn summary(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let found = app.store.summary(caller.id, app.clock.now().day(), aggregate::JOB).await?;
    let Balance { pending, available, reserved, paid_out } = found.wallet.map(|w: Wallet| w.balance).unwrap_or_default();
    let mut body = statistics::counts(&found.totals);
    body["today"] = statistics::counts(&found.today);
    body["balance"] = json!({ "pending": pending, "available": available, "reserved": reserved, "paid_out": paid_out });
    body["as_of"] = json!(found.as_of);
    Ok(Json(body))
}

async fn latest(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Json<Value>, Problem> {
    let items = activity::latest(&app, caller.id, page.limit).await?;
    Ok(Json(json!({ "items": items, "next_cursor": null })))
}

/// The leads with how many there are in all: a number of what was counted, and a page of what there is.
async fn referrals(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, page: PageQuery) -> Result<Json<Value>, Problem> {
    let status = page.filter("status").map(LeadStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let found = leads::leads(&app, caller.id, status, page.limit, page.after.clone()).await?;
    let totals = app.store.summary(caller.id, app.clock.now().day(), aggregate::JOB).await?.totals;
    let Listed { items, next_cursor } = page.answer(found);
    Ok(Json(
        json!({ "items": items, "next_cursor": next_cursor, "totals": { "leads": totals.leads, "sales": totals.sales, "revenue": totals.revenue, "earned": totals.earned } }),
    ))
}

async fn materials(State(app): State<App>, ActiveAffiliate(_): ActiveAffiliate) -> Result<Json<Value>, Problem> {
    let materials = app.store.materials().await?;
    let items = materials
        .iter()
        .map(|m| json!({ "id": m.id, "title": m.title, "kind": m.kind, "sizes": picture::sizes(&app.site, &m.picture), "created_at": m.created_at }));
    Ok(Json(json!({ "items": items.collect::<Vec<_>>(), "next_cursor": null })))
}
