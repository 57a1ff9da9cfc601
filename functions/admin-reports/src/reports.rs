//! Reports over a range of days of Jakarta, by the day on which orders were placed; as JSON, or as a table.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use qutab::{
    app::{App, Problem},
    domain::{
        Wrong,
        affiliate::Affiliate,
        money::Overflow,
        shop_stats::{Earnings, ShopDay, ShopSums, Sold, affiliate_named},
        staff::Permission,
        time::Day,
    },
    http::{AdminCaller, PageQuery, csv::Table},
    store::{Page, keys},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

const USUAL_DAYS: u16 = 30;
const MOST_DAYS: i64 = 366;

/// What is asked for: the days, and by what they are grouped.
struct Asked {
    from: Day,
    to: Day,
    group_by: String,
    as_table: bool,
    days: Vec<ShopDay>,
}

async fn asked(app: &App, caller: AdminCaller, query: &PageQuery, groups: &[&str]) -> Result<Asked, Problem> {
    caller.may(Permission::Read)?;
    let (from, to) = query.days(app.clock.now().day(), USUAL_DAYS, MOST_DAYS)?;
    let group_by = query.filter("group_by").or_else(|| groups.first().copied()).unwrap_or_default().to_owned();
    if !groups.contains(&group_by.as_str()) {
        return Err(Problem::field("group_by", Wrong::new("unknown_value", format!("must be one of {}", groups.join(", ")))));
    }
    let as_table = match query.filter("format").unwrap_or("json") {
        "json" => false,
        "csv" => true,
        _ => return Err(Problem::field("format", Wrong::new("unknown_value", "must be one of json, csv"))),
    };
    Ok(Asked { from, to, group_by, as_table, days: app.store.shop_days(from, to).await? })
}

/// The first day of the stretch that a day belongs to.
fn stretch(day: Day, group_by: &str) -> String {
    match group_by {
        "week" => day.monday().to_string(),
        "month" => day.to_string().get(..7).unwrap_or_default().to_owned(),
        _ => day.to_string(),
    }
}

/// Rows with a label and named numbers, as they were asked for.
fn answer(asked: &Asked, name: &str, columns: &[&str], rows: Vec<(Vec<String>, Vec<i64>)>) -> Result<Response, Problem> {
    if asked.as_table {
        let mut table = Table::new(columns);
        for (labels, numbers) in rows {
            table.row(labels.into_iter().chain(numbers.iter().map(i64::to_string)));
        }
        return table.answer(&format!("qutab-{name}-{}-{}.csv", asked.from, asked.to));
    }
    let row = |(labels, numbers): (Vec<String>, Vec<i64>)| -> Value {
        let cells = labels.into_iter().map(Value::from).chain(numbers.into_iter().map(Value::from));
        columns.iter().map(|c| (*c).to_owned()).zip(cells).collect::<serde_json::Map<_, _>>().into()
    };
    let items: Vec<Value> = rows.into_iter().map(row).collect();
    let as_of = asked.days.iter().map(|d| d.as_of).max();
    Ok(Json(json!({ "from": asked.from, "to": asked.to, "group_by": asked.group_by, "items": items, "as_of": as_of })).into_response())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// By day, week (its Monday), month, product, category, location or affiliate.
pub async fn sales(State(app): State<App>, caller: AdminCaller, query: PageQuery) -> Result<Response, Problem> {
    let asked = asked(&app, caller, &query, &["day", "week", "month", "product", "category", "location", "affiliate"]).await?;
    match asked.group_by.as_str() {
        "product" => by_product(&app, &asked, "sales").await,
        "affiliate" => by_affiliate(&app, &asked, "sales").await,
        "category" => sold(&asked, "sales", "category", |d| &d.categories),
        "location" => sold(&asked, "sales", "location", |d| &d.locations),
        group => {
            let mut sums: BTreeMap<String, ShopSums> = BTreeMap::new();
            for day in &asked.days {
                let sum = sums.entry(stretch(day.day, group)).or_default();
                *sum = std::mem::take(sum).plus(&day.sums)?;
            }
            let rows = sums
                .into_iter()
                .map(|(label, s)| (vec![label], vec![number(s.placed), number(s.paid), s.revenue.get(), s.discount.get(), s.refunded.get()]));
            answer(&asked, "sales", &[group, "orders", "paid_orders", "revenue", "discount", "refunded"], rows.collect())
        }
    }
}

fn sums<'a>(days: &'a [ShopDay], of: impl Fn(&'a ShopDay) -> &'a BTreeMap<String, Sold>) -> Result<BTreeMap<&'a str, Sold>, Overflow> {
    let mut sums: BTreeMap<&str, Sold> = BTreeMap::new();
    for (name, sold) in days.iter().flat_map(of) {
        let sum = sums.entry(name).or_default();
        *sum = sum.plus(sold)?;
    }
    Ok(sums)
}

fn sold(asked: &Asked, name: &str, label: &str, of: impl Fn(&ShopDay) -> &BTreeMap<String, Sold>) -> Result<Response, Problem> {
    let rows = sums(&asked.days, of)?.into_iter().map(|(l, s)| (vec![l.to_owned()], vec![number(s.orders), number(s.units), s.revenue.get()]));
    answer(asked, name, &[label, "orders", "units", "revenue"], rows.collect())
}

async fn by_product(app: &App, asked: &Asked, name: &str) -> Result<Response, Problem> {
    let names: HashMap<String, String> =
        app.store.catalogue().await?.into_iter().map(|o| (o.product.id.to_string(), o.product.name.to_string())).collect();
    let rows = sums(&asked.days, |d| &d.products)?.into_iter().map(|(id, s)| {
        let name = names.get(id).cloned().unwrap_or_default();
        (vec![id.to_owned(), name], vec![number(s.orders), number(s.units), s.revenue.get()])
    });
    answer(asked, name, &["product", "name", "orders", "units", "revenue"], rows.collect())
}

async fn by_affiliate(app: &App, asked: &Asked, name: &str) -> Result<Response, Problem> {
    let mut sums: BTreeMap<&str, Earnings> = BTreeMap::new();
    for (id, earnings) in asked.days.iter().flat_map(|d| &d.affiliates) {
        let sum = sums.entry(id).or_default();
        *sum = sum.plus(earnings)?;
    }
    let ids = sums.keys().filter_map(|id| affiliate_named(id)).map(keys::affiliate).collect();
    let (known, _all) = app.store.behind::<Affiliate>(Page::new(ids, None)).await?.shown();
    let of = |id: &str| known.iter().find(|a| a.value.id.to_string() == id).map(|a| &a.value);
    let rows = sums.into_iter().map(|(id, e)| {
        let affiliate = of(id);
        let name = affiliate.map(|a| format!("{} {}", a.details.first_name, a.details.last_name)).unwrap_or_default();
        let code = affiliate.and_then(|a| a.code.as_ref()).map(ToString::to_string).unwrap_or_default();
        (vec![id.to_owned(), name, code], vec![number(e.orders), e.revenue.get(), e.earned.get(), e.voided.get(), e.held.get()])
    });
    answer(asked, name, &["affiliate", "name", "code", "orders", "revenue", "earned", "voided", "held"], rows.collect())
}

/// By product or by category.
pub async fn products(State(app): State<App>, caller: AdminCaller, query: PageQuery) -> Result<Response, Problem> {
    let asked = asked(&app, caller, &query, &["product", "category"]).await?;
    if asked.group_by == "category" { sold(&asked, "products", "category", |d| &d.categories) } else { by_product(&app, &asked, "products").await }
}

pub async fn affiliates(State(app): State<App>, caller: AdminCaller, query: PageQuery) -> Result<Response, Problem> {
    let asked = asked(&app, caller, &query, &["affiliate"]).await?;
    by_affiliate(&app, &asked, "affiliates").await
}

/// What was earned and taken back, by day, week, month or affiliate.
pub async fn commissions(State(app): State<App>, caller: AdminCaller, query: PageQuery) -> Result<Response, Problem> {
    let asked = asked(&app, caller, &query, &["day", "week", "month", "affiliate"]).await?;
    if asked.group_by == "affiliate" {
        return by_affiliate(&app, &asked, "commissions").await;
    }
    let mut sums: BTreeMap<String, Earnings> = BTreeMap::new();
    for day in &asked.days {
        for earnings in day.affiliates.values() {
            let sum = sums.entry(stretch(day.day, &asked.group_by)).or_default();
            *sum = sum.plus(earnings)?;
        }
    }
    let rows =
        sums.into_iter().map(|(label, e)| (vec![label], vec![number(e.orders), e.revenue.get(), e.earned.get(), e.voided.get(), e.held.get()]));
    answer(&asked, "commissions", &[asked.group_by.as_str(), "orders", "revenue", "earned", "voided", "held"], rows.collect())
}
