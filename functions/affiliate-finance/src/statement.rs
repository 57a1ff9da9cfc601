//! The statement of a month: what the balance was, every entry, and what it came to; as JSON or as CSV.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::header;
use qutab::{
    app::{App, Problem, statement},
    domain::{
        Wrong,
        ids::AffiliateId,
        time::Day,
        wallet::{Account, Balance, LedgerEntry},
    },
};
use serde_json::json;
use std::fmt::Write;

pub async fn of_month(app: &App, id: AffiliateId, month: &str, format: Option<&str>) -> Result<Response, Problem> {
    let wrong = || Problem::field("month", Wrong::new("bad_month", "must be YYYY-MM"));
    let first = Some(month).filter(|m| m.len() == 7).and_then(|m| Day::parse(&format!("{m}-01"))).ok_or_else(wrong)?;
    let statement = statement::of_month(app, id, first).await?;
    match format {
        None | Some("json") => Ok(Json(json!({
            "month": month,
            "opening": statement.opening,
            "entries": statement.entries.iter().map(|e| json!({ "number": e.number, "at": e.at, "cause": e.cause, "legs": e.legs })).collect::<Vec<_>>(),
            "closing": statement.closing,
        }))
        .into_response()),
        Some("csv") => {
            let name = format!("attachment; filename=\"qutab-{month}.csv\"");
            let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
            Ok((headers, csv(&statement.opening, &statement.entries)?).into_response())
        }
        Some(_) => Err(Problem::field("format", Wrong::new("unknown_value", "must be one of json, csv"))),
    }
}

/// A line for the opening balance, then one for each entry with what it moved and the balances after it. Every cell is a
/// number, a time or a name of ours: none can be a formula.
fn csv(opening: &Balance, entries: &[LedgerEntry]) -> Result<String, Problem> {
    let mut text =
        String::from("number,at,cause,pending_change,available_change,reserved_change,paid_out_change,pending,available,reserved,paid_out\r\n");
    let balances = |b: &Balance| format!("{},{},{},{}", b.pending.get(), b.available.get(), b.reserved.get(), b.paid_out.get());
    let _ = write!(text, ",,opening,,,,,{}\r\n", balances(opening));
    let mut balance = *opening;
    for entry in entries {
        balance = balance.replay([entry])?;
        let of = |account: Account| entry.legs.iter().find(|l| l.account == account).map_or(0, |l| l.amount.get());
        let changes = [Account::Pending, Account::Available, Account::Reserved, Account::PaidOut].map(|a| of(a).to_string()).join(",");
        let _ = write!(text, "{},{},{},{changes},{}\r\n", entry.number, entry.at, entry.cause.name(), balances(&balance));
    }
    Ok(text)
}
