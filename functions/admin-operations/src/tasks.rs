//! What needs a person, until somebody has seen to it.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use qutab::{
    app::{
        App, Code, Problem,
        audit::{self, Reviewer},
    },
    domain::{
        ids::TaskId,
        job::{Job, Subject, Task},
        payout::PayoutStatus,
        refund::RefundStatus,
        staff::Permission,
        text::Note,
    },
    http::{AdminCaller, Form, PageQuery, page::Listed},
    store::{
        keys,
        transaction::{Commit, Transaction},
    },
};
use serde_json::{Value, json};

pub async fn list(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let found = app.store.tasks(page.limit, page.after.clone()).await?;
    let view = |t: &Task| json!({ "id": t.id, "opened_at": t.opened_at, "subject": t.subject });
    Ok(Json(page.answer(found.map(|t| view(&t.value)))))
}

const UNSETTLED: &str = "the gateway has the money and has not said what became of it: this closes once it says so";

/// Seen to: what was done is said, and stays in the audit log.
pub async fn close(State(app): State<App>, caller: AdminCaller, Path(task): Path<String>, mut form: Form) -> Result<StatusCode, Problem> {
    let by: Reviewer = caller.may(Permission::CloseTasks)?.into();
    let note = form.text("note", Note::parse);
    form.checked()?;
    let Some(note) = note else { return Err(form.problem()) };
    let missing = || Problem::new(Code::NotFound);
    let id = TaskId::parse(&task).ok_or_else(missing)?;
    let read = app.store.get::<Task>(&keys::task(id)).await?.ok_or_else(missing)?;
    let mut tx = Transaction::new();
    match &read.value.subject {
        // Open while its cause is: a task that came after its end is closed like any other.
        Subject::RefundFailed { order, refund } | Subject::ManualRefund { order, refund } => {
            let open = app.store.refund(*order, *refund).await?;
            if open.is_some_and(|r| matches!(r.value.status, RefundStatus::Failed | RefundStatus::Manual)) {
                return Err(Problem::conflict("a customer waits for money: take the refund over or confirm its transfer, which closes this"));
            }
        }
        Subject::RefundUnsettled { order, refund } => {
            if app.store.refund(*order, *refund).await?.is_some_and(|r| r.value.status == RefundStatus::Sent) {
                return Err(Problem::conflict(UNSETTLED));
            }
        }
        Subject::TransferUnsettled { payout } => {
            if app.store.payout(*payout).await?.is_some_and(|p| p.value.status == PayoutStatus::Processing) {
                return Err(Problem::conflict(UNSETTLED));
            }
        }
        Subject::UnmatchedReceipt { order, invoice } => {
            // Money in rupiah goes back through a refund, so that the books know of it.
            let receipt = app.store.receipt(*order, invoice).await?;
            if receipt.is_some_and(|r| r.value.currency == "IDR") {
                return Err(Problem::conflict("a customer waits for money: refund the receipt, which closes this"));
            }
        }
        // Closing it is the decision that what was announced will not come: nobody goes on asking.
        Subject::NoticeNotConfirmed { work, .. } => {
            tx.forget(&keys::outbox(*work));
        }
        Subject::StuckWork { .. }
        | Subject::MailRefused { .. }
        | Subject::LedgerDifference { .. }
        | Subject::OrderDifference { .. }
        | Subject::OddRow { .. }
        | Subject::MoneyContradiction { .. } => {}
        // It tells the others of what these two did.
        Subject::PayoutNotApproved { payout } => {
            if app.store.payout(*payout).await?.is_some_and(|p| [p.value.processed_by, p.value.decided_by].contains(&Some(by.admin))) {
                let why = "somebody else than who processed this payout, and who recorded that it left, looks at it and closes this";
                return Err(Problem::new(Code::NotAllowed).detail(why));
            }
        }
    }
    tx.remove(&read, ()).create(&audit::entry(&app, by, "task.close", &id.to_string(), audit::whole(&read.value.subject), &note), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(StatusCode::NO_CONTENT),
        Commit::Lost(_) => Err(missing()),
    }
}

/// The last recounts of the ledgers.
pub async fn reconciliation(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let runs = app.store.job_runs(Job::Reconciliation.as_str()).await?.map(|r| r.value);
    let report = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
    let last = runs.as_ref().and_then(|r| r.runs.first());
    Ok(Json(json!({ "as_of": runs.as_ref().and_then(|r| r.as_of), "ok": last.map(|r| r.ok), "report": last.map(|r| report(&r.report)) })))
}
