//! Requests a payout, and decides on it.

use super::{
    App, Code, FieldError, Problem, ROUNDS,
    audit::{self, Reviewer},
    metrics::Metric,
    transfers::UNSETTLED_SECONDS,
};
use crate::{
    domain::{
        affiliate::PayoutAccount,
        departure::LeavePolicy,
        identity::Session,
        ids::{AdminId, AffiliateId, PayoutId, SessionId},
        job::{Subject, Task},
        money::Rupiah,
        outbox::{OutboxItem, Work},
        payout::{Decided, Decider, Decision, Evidence, Payout, PayoutStatus, Refusal, obstacles},
        settings::Settings,
        staff::Admin,
        time::Timestamp,
        wallet::{Cause, Wallet},
    },
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// Reserves `amount`, or everything, for transfer. Of simultaneous requests exactly one wins.
///
/// The session is checked in the same read as the money: one round trip to read, one to write.
pub async fn request_payout(
    app: &App,
    affiliate: AffiliateId,
    session: SessionId,
    amount: Option<Rupiah>,
    key: Option<&str>,
) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let id = match key {
            Some(key) => PayoutId::named(&[&affiliate.to_string(), key]),
            None => PayoutId::fresh(now, &app.entropy),
        };
        let (session_key, payout_key) = (keys::session(&affiliate.to_string(), session), keys::payout(id));
        let (wallet_key, bank_key) = (keys::wallet(affiliate), keys::payout_account(affiliate));
        let wanted = [session_key.clone(), payout_key.clone(), wallet_key.clone(), bank_key.clone(), keys::settings()];
        let mut found = app.store.get_many(wanted).await?;
        if found.take::<Session>(&session_key)?.is_none_or(|s| s.value.expires_at <= now) {
            return Err(Problem::new(Code::NotLoggedIn));
        }
        if let Some(before) = found.take::<Payout>(&payout_key)? {
            let same = before.value.affiliate == affiliate && before.value.asked == amount;
            return if same { Ok(before.value) } else { Err(Problem::new(Code::IdempotencyMismatch)) };
        }
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        let wallet: Stored<Wallet> =
            found.take(&wallet_key)?.ok_or_else(|| Problem::new(Code::NotEligible).detail("the application has not been approved"))?;
        let bank = found.take::<PayoutAccount>(&bank_key)?;
        let gross = amount.unwrap_or(wallet.value.balance.available);
        let why_not = obstacles(&wallet.value, gross, &settings, now.day());
        let (true, Some(bank)) = (why_not.is_empty(), bank) else { return Err(not_eligible(&why_not)) };
        let (payout, after, entry) = Payout::request(id, wallet.value.clone(), bank.value, gross, amount, &settings, now)?;
        if wallet.value.bank.map(|b| b.version) != Some(payout.account_version) {
            // The two items were read while the account was changing.
            continue;
        }
        let mut tx = Transaction::new();
        tx.create(&payout, ()).save(&wallet, &after, ()).create(&entry, ());
        if let Commit::Done = app.store.commit(tx).await? {
            Metric::PayoutsRequested.one();
            return Ok(payout);
        }
    }
    Err(Problem::busy("the request kept colliding"))
}

fn not_eligible(why: &[crate::domain::payout::NotEligible]) -> Problem {
    let code = |reason| serde_json::to_value(reason).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let errors = why.iter().map(|r| FieldError { field: code(r), code: "not_eligible", message: r.to_string() }).collect();
    Problem { errors, ..Problem::new(Code::NotEligible) }
}

/// Everything that a decision about a payout rests on.
pub(super) struct PayoutRead {
    pub payout: Stored<Payout>,
    pub wallet: Stored<Wallet>,
    settings: Settings,
    staff: Vec<Admin>,
    now: Timestamp,
}

impl PayoutRead {
    /// Reads a payout with its wallet and the settings, and the colleagues of whom the decision asks how long they are here.
    pub async fn of(app: &App, id: PayoutId, people: impl Fn(&Payout) -> Vec<AdminId>) -> Result<Self, Problem> {
        let now = app.clock.now();
        let payout = app.store.payout(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
        let wallet_key = keys::wallet(payout.value.affiliate);
        let staff_keys: Vec<_> = people(&payout.value).iter().map(|id| keys::profile(&id.to_string())).collect();
        let mut found = app.store.get_many([wallet_key.clone(), keys::settings()].into_iter().chain(staff_keys.clone())).await?;
        let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        let mut staff = Vec::new();
        for key in &staff_keys {
            staff.extend(found.take::<Admin>(key)?.map(|a| a.value));
        }
        Ok(Self { payout, wallet, settings, staff, now })
    }

    pub fn policy(&self) -> LeavePolicy<'_> {
        LeavePolicy { settings: &self.settings, staff: &self.staff, now: self.now }
    }
}

/// Agrees, as a second person, that a payout may leave. Twice is once.
pub async fn approve(app: &App, by: Reviewer, id: PayoutId) -> Result<Payout, Problem> {
    for _ in 0..ROUNDS {
        let read = PayoutRead::of(app, id, |p| [Some(by.admin), p.processed_by].into_iter().flatten().collect()).await?;
        let before = &read.payout.value;
        if before.approval.is_some_and(|a| a.by == by.admin) {
            return Ok(before.clone());
        }
        let approved = before.clone().approved(by.admin, &read.policy())?;
        let mut tx = Transaction::new();
        tx.save(&read.payout, &approved, ());
        tx.create(&audit::entry(app, by, "payout.approve", &id.to_string(), before.status.as_str(), approved.gross), ());
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(approved);
        }
    }
    Err(Problem::busy("the payout kept changing"))
}

/// A row of a table for the bank.
#[derive(Debug, Clone)]
pub struct ExportedRow {
    pub payout: Payout,
    /// When it was first in an earlier table.
    pub exported_before: Option<Timestamp>,
}

/// A table for the bank.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    pub rows: Vec<ExportedRow>,
    /// In processing, and not in the table: why each may not leave now.
    pub left_out: Vec<(PayoutId, Refusal)>,
    /// There are more than one table holds.
    pub more: bool,
}

/// Pages of open payouts that are looked through for one table.
const EXPORT_PAGES: usize = 100;
/// How many of those left out are named.
const NAMED: usize = 20;

/// Puts the payouts in processing into a table for the bank, which makes the transfers: each under the guard of money that
/// leaves. Those that were in no table yet come first.
pub async fn export(app: &App, by: Reviewer, most: usize) -> Result<Exported, Problem> {
    for _ in 0..ROUNDS {
        if let Some(table) = export_once(app, by, most).await? {
            return Ok(table);
        }
    }
    Err(Problem::busy("the payouts of the table kept changing"))
}

/// One try; nothing if somebody else wrote in between.
async fn export_once(app: &App, by: Reviewer, most: usize) -> Result<Option<Exported>, Problem> {
    let now = app.clock.now();
    let mut waiting = Vec::new();
    let mut after = None;
    for _ in 0..EXPORT_PAGES {
        let by_hand = |p: &Payout| p.status == PayoutStatus::Processing && p.transfer.is_none();
        let (page, next) = app.store.open_payouts(by_hand, 100, after).await?.shown();
        waiting.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    let mut table = Exported { more: after.is_some(), ..Exported::default() };
    waiting.sort_by_key(|p| (p.value.exported_at, p.value.requested_at));
    let settings = app.store.settings().await?;
    let policy = LeavePolicy { settings: &settings, staff: &[], now };
    let mut tx = Transaction::new();
    for some in waiting.chunks(most) {
        let wallets: Vec<_> = some.iter().map(|p| keys::wallet(p.value.affiliate)).collect();
        let mut found = app.store.get_many(wallets).await?;
        for read in some {
            if table.rows.len() >= most {
                table.more = true;
                break;
            }
            // An affiliate has one open payout, so each wallet is taken once.
            let Ok(Some(wallet)) = found.take::<Wallet>(&keys::wallet(read.value.affiliate)) else {
                tracing::error!(payout = %read.value.id, "a payout whose wallet cannot be read is left out of the bank's table");
                continue;
            };
            match read.value.clone().exported(wallet.value.clone(), by.admin, &policy) {
                Ok((payout, after)) => {
                    tx.save(read, &payout, ()).save(&wallet, &after, ());
                    table.rows.push(ExportedRow { payout, exported_before: read.value.exported_at });
                }
                Err(refusal) if table.left_out.len() < NAMED => table.left_out.push((read.value.id, refusal)),
                Err(_) => {}
            }
        }
    }
    let said = format!("{} rows, {} left out", table.rows.len(), table.left_out.len());
    tx.create(&audit::entry(app, by, "payouts.export", "processing", "", said), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(Some(table)),
        Commit::Lost(_) => Ok(None),
    }
}

/// Applies an admin's decision. Repeating one that already stands gives the same answer.
pub async fn decide_payout(app: &App, by: Reviewer, id: PayoutId, decision: Decision) -> Result<Payout, Problem> {
    apply(app, by, Decider::Admin(by.admin), id, &decision).await
}

/// Applies what `decider` says, in the name of `by`.
pub(super) async fn apply(app: &App, by: Reviewer, decider: Decider, id: PayoutId, decision: &Decision) -> Result<Payout, Problem> {
    // Whoever says that a transfer left, failed or came back has to be known here for a day.
    let asks_for_standing = decider != Decider::Gateway
        && matches!(decision, Decision::Fail { .. } | Decision::Reverse { .. } | Decision::Pay { evidence: Evidence::HasLeft, .. });
    for _ in 0..ROUNDS {
        let read = PayoutRead::of(app, id, |_| if asks_for_standing { vec![by.admin] } else { Vec::new() }).await?;
        let before = &read.payout.value;
        if already(before, decision, by) {
            return Ok(before.clone());
        }
        let unguarded = before.obstacle(&read.wallet.value, &read.policy()).is_some();
        let Decided { payout, wallet: after, entry } = before.clone().decide(read.wallet.value.clone(), decision.clone(), decider, &read.policy())?;
        let mail = (payout.status != PayoutStatus::Processing)
            .then(|| OutboxItem::new(Work::MailPayout { affiliate: payout.affiliate, payout: id }, read.now));
        let mut tx = Transaction::new();
        tx.save(&read.payout, &payout, ());
        match &entry {
            Some(entry) => tx.save(&read.wallet, &after, ()).create(entry, ()),
            None if after != read.wallet.value => tx.save(&read.wallet, &after, ()),
            // Nothing moves, but the decision rests on the wallet as it was read.
            None => tx.unchanged(&read.wallet, ()),
        };
        if let Some(mail) = &mail {
            tx.put_same(mail);
        }
        let late = matches!(entry.as_ref().map(|e| &e.cause), Some(Cause::PayoutPaidAfterRelease { .. }));
        let task = if late {
            let said = format!("the transfer was made, though the payout is {} here", before.status);
            Some(Subject::MoneyContradiction { about: id.to_string(), said })
        } else {
            let left = matches!(decision, Decision::Pay { .. }) && decider != Decider::Gateway && before.exported_at.is_none();
            (left && unguarded).then_some(Subject::PayoutNotApproved { payout: id })
        };
        if let Some(subject) = &task {
            tx.put_same(&Task::new(subject.clone(), read.now));
        }
        if let Some(transfer) = &before.transfer
            && read.now.since(transfer.at) >= UNSETTLED_SECONDS
        {
            tx.forget(&keys::task(Task::new(Subject::TransferUnsettled { payout: id }, read.now).id));
        }
        let action = if decider == Decider::Gateway { "payout.settled_by_gateway" } else { "payout.decide" };
        tx.create(&audit::entry(app, by, action, &id.to_string(), before.status.as_str(), outcome(&payout, decision)), ());
        if let Commit::Done = app.store.commit(tx).await? {
            match payout.status {
                PayoutStatus::Paid => Metric::PayoutsPaid.one(),
                PayoutStatus::Failed | PayoutStatus::Reversed => Metric::PayoutAnomalies.one(),
                PayoutStatus::Requested | PayoutStatus::Processing | PayoutStatus::Rejected => {}
            }
            if task.is_some() {
                Metric::MoneyContradictions.one();
            }
            app.queues.hand_on(mail.as_slice()).await;
            return Ok(payout);
        }
    }
    Err(Problem::busy("the decision kept colliding"))
}

/// The audit log's words for a decision: the status, with the evidence for it.
fn outcome(payout: &Payout, decision: &Decision) -> String {
    match decision {
        Decision::Pay { reference, evidence } => {
            let evidence = match evidence {
                Evidence::Now => "",
                Evidence::HasLeft => ", the transfer had left",
                Evidence::Table => ", by the bank's table",
            };
            format!("{}: {reference}{evidence}", payout.status)
        }
        Decision::Fail { note, .. } | Decision::Reject { note } | Decision::Reverse { note } => format!("{}: {note}", payout.status),
        Decision::Process => payout.status.to_string(),
    }
}

/// The same person's same decision, come again after a lost answer.
fn already(payout: &Payout, decision: &Decision, by: Reviewer) -> bool {
    payout.decided_by == Some(by.admin)
        && match decision {
            Decision::Process => payout.status == PayoutStatus::Processing,
            Decision::Pay { reference, .. } => payout.status == PayoutStatus::Paid && payout.reference.as_ref() == Some(reference),
            Decision::Fail { .. } => payout.status == PayoutStatus::Failed,
            Decision::Reject { .. } => payout.status == PayoutStatus::Rejected,
            Decision::Reverse { .. } => payout.status == PayoutStatus::Reversed,
        }
}
