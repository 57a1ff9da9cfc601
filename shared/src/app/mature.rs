//! Makes due commissions available: in transactions of one affiliate's commissions, one ledger entry each.

use super::{
    App, Problem, ROUNDS,
    lap::{Lap, Missed, shards},
    metrics::Metric,
};
use crate::{
    domain::{
        commission::Commission,
        ids::AffiliateId,
        money::Rupiah,
        time::Timestamp,
        wallet::{Cause, Wallet},
    },
    store::{
        StoreError,
        entity::Stored,
        keys::{self, Key},
        transaction::{Commit, MAX_WRITES, Transaction},
    },
};
use std::collections::BTreeMap;

/// Commissions of one transaction: the wallet and the ledger entry need two writes, one is kept free.
const PER_TRANSACTION: usize = MAX_WRITES - 3;
/// How long a run goes on; its function may take five minutes.
const SECONDS: i64 = 240;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Matured {
    pub commissions: u32,
    pub amount: Rupiah,
    /// Affiliates whose turn went wrong; the others are done.
    pub failed: usize,
    /// Commissions or wallets that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// Matures what is due at `now`. Safe to run twice, late, or to be cut off anywhere.
pub async fn mature(app: &App, now: Timestamp) -> Result<Matured, Problem> {
    let mut total = Matured::default();
    let mut lap = Lap::go_on(app, "maturation", shards(), SECONDS).await?;
    while let Some((shard, after)) = lap.go() {
        let mut by_affiliate: BTreeMap<AffiliateId, Vec<Key>> = BTreeMap::new();
        for key in lap.turn(app.store.maturing(shard, now, after).await).await? {
            if let Some(affiliate) = keys::affiliate_of(&key) {
                by_affiliate.entry(affiliate).or_default().push(key);
            }
        }
        for (affiliate, commissions) in by_affiliate {
            for some in commissions.chunks(PER_TRANSACTION) {
                match mature_some(app, affiliate, some, now, &mut lap.missed).await {
                    Ok((count, amount)) => {
                        total.commissions += count;
                        total.amount = total.amount.plus(amount)?;
                    }
                    Err(problem) => {
                        tracing::error!(%affiliate, cause = problem.cause(), "commissions not matured in this run");
                        lap.missed(problem).await;
                    }
                }
            }
        }
    }
    let ended = lap.end(now).await?;
    Ok(Matured { failed: ended.missed.failed, odd: ended.missed.odd, more: ended.more, ..total })
}

/// What a run would make available.
pub async fn due(app: &App, now: Timestamp) -> Result<Matured, Problem> {
    let mut total = Matured::default();
    let mut lap = Lap::dry(app, shards(), SECONDS);
    while let Some((shard, after)) = lap.go() {
        let keys = app.store.maturing(shard, now, after).await?;
        for commission in lap.turn(app.store.behind::<Commission>(keys).await).await?.iter().filter(|c| c.value.is_due(now)) {
            total.commissions += 1;
            total.amount = total.amount.plus(commission.value.remaining())?;
        }
    }
    let ended = lap.end(now).await?;
    Ok(Matured { odd: ended.missed.odd, more: ended.more, ..total })
}

/// An odd commission is set apart, and the others of its affiliate mature without it.
async fn mature_some(app: &App, affiliate: AffiliateId, commissions: &[Key], now: Timestamp, missed: &mut Missed) -> Result<(u32, Rupiah), Problem> {
    for round in 0..ROUNDS {
        let wallet_key = keys::wallet(affiliate);
        let wanted = commissions.iter().cloned().chain([wallet_key.clone()]);
        let mut found = app.store.get_many(wanted).await?;
        let wallet: Stored<Wallet> = found.take(&wallet_key)?.ok_or_else(|| Problem::internal("an affiliate without a wallet"))?;
        let mut due: Vec<Stored<Commission>> = Vec::new();
        for key in commissions {
            // The index may be stale: only what is due by the item itself.
            match found.take::<Commission>(key) {
                Ok(read) => due.extend(read.filter(|c| c.value.is_due(now))),
                Err(StoreError::Corrupt(corrupt)) if round == 0 => missed.odd(app, vec![corrupt]).await,
                Err(StoreError::Corrupt(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if due.is_empty() {
            return Ok((0, Rupiah::ZERO));
        }
        let amount = Rupiah::sum(due.iter().map(|c| c.value.remaining()))?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        // Decided as of `now`, written down when it is done.
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
