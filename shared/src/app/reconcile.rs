//! The nightly check of the books against each other: ledgers, commissions, payouts, orders, refunds, receipts, owed work.
//! A difference opens a task and rings. Each walk goes on where the last run stopped, so everything is looked at in turn.

use super::{
    App, Problem, audit,
    lap::{Ended, Lap, shards},
    metrics::Metric,
    order_books,
};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        commission::CommissionStatus,
        ids::{AffiliateId, OrderId},
        job::{Checkpoint, Subject, Task},
        money::Rupiah,
        order::Order,
        payout::PayoutStatus,
        time::Timestamp,
        wallet::{Balance, LedgerEntry, Wallet},
    },
    store::{Page, entity::Stored, keys},
};
use std::collections::HashMap;

/// The walk through the affiliates.
pub const AFFILIATES: &str = "books-of-affiliates";
pub const ORDERS: &str = "books-of-orders";
const OWED: &str = "books-of-owed-work";
/// How long a run goes on with each of the two long walks; its function may take a quarter of an hour.
pub const SECONDS: i64 = 380;
const OWED_SECONDS: i64 = 60;
/// A wallet that keeps moving is looked at again this often.
const LOOKS: u32 = 3;
/// A ledger is recounted from its beginning when that was so long ago.
const FULL_SECONDS: i64 = 30 * 86_400;
/// In so long everything is to be looked at once; a walk that takes longer fails its runs, so that somebody hears of it.
const WALK_SECONDS: i64 = 7 * 86_400;
/// Owed work that is older is a person's.
const OWED_FOR: i64 = 7 * 86_400;

/// What this check cannot see, in every report: whoever reads "no differences" reads that too.
pub const NOT_LOOKED_AT: &[&str] = &[
    "what the gateway and the bank say: asked for by the work that moves the money, not here",
    "stock: how much there was at the start is not kept",
];

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reconciled {
    pub wallets: usize,
    pub entries: u64,
    pub orders: usize,
    /// Affiliates whose wallet is not the sum of their ledger, or not what their commissions and payouts come to.
    pub differences: Vec<AffiliateId>,
    /// Orders whose payment, refunds, receipts or commission do not agree.
    pub order_differences: Vec<OrderId>,
    /// Owed work older than a week.
    pub old_work: usize,
    /// What could not be looked at in this run.
    pub failed: usize,
    /// Rows that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
    /// Affiliates whose wallet did not stand still while it was looked at; their turn comes again.
    pub moving: Vec<AffiliateId>,
    pub not_looked_at: Vec<&'static str>,
}

impl Reconciled {
    fn and(&mut self, ended: Ended) {
        self.failed += ended.missed.failed;
        self.odd += ended.missed.odd;
        self.more |= ended.more;
    }
}

/// How a run goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recount {
    /// Ledgers from their checkpoints; from the beginning where that was a month ago.
    Onward,
    /// Ledgers from the beginning.
    Full,
    /// Everything from the beginning, and nothing is written: neither checkpoints nor tasks.
    Dry,
}

/// Looks at as much of the books as one run can, from where the last one stopped.
pub async fn reconcile(app: &App, now: Timestamp, how: Recount) -> Result<Reconciled, Problem> {
    let mut result = Reconciled { not_looked_at: NOT_LOOKED_AT.to_vec(), ..Reconciled::default() };
    old_work(app, now, how, &mut result).await?;
    affiliates(app, now, how, &mut result).await?;
    orders(app, now, how, &mut result).await?;
    Ok(result)
}

async fn walk<'a, L: std::fmt::Display + Clone>(app: &'a App, name: &str, lists: Vec<L>, how: Recount, seconds: i64) -> Result<Lap<'a, L>, Problem> {
    if how == Recount::Dry { Ok(Lap::dry(app, lists, seconds)) } else { Ok(Lap::go_on(app, name, lists, seconds).await?.noting()) }
}

/// Ends a walk; one that has gone on for more than a week counts as failed.
async fn ended<L: std::fmt::Display + Clone>(lap: Lap<'_, L>, now: Timestamp, result: &mut Reconciled) -> Result<(), Problem> {
    let late = !lap.is_over() && lap.begun_at().is_some_and(|at| now.since(at) > WALK_SECONDS);
    result.and(lap.end(now).await?);
    if late {
        tracing::error!("a walk through the books has taken more than a week");
        result.failed += 1;
    }
    Ok(())
}

async fn old_work(app: &App, now: Timestamp, how: Recount, result: &mut Reconciled) -> Result<(), Problem> {
    let mut lap = walk(app, OWED, shards(), how, OWED_SECONDS).await?;
    while let Some((shard, after)) = lap.go() {
        for item in lap.turn(app.store.owed(shard, after).await).await? {
            if now.since(item.value.created_at) > OWED_FOR {
                result.old_work += 1;
                if !lap.is_dry() {
                    app.store.create(&Task::new(Subject::StuckWork { work: item.value.work.described() }, now)).await?;
                }
            }
        }
    }
    ended(lap, now, result).await
}

async fn affiliates(app: &App, now: Timestamp, how: Recount, result: &mut Reconciled) -> Result<(), Problem> {
    let mut lap = walk(app, AFFILIATES, vec![AffiliateStatus::Approved, AffiliateStatus::Suspended], how, SECONDS).await?;
    while let Some((status, after)) = lap.go() {
        for affiliate in lap.turn(app.store.affiliates_who_are(status, after).await).await? {
            let id = affiliate.value.id;
            if let Err(problem) = check(app, id, now, how, result).await {
                tracing::error!(affiliate = %id, cause = problem.cause(), "an affiliate's books were not looked at in this run");
                lap.missed(problem).await;
            }
        }
    }
    ended(lap, now, result).await
}

async fn orders(app: &App, now: Timestamp, how: Recount, result: &mut Reconciled) -> Result<(), Problem> {
    let days = order_books::days(app, now).await?;
    let mut lap = walk(app, ORDERS, days, how, SECONDS).await?;
    while let Some((day, after)) = lap.go() {
        for numbered in lap.turn(app.store.orders_on(day, after).await).await? {
            let id = numbered.value.order;
            match order_books::disagreement(app, id, now).await {
                Ok(None) => {}
                Ok(Some(what)) => {
                    tracing::error!(order = %id, what, "the books of an order do not agree");
                    result.order_differences.push(id);
                    told(app, Subject::OrderDifference { order: id }, now, how).await?;
                }
                Err(problem) => {
                    tracing::error!(order = %id, cause = problem.cause(), "an order was not looked at in this run");
                    lap.missed(problem).await;
                }
            }
            result.orders += 1;
        }
    }
    ended(lap, now, result).await
}

/// A difference rings, and a person finds what it is about.
async fn told(app: &App, subject: Subject, now: Timestamp, how: Recount) -> Result<(), Problem> {
    if how != Recount::Dry {
        Metric::ReconciliationDifferences.one();
        app.store.create(&Task::new(subject, now)).await?;
    }
    Ok(())
}

/// What an affiliate's books came to.
enum Verdict {
    Agree(Checkpoint),
    Differ(&'static str),
}

async fn check(app: &App, id: AffiliateId, now: Timestamp, how: Recount, result: &mut Reconciled) -> Result<(), Problem> {
    let mut last = None;
    for _ in 0..LOOKS {
        let Some(wallet) = app.store.wallet(id).await? else { return Ok(()) };
        let checkpoint = app.store.checkpoint(id).await?;
        let full = how != Recount::Onward || checkpoint.as_ref().is_none_or(|c| c.value.full_at.is_none_or(|at| now.since(at) >= FULL_SECONDS));
        let start = checkpoint.as_ref().filter(|_| !full).map_or((0, Balance::default()), |c| (c.value.entries, c.value.balance));
        // Entries after the checkpoint are new to the audit log.
        let noted = if how == Recount::Dry { u64::MAX } else { checkpoint.as_ref().map_or(0, |c| c.value.entries) };
        let (counted, balance) = replay(app, id, start, wallet.value.entries, noted).await?;
        result.entries += counted;
        let verdict = if start.0 + counted != wallet.value.entries || balance != wallet.value.balance {
            Verdict::Differ("the wallet is not the sum of its ledger")
        } else if let Some(what) = disagreement(app, &wallet.value).await? {
            Verdict::Differ(what)
        } else {
            let full_at = if full { Some(now) } else { checkpoint.as_ref().and_then(|c| c.value.full_at) };
            Verdict::Agree(Checkpoint { affiliate: id, entries: wallet.value.entries, balance, checked_at: now, full_at })
        };
        if let Verdict::Agree(point) = verdict {
            result.wallets += 1;
            return if how == Recount::Dry { Ok(()) } else { keep(app, checkpoint, point, full).await };
        }
        // What moved meanwhile was not seen as a whole: it is looked at again before anything is said of it.
        let stood = app.store.wallet(id).await?.is_some_and(|w| w.revision == wallet.revision);
        last = Some((verdict, stood));
    }
    result.wallets += 1;
    if let Some((Verdict::Differ(what), true)) = last {
        tracing::error!(affiliate = %id, what, "the books of an affiliate do not agree");
        result.differences.push(id);
        return told(app, Subject::LedgerDifference { affiliate: id }, now, how).await;
    }
    result.moving.push(id);
    Ok(())
}

/// Whether the four accounts are what the commissions and the payouts come to.
async fn disagreement(app: &App, wallet: &Wallet) -> Result<Option<&'static str>, Problem> {
    let (mut pending, mut all, mut after) = (Rupiah::ZERO, Rupiah::ZERO, None);
    loop {
        let (commissions, next) = app.store.commissions(wallet.affiliate, |_| true, 100, after).await?.whole()?;
        let (orders, _all) =
            app.store.behind::<Order>(Page::new(commissions.iter().map(|c| keys::order(c.value.order)).collect(), None)).await?.whole()?;
        let orders: HashMap<OrderId, Order> = orders.into_iter().map(|o| (o.value.id, o.value)).collect();
        for commission in commissions.into_iter().map(|c| c.value) {
            let of = orders.get(&commission.order).filter(|o| o.paid.is_some()).and_then(|o| o.attribution.as_ref());
            if of.is_none_or(|a| a.affiliate != commission.affiliate) {
                return Ok(Some("a commission whose order is not paid, or not the affiliate's"));
            }
            if commission.voided > commission.amount {
                return Ok(Some("a commission of which more was taken back than was earned"));
            }
            if commission.matured_at.is_some_and(|at| commission.due_at.is_none_or(|due| at < due)) {
                return Ok(Some("a commission that matured before it was due"));
            }
            all = all.plus(commission.remaining())?;
            if matches!(commission.status, CommissionStatus::Pending | CommissionStatus::Held) {
                pending = pending.plus(commission.remaining())?;
            }
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let b = &wallet.balance;
    let sum = Rupiah::sum([b.pending, b.available, b.reserved, b.paid_out])?;
    let open = match wallet.open_payout {
        Some(id) => app.store.payout(id).await?.map(|p| p.value).filter(|p| p.status.is_open()),
        None => None,
    };
    Ok(if pending != b.pending {
        Some("pending is not what the pending commissions have left")
    } else if all != sum {
        Some("the accounts are not what all commissions have left")
    } else if open.is_some() != wallet.open_payout.is_some() || open.map_or(Rupiah::ZERO, |p| p.gross) != b.reserved {
        Some("reserved is not the open payout")
    } else if paid_out(app, wallet.affiliate).await? != b.paid_out {
        Some("paid out is not the sum of the paid payouts")
    } else {
        None
    })
}

async fn paid_out(app: &App, id: AffiliateId) -> Result<Rupiah, Problem> {
    let (mut sum, mut after) = (Rupiah::ZERO, None);
    loop {
        let (payouts, next) = app.store.payouts(id, 100, after).await?.whole()?;
        let paid = payouts.iter().filter(|p| p.value.status == PayoutStatus::Paid);
        sum = paid.map(|p| p.value.gross).try_fold(sum, Rupiah::plus)?;
        after = next;
        if after.is_none() {
            return Ok(sum);
        }
    }
}

/// The entries after `start` up to `last`, and the balance that they lead to; stops counting at a gap. Those after `noted`
/// are written to the audit log, before the checkpoint says that they were seen.
async fn replay(app: &App, id: AffiliateId, start: (u64, Balance), last: u64, noted: u64) -> Result<(u64, Balance), Problem> {
    let (mut number, mut balance) = start;
    while number < last {
        let entries = app.store.ledger_between(id, number + 1, last).await?;
        let entries: Vec<LedgerEntry> = entries.into_iter().map(|e| e.value).collect();
        let contiguous = entries.iter().enumerate().all(|(at, e)| e.number == number + 1 + at as u64);
        if entries.is_empty() || !contiguous {
            break;
        }
        for entry in &entries {
            let after = balance.replay([entry])?;
            if entry.number > noted {
                app.store.append(&audit::movement(entry, &balance, &after)).await?;
            }
            balance = after;
        }
        number += entries.len() as u64;
    }
    Ok((number - start.0, balance))
}

async fn keep(app: &App, before: Option<Stored<Checkpoint>>, point: Checkpoint, full: bool) -> Result<(), Problem> {
    match before {
        Some(before) if before.value.entries == point.entries && !full => {}
        Some(before) => {
            app.store.save(&before, &point).await?;
        }
        None => {
            app.store.create(&point).await?;
        }
    }
    Ok(())
}
