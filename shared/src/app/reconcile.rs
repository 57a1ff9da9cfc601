//! Recounts the ledgers: each wallet must be the sum of its entries, without a gap. A difference opens a task.

use super::{App, Problem, audit, metrics::Metric};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        ids::AffiliateId,
        job::{Checkpoint, Subject, Task},
        time::Timestamp,
        wallet::{Balance, LedgerEntry},
    },
    store::entity::Stored,
};

/// Most affiliates of one status in one run.
const MOST: usize = 10_000;
/// A wallet that keeps moving is looked at again this often.
const LOOKS: u32 = 3;

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reconciled {
    pub wallets: usize,
    pub entries: u64,
    /// Affiliates whose wallet is not the sum of their ledger.
    pub differences: Vec<AffiliateId>,
    /// Affiliates whose ledger could not be read; the others are done.
    pub failed: usize,
}

/// How a run goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recount {
    /// From the checkpoints.
    Onward,
    /// From the beginning.
    Full,
    /// From the beginning, and nothing is written: neither checkpoints nor tasks.
    Dry,
}

/// Recounts every wallet.
pub async fn reconcile(app: &App, now: Timestamp, how: Recount) -> Result<Reconciled, Problem> {
    let mut result = Reconciled::default();
    for status in [AffiliateStatus::Approved, AffiliateStatus::Suspended] {
        let mut after = None;
        let mut seen = 0;
        loop {
            let page = app.store.applications(status, |_| true, 100, after).await?;
            seen += page.items.len();
            for affiliate in page.items {
                let id = affiliate.value.id;
                if let Err(problem) = recount(app, id, now, how, &mut result).await {
                    tracing::error!(affiliate = %id, cause = problem.cause(), "a ledger was not recounted in this run");
                    result.failed += 1;
                }
            }
            after = page.next;
            if after.is_none() || seen >= MOST {
                break;
            }
        }
    }
    Ok(result)
}

async fn recount(app: &App, id: AffiliateId, now: Timestamp, how: Recount, result: &mut Reconciled) -> Result<(), Problem> {
    let mut agrees = false;
    for _ in 0..LOOKS {
        let Some(wallet) = app.store.wallet(id).await? else { return Ok(()) };
        let checkpoint = app.store.checkpoint(id).await?;
        let start = checkpoint.as_ref().filter(|_| how == Recount::Onward).map_or((0, Balance::default()), |c| (c.value.entries, c.value.balance));
        // Entries after the checkpoint are new to the audit log.
        let noted = if how == Recount::Dry { u64::MAX } else { checkpoint.as_ref().map_or(0, |c| c.value.entries) };
        let (counted, balance) = replay(app, id, start, wallet.value.entries, noted).await?;
        result.entries += counted;
        // The wallet was read before its entries: it cannot be ahead of them.
        agrees = start.0 + counted == wallet.value.entries && balance == wallet.value.balance;
        if agrees && how == Recount::Dry {
            break;
        }
        if agrees {
            let point = Checkpoint { affiliate: id, entries: wallet.value.entries, balance, checked_at: now };
            keep(app, checkpoint, point).await?;
            break;
        }
    }
    result.wallets += 1;
    if !agrees {
        tracing::error!(affiliate = %id, "the wallet is not the sum of its ledger");
        Metric::ReconciliationDifferences.one();
        if how != Recount::Dry {
            app.store.append(&Task::new(Subject::LedgerDifference { affiliate: id }, now)).await?;
        }
        result.differences.push(id);
    }
    Ok(())
}

/// The entries after `start` up to `last`, and the balance that they lead to; stops counting at a gap. Those after `noted`
/// are written to the audit log, before the checkpoint says that they were seen.
async fn replay(app: &App, id: AffiliateId, start: (u64, Balance), last: u64, noted: u64) -> Result<(u64, Balance), Problem> {
    let (mut number, mut balance) = start;
    while number < last {
        let page = app.store.ledger_between(id, number + 1, last).await?;
        let entries: Vec<LedgerEntry> = page.items.into_iter().map(|e: Stored<LedgerEntry>| e.value).collect();
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

async fn keep(app: &App, before: Option<Stored<Checkpoint>>, point: Checkpoint) -> Result<(), Problem> {
    match before {
        Some(before) if before.value.entries == point.entries => {}
        Some(before) => {
            app.store.save(&before, &point).await?;
        }
        None => {
            app.store.create(&point).await?;
        }
    }
    Ok(())
}
