//! What staff look at first.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, aggregate},
    domain::{
        money::Rupiah,
        shop_stats::{ShopDay, ShopSums},
        staff::Permission,
    },
    http::AdminCaller,
    store::{Page, Position},
};
use serde_json::{Value, json};

/// Fewer units than this are worth a look.
const LOW_STOCK: u32 = 10;
/// Rows of a page of waiting payouts and tasks, and the most that are counted.
const PAGE: usize = 100;
const MOST: usize = 1_000;
const DAYS: u16 = 30;

/// What waits, counted page by page.
#[derive(Default)]
struct Counted {
    count: usize,
    amount: Rupiah,
    begun: bool,
    after: Option<Position>,
}

impl Counted {
    /// Whether there is another page, and not enough is counted.
    const fn goes_on(&self) -> bool {
        !self.begun || (self.more() && self.count < MOST)
    }

    fn add(&mut self, page: Page<Rupiah>) -> Result<(), Problem> {
        let (amounts, next) = page.shown();
        self.count += amounts.len();
        self.amount = self.amount.plus(Rupiah::sum(amounts)?)?;
        (self.begun, self.after) = (true, next);
        Ok(())
    }

    const fn more(&self) -> bool {
        self.after.is_some()
    }
}

pub async fn dashboard(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let today = app.clock.now().day();
    let days = app.store.shop_days(today.minus(DAYS - 1), today).await?;
    let (totals, standings) = app.store.shop_now().await?;
    let (mut open, mut held, mut tasks) = (Counted::default(), Counted::default(), Counted::default());
    while open.goes_on() {
        open.add(app.store.open_payouts(|_| true, PAGE, open.after.clone()).await?.map(|p| p.value.net))?;
    }
    while held.goes_on() {
        held.add(app.store.held(PAGE, held.after.clone()).await?.map(|_| Rupiah::ZERO))?;
    }
    while tasks.goes_on() {
        tasks.add(app.store.tasks(PAGE, tasks.after.clone()).await?.map(|_| Rupiah::ZERO))?;
    }
    let offers = app.store.catalogue().await?;
    let since = |back: u16| {
        let from = today.minus(back - 1);
        days.iter().filter(|d| d.day >= from).try_fold(ShopSums::default(), |sum, d: &ShopDay| sum.plus(&d.sums))
    };
    let low = offers.iter().filter(|o| o.product.active && o.available < LOW_STOCK);
    Ok(Json(json!({
        "today": sales(&since(1)?),
        "last_7_days": sales(&since(7)?),
        "last_30_days": sales(&since(DAYS)?),
        "all": sales(&totals.as_ref().map(|t| t.sums.clone()).unwrap_or_default()),
        "orders_by_status": totals.map(|t| t.sums.by_status).unwrap_or_default(),
        "affiliates_by_status": standings.affiliates,
        "affiliates_as_of": standings.as_of,
        "commissions": { "pending": standings.balance.pending, "available": standings.balance.available, "as_of": standings.as_of },
        "payouts_waiting": { "count": open.count, "more": open.more(), "amount": open.amount },
        "held_commissions": { "count": held.count, "more": held.more() },
        "tasks": { "count": tasks.count, "more": tasks.more() },
        "low_stock": low.map(|o| json!({ "id": o.product.id, "name": o.product.name, "available": o.available })).collect::<Vec<_>>(),
        "as_of": days.iter().map(|d| d.as_of).max().max(app.store.job_runs(aggregate::JOB).await?.and_then(|r| r.value.as_of)),
    })))
}

pub fn sales(s: &ShopSums) -> Value {
    json!({ "orders": s.placed, "paid_orders": s.paid, "revenue": s.revenue, "discount": s.discount, "refunded": s.refunded })
}
