//! Orders are found, seen whole, and exported.

use super::{
    id,
    view::{self, refund_view},
};
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use qutab::{
    app::{
        App, Code, Problem, audit,
        find_orders::{self, Sought},
    },
    domain::{
        Wrong,
        ids::AffiliateId,
        order::{Order, OrderStatus},
        staff::Permission,
    },
    http::{AdminCaller, PageQuery, csv::Table, page::Listed},
    store::transaction::Transaction,
};
use serde_json::{Value, json};

/// Days that are looked through when nothing else is said.
const USUAL_DAYS: u16 = 30;
/// Longest range of days.
const MOST_DAYS: i64 = 366;
/// Most orders of one export.
const MOST_ROWS: usize = 5_000;

fn sought(app: &App, page: &PageQuery) -> Result<Sought, Problem> {
    let usual = page.days(app.clock.now().day(), USUAL_DAYS, MOST_DAYS)?;
    let days = (page.filter("from").is_some() || page.filter("to").is_some()).then_some(usual);
    let status = page.filter("status").map(OrderStatus::parse).transpose().map_err(|w| Problem::field("status", w))?;
    let unknown = || Problem::field("affiliate", Wrong::new("unknown_value", "is no affiliate's id"));
    let affiliate = page.filter("affiliate").map(|a| AffiliateId::parse(a).ok_or_else(unknown)).transpose()?;
    Ok(Sought { status, days, usual, affiliate, words: page.filter("q").map(str::to_owned) })
}

/// By status, days, affiliate, and `q`: an order's number, a customer's address, or words of the order.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let found = find_orders::find(&app, &sought(&app, &page)?, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|o| view::order(&app, &o)))))
}

/// With refunds, payment attempts, money that paid nothing, what the gateway told, and what a refund now would be.
pub async fn one(State(app): State<App>, caller: AdminCaller, Path(order): Path<String>) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let order = app.store.order(id(&order)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    let (refunds, attempts) = (app.store.refunds(order.id).await?, app.store.attempts(order.id).await?);
    let (receipts, notices) = (app.store.receipts(order.id).await?, app.store.notices(order.id).await?);
    let settings = app.store.settings().await?;
    let customer = app.store.customer(order.customer).await?.map(|c| c.value);
    let mut body = view::order(&app, &order);
    body["customer"] = json!(customer.map(|c| json!({ "id": c.id, "name": c.name, "email": c.email, "phone": c.phone })));
    body["refunds"] = refunds.iter().map(|r| refund_view(&r.value)).collect();
    body["payment_attempts"] = attempts
        .iter()
        .map(|a| json!({ "number": a.value.number, "amount": a.value.amount, "created_at": a.value.created_at, "invoice": a.value.invoice.as_ref().map(|i| &i.id) }))
        .collect();
    body["receipts"] = receipts
        .iter()
        .map(|r| json!({ "invoice": r.value.paid.invoice, "amount": r.value.paid.amount, "currency": r.value.currency, "why": r.value.why, "at": r.value.recorded_at }))
        .collect();
    body["webhooks"] = notices.iter().map(|n| json!({ "invoice": n.invoice, "said": n.said, "at": n.at })).collect();
    body["proposed_refund"] = json!(order.proposed_refund(&settings, app.clock.now())?);
    Ok(Json(body))
}

/// The same list as a table, whole. It holds names: that it was taken is in the audit log.
pub async fn export(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Response, Problem> {
    let caller = caller.may(Permission::ReadAudit)?;
    let sought = sought(&app, &page)?;
    let (from, to) = sought.usual;
    let sought = Sought { days: Some(sought.usual), ..sought };
    let mut table = Table::new(&[
        "number",
        "status",
        "placed_at",
        "items",
        "recipient",
        "location",
        "subtotal",
        "discount",
        "total",
        "paid_at",
        "paid",
        "method",
        "refunded",
        "affiliate",
    ]);
    let (mut rows, mut after) = (0, None);
    loop {
        let (found, next) = find_orders::find(&app, &sought, 100, after).await?.shown();
        rows += found.len();
        if rows > MOST_ROWS {
            return Err(Problem::new(Code::TooLarge).detail(format!("more than {MOST_ROWS} orders: ask for a shorter time")));
        }
        for order in &found {
            table.row(cells(order));
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let range = format!("{from} to {to}");
    let mut tx = Transaction::new();
    tx.create(&audit::entry(&app, caller.into(), "orders.export", &range, "", format!("{rows} rows")), ());
    app.store.commit(tx).await?;
    table.answer(&format!("qutab-orders-{from}-{to}.csv"))
}

fn cells(o: &Order) -> [String; 14] {
    let paid = o.paid.as_ref();
    [
        o.number.to_string(),
        o.status.to_string(),
        o.placed_at.to_string(),
        o.in_words(),
        o.recipient.name.to_string(),
        o.recipient.location.to_string(),
        o.subtotal.get().to_string(),
        o.coupon.as_ref().map_or(0, |c| c.discount.get()).to_string(),
        o.total.get().to_string(),
        paid.map(|p| p.at.to_string()).unwrap_or_default(),
        paid.map_or(0, |p| p.amount.get()).to_string(),
        paid.and_then(|p| p.method).map(|m| m.as_str().to_owned()).unwrap_or_default(),
        o.refunded.get().to_string(),
        o.attribution.as_ref().map(|a| a.code.to_string()).unwrap_or_default(),
    ]
}
