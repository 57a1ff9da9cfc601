//! Makes due commissions available: in transactions of one affiliate's commissions, one ledger entry each.

use super::{App, Problem, ROUNDS, metrics::Metric};
use crate::{
    domain::{
        commission::Commission,
        ids::AffiliateId,
        money::Rupiah,
        time::Timestamp,
        wallet::{Cause, Wallet},
    },
    store::{
        entity::Stored,
        keys::{self, Key, SHARDS},
        transaction::{Commit, MAX_WRITES, Transaction},
    },
};
use std::collections::BTreeMap;

/// Commissions of one transaction: the wallet and the ledger entry need two writes, one is kept free.
const PER_TRANSACTION: usize = MAX_WRITES - 3;
/// Pages of the due index that one run reads in a shard.
const PAGES: u32 = 20;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Matured {
    pub commissions: u32,
    pub amount: Rupiah,
    /// Affiliates whose turn went wrong; the others are done.
    pub failed: u32,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// Matures what is due at `now`. Safe to run twice, late, or to be cut off anywhere.
pub async fn mature(app: &App, now: Timestamp) -> Result<Matured, Problem> {
    let mut total = Matured::default();
    for shard in 0..SHARDS {
        let mut after = None;
        for page in 0..=PAGES {
            if page == PAGES {
                total.more = true;
                break;
            }
            let due = app.store.maturing(shard, now, after).await?;
            let mut by_affiliate: BTreeMap<AffiliateId, Vec<Key>> = BTreeMap::new();
            for key in due.items {
                if let Some(affiliate) = keys::affiliate_of(&key) {
                    by_affiliate.entry(affiliate).or_default().push(key);
                }
            }
            for (affiliate, commissions) in by_affiliate {
                for some in commissions.chunks(PER_TRANSACTION) {
                    match mature_some(app, affiliate, some, now).await {
                        Ok((count, amount)) => {
                            total.commissions += count;
                            total.amount = total.amount.plus(amount)?;
                        }
                        Err(problem) => {
                            tracing::error!(%affiliate, cause = problem.cause(), "commissions not matured in this run");
                            total.failed += 1;
                        }
                    }
                }
            }
            after = due.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(total)
}

/// What a run would make available.
pub async fn due(app: &App, now: Timestamp) -> Result<Matured, Problem> {
    let mut total = Matured::default();
    for shard in 0..SHARDS {
        let mut after = None;
        for _ in 0..PAGES {
            let page = app.store.maturing(shard, now, after).await?;
            for commission in app.store.behind::<Commission>(page.items).await?.iter().filter(|c| c.value.is_due(now)) {
                total.commissions += 1;
                total.amount = total.amount.plus(commission.value.remaining())?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        total.more |= after.is_some();
    }
    Ok(total)
}

async fn mature_some(app: &App, affiliate: AffiliateId, commissions: &[Key], now: Timestamp) -> Result<(u32, Rupiah), Problem> {
    for _ in 0..ROUNDS {
        let wallet_key = keys::wallet(affiliate);
        let wanted = commissions.iter().cloned().chain([wallet_key.clone()]);
        let mut found = app.store.get_many(wanted).await?;
        let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
        let mut due: Vec<Stored<Commission>> = Vec::new();
        for key in commissions {
            // The index may be stale: only what is due by the item itself.
            due.extend(found.take::<Commission>(key)?.filter(|c| c.value.is_due(now)));
        }
        if due.is_empty() {
            return Ok((0, Rupiah::ZERO));
        }
        let amount = Rupiah::sum(due.iter().map(|c| c.value.remaining()))?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        // Decided as of `now`, written down when it is done: the ledger's times never go back.
        let written = now.max(app.clock.now());
        let (after, entry) = wallet.value.clone().post(Cause::Matured { commissions: count }, amount, written)?;
        let mut tx = Transaction::new();
        let mut covered_by = wallet.value.balance.matured()?;
        for commission in &due {
            covered_by = covered_by.plus(commission.value.remaining())?;
            tx.save(commission, &commission.value.clone().matured(now, covered_by)?, ());
        }
        tx.save(&wallet, &after, ()).create(&entry, ());
        if let Commit::Done = app.store.commit(tx).await? {
            Metric::CommissionsMatured.add(i64::from(count));
            return Ok((count, amount));
        }
    }
    Err(Problem::unavailable("maturation kept colliding"))
}
