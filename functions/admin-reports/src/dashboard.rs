//! What staff look at first.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, aggregate},
    domain::{
        money::Rupiah,
        payout::Payout,
        shop_stats::{ShopDay, ShopSums},
        staff::Permission,
    },
    http::AdminCaller,
};
use serde_json::{Value, json};

/// Fewer units than this are worth a look.
const LOW_STOCK: u32 = 10;
/// Most waiting payouts and tasks that are counted.
const MOST: usize = 100;
const DAYS: u16 = 30;

pub async fn dashboard(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let today = app.clock.now().day();
    let days = app.store.shop_days(today.minus(DAYS - 1), today).await?;
    let (totals, standings) = app.store.shop_now().await?;
    let open = app.store.open_payouts(|_| true, MOST, None).await?;
    let (held, tasks) = (app.store.held(MOST, None).await?, app.store.tasks(MOST, None).await?);
    let offers = app.store.catalogue().await?;
    let since = |back: u16| {
        let from = today.minus(back - 1);
        days.iter().filter(|d| d.day >= from).try_fold(ShopSums::default(), |sum, d: &ShopDay| sum.plus(&d.sums))
    };
    let low = offers.iter().filter(|o| o.product.active && o.available < LOW_STOCK);
    let waiting: Vec<&Payout> = open.items.iter().map(|p| &p.value).collect();
    Ok(Json(json!({
        "today": sales(&since(1)?),
        "last_7_days": sales(&since(7)?),
        "last_30_days": sales(&since(DAYS)?),
        "all": sales(&totals.as_ref().map(|t| t.sums.clone()).unwrap_or_default()),
        "orders_by_status": totals.map(|t| t.sums.by_status).unwrap_or_default(),
        "affiliates_by_status": standings.affiliates,
        "commissions": { "pending": standings.balance.pending, "available": standings.balance.available, "as_of": standings.as_of },
        "payouts_waiting": { "count": waiting.len(), "more": open.next.is_some(), "amount": Rupiah::sum(waiting.iter().map(|p| p.net))? },
        "held_commissions": { "count": held.items.len(), "more": held.next.is_some() },
        "tasks": { "count": tasks.items.len(), "more": tasks.next.is_some() },
        "low_stock": low.map(|o| json!({ "id": o.product.id, "name": o.product.name, "available": o.available })).collect::<Vec<_>>(),
        "as_of": days.iter().map(|d| d.as_of).max().max(app.store.job_runs(aggregate::JOB).await?.and_then(|r| r.value.as_of)),
    })))
}

pub fn sales(s: &ShopSums) -> Value {
    json!({ "orders": s.placed, "paid_orders": s.paid, "revenue": s.revenue, "discount": s.discount, "refunded": s.refunded })
}
