//! Many payouts at once: put into processing, exported for the bank, recorded as paid from the same table.

use super::{PAY, id};
use axum::{Json, extract::State, response::Response};
use qutab::{
    app::{App, Problem, audit, audit::Reviewer, payouts},
    domain::{
        Wrong,
        payout::{Decision, PayoutStatus},
        text::TransferReference,
    },
    http::{
        AdminCaller, Form,
        csv::{self, Table},
    },
    store::transaction::{Commit, Transaction},
};
use serde_json::{Value, json};

/// Most payouts of one batch.
const MOST: usize = 50;

/// What is to be done with one of them.
struct Chosen {
    payout: String,
    decision: Result<Decision, Wrong>,
}

/// `{"action": "process", "payouts": [..]}`, or `{"action": "pay", "csv": ".."}` with the exported table and its references
/// filled in. Each payout is decided by itself; repeating a batch changes nothing more.
pub async fn decide_many(State(app): State<App>, caller: AdminCaller, mut form: Form) -> Result<Json<Value>, Problem> {
    let by: Reviewer = caller.may(PAY)?.into();
    let action = form.text("action", |text| match text {
        "process" => Ok(false),
        "pay" => Ok(true),
        _ => Err(Wrong::new("unknown_value", "must be one of process, pay")),
    });
    let chosen = match action {
        Some(false) => form.texts("payouts", 1..=MOST).map(|ids| ids.into_iter().map(process).collect()),
        Some(true) => form.text("csv", from_table),
        None => None,
    };
    form.checked()?;
    let mut results = Vec::new();
    for Chosen { payout, decision } in chosen.unwrap_or_default() {
        results.push(match decide(&app, by, &payout, decision).await {
            Ok(status) => json!({ "id": payout, "status": status }),
            Err(problem) => json!({ "id": payout, "problem": problem.code.as_str(), "detail": problem.detail, "errors": problem.errors }),
        });
    }
    Ok(Json(json!({ "items": results })))
}

async fn decide(app: &App, by: Reviewer, payout: &str, decision: Result<Decision, Wrong>) -> Result<PayoutStatus, Problem> {
    let decision = decision.map_err(|wrong| Problem::field("reference", wrong))?;
    Ok(payouts::decide_payout(app, by, id(payout)?, decision).await?.status)
}

fn process(payout: String) -> Chosen {
    Chosen { payout, decision: Ok(Decision::Process) }
}

/// The rows whose reference was filled in. What was exported may have left: its outcome is recorded.
fn from_table(text: &str) -> Result<Vec<Chosen>, Wrong> {
    let rows = csv::rows(text).ok_or_else(|| Wrong::new("not_a_table", "must be the exported table"))?;
    let filled = rows.into_iter().filter(|r| r.get("reference").is_some_and(|text| !text.trim().is_empty()));
    let chosen: Vec<Chosen> = filled
        .filter_map(|mut row| {
            let reference = TransferReference::parse(&row.remove("reference")?);
            Some(Chosen { payout: row.remove("payout_id")?, decision: reference.map(|reference| Decision::Pay { reference, has_left: true }) })
        })
        .collect();
    if (1..=MOST).contains(&chosen.len()) { Ok(chosen) } else { Err(Wrong::new("bad_length", format!("needs 1 to {MOST} rows with a reference"))) }
}

/// The payouts in processing, oldest first, as the bank wants them: whole account numbers, and a column for the references.
/// Who is in the table is the bank's from then on; what the gateway transfers is not in it. That it was taken is in the
/// audit log.
pub async fn export(State(app): State<App>, caller: AdminCaller) -> Result<Response, Problem> {
    let by: Reviewer = caller.may(PAY)?.into();
    let (found, _more) = app.store.open_payouts(|p| p.status == PayoutStatus::Processing, MOST, None).await?.shown();
    let mut table = Table::new(&["payout_id", "bank_code", "bank_name", "account_number", "holder_name", "amount", "requested_at", "reference"]);
    let now = app.clock.now();
    let mut tx = Transaction::new();
    let mut rows = 0;
    for read in &found {
        let Some(payout) = read.value.clone().exported(now) else { continue };
        if payout != read.value {
            tx.save(read, &payout, ());
        }
        rows += 1;
        let account = &payout.account;
        table.row([
            payout.id.to_string(),
            account.bank_code.clone(),
            account.bank_name().to_owned(),
            account.number.clone(),
            account.holder.to_string(),
            payout.net.get().to_string(),
            payout.requested_at.to_string(),
            String::new(),
        ]);
    }
    tx.create(&audit::entry(&app, by, "payouts.export", "processing", "", format!("{rows} rows")), ());
    let Commit::Done = app.store.commit(tx).await? else {
        return Err(Problem::conflict("one of them has just changed; export again"));
    };
    table.answer(&format!("qutab-payouts-{}.csv", app.clock.now().day()))
}
