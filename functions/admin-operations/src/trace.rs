//! The audit log: read and exported. Nothing in it is ever changed.

use axum::{Json, extract::State, response::Response};
use qutab::{
    app::{
        App, Code, Problem, audit,
        trace::{self, Sought},
    },
    domain::{Wrong, ids::AdminId, staff::Permission},
    http::{AdminCaller, PageQuery, csv::Table, page::Listed},
    store::{entity::AuditEntry, transaction::Transaction},
};
use serde_json::{Value, json};

const READ: Permission = Permission::ReadAudit;
const USUAL_DAYS: u16 = 30;
const MOST_DAYS: i64 = 366;
/// Most lines of one export.
const MOST_ROWS: usize = 5_000;

fn sought(app: &App, page: &PageQuery) -> Result<Sought, Problem> {
    let (from, to) = page.days(app.clock.now().day(), USUAL_DAYS, MOST_DAYS)?;
    let unknown = || Problem::field("admin", Wrong::new("unknown_value", "is nobody's id"));
    let admin = page.filter("admin").map(|a| AdminId::parse(a).ok_or_else(unknown)).transpose()?;
    let text = |name: &str| page.filter(name).map(str::to_owned);
    Ok(Sought { from, to, admin, action: text("action"), subject: text("subject") })
}

/// By days, admin, action and subject; newest first.
pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(READ)?;
    let found = trace::find(&app, &sought(&app, &page)?, page.limit, page.after.clone()).await?;
    Ok(Json(page.answer(found.map(|e| view(&e)))))
}

pub async fn export(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Response, Problem> {
    let by = caller.may(READ)?.into();
    let sought = sought(&app, &page)?;
    let mut table = Table::new(&["at", "admin", "address", "action", "subject", "before", "after"]);
    let (mut rows, mut after) = (0, None);
    loop {
        let (found, next) = trace::find(&app, &sought, 100, after).await?.shown();
        rows += found.len();
        if rows > MOST_ROWS {
            return Err(Problem::new(Code::TooLarge).detail(format!("more than {MOST_ROWS} lines: ask for a shorter time")));
        }
        for e in &found {
            let address = e.address.map(|a| a.to_string()).unwrap_or_default();
            let (before, after) = (e.before.clone().unwrap_or_default(), e.after.clone().unwrap_or_default());
            let admin = e.admin.map(|a| a.to_string()).unwrap_or_default();
            table.row([e.at.to_string(), admin, address, e.action.clone(), e.subject.clone(), before, after]);
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let mut tx = Transaction::new();
    tx.create(&audit::entry(&app, by, "audit.export", &format!("{} to {}", sought.from, sought.to), "", format!("{rows} rows")), ());
    app.store.commit(tx).await?;
    table.answer(&format!("qutab-audit-{}-{}.csv", sought.from, sought.to))
}

fn view(e: &AuditEntry) -> Value {
    let value =
        |text: &Option<String>| text.as_deref().map(|t| serde_json::from_str::<Value>(t).ok().filter(Value::is_object).unwrap_or_else(|| json!(t)));
    json!({
        "id": e.id,
        "at": e.at,
        "admin": e.admin,
        "address": e.address,
        "action": e.action,
        "subject": e.subject,
        "before": value(&e.before),
        "after": value(&e.after),
    })
}
