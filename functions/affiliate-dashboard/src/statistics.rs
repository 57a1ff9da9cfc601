//! Statistics of a period: totals, and one row for every day, also for days on which nothing happened.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, aggregate},
    domain::{
        Wrong,
        stats::{Counts, Period},
        time::{Day, Timestamp},
    },
    http::{ActiveAffiliate, PageQuery},
};
use serde_json::{Value, json};

pub fn counts(of: &Counts) -> Value {
    json!({
        "clicks": of.clicks,
        "unique_clicks": of.unique_clicks,
        "bots": of.bots,
        "prefetches": of.prefetches,
        "leads": of.leads,
        "conversions": of.sales,
        "conversion_rate": of.conversion_rate(),
        "revenue": of.revenue,
        "commission": of.earned,
    })
}

pub async fn of_period(State(app): State<App>, ActiveAffiliate(caller): ActiveAffiliate, query: PageQuery) -> Result<Json<Value>, Problem> {
    let period = period(&query, app.clock.now())?;
    let days = app.store.stats_of(caller.id, period).await?;
    let run = app.store.job_runs(aggregate::JOB).await?.and_then(|r| r.value.as_of);
    let as_of = days.iter().map(|d| d.as_of).max().max(run);
    let mut sum = Counts::default();
    let mut rows = Vec::new();
    for day in period.days() {
        let counted = days.iter().find(|d| d.day == day).map(|d| d.counts).unwrap_or_default();
        sum = sum.plus(&counted)?;
        let mut row = counts(&counted);
        row["date"] = json!(day);
        rows.push(row);
    }
    Ok(Json(json!({ "start_date": period.from, "end_date": period.to, "totals": counts(&sum), "days": rows, "as_of": as_of })))
}

fn period(query: &PageQuery, now: Timestamp) -> Result<Period, Problem> {
    let day = |name: &str| {
        let parse = |text: &str| Day::parse(text).ok_or_else(|| Problem::field(name, Wrong::new("bad_day", "must be YYYY-MM-DD")));
        query.filter(name).map(parse).transpose()
    };
    let ends = day("start_date")?.zip(day("end_date")?);
    let name = query.filter("period").unwrap_or(if ends.is_some() { "custom" } else { "30days" });
    Period::parse(name, ends, now.day()).map_err(|w| Problem::field("period", w))
}
