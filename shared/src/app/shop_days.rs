//! Counts the days of the whole shop, from the orders that were placed on them. Safe to run twice, late, or for past days.

use super::{App, Problem, ROUNDS};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        catalog::Category,
        commission::Commission,
        ids::ProductId,
        order::Order,
        shop_stats::{ShopDay, ShopMark, ShopSums, ShopTotals, Standings},
        time::{Day, Timestamp},
        wallet::{Balance, Wallet},
    },
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Marks are kept for two days: the night's run counts what a day's runs have missed.
const KEPT_DAYS: u16 = 2;
/// Days that the night's run counts again in any case, and how far back it looks for orders whose way is not over.
const NIGHTLY_DAYS: u16 = 35;
const LONGEST_WAY: u16 = 366;

/// Days that this process has marked as to be counted again, and when.
#[derive(Debug, Clone, Default)]
pub struct Marked(Arc<Mutex<HashMap<Day, Day>>>);

/// An order has changed: the day on which it was placed is to be counted again. Written once a day for each process, so
/// that it costs next to nothing; what is lost here is found by the night's run.
pub async fn mark(app: &App, order: &Order) {
    let (day, today) = (order.placed_at.day(), app.clock.now().day());
    let marked = || app.marked.0.lock().unwrap_or_else(PoisonError::into_inner);
    if marked().get(&day) == Some(&today) {
        return;
    }
    let mark = ShopMark { listed_on: today, day, expires_at: app.clock.now().plus_days(KEPT_DAYS) };
    match app.store.append(&mark).await {
        Ok(()) => {
            marked().insert(day, today);
        }
        Err(error) => tracing::warn!(%error, "a day waits for the night to be counted"),
    }
}

/// The days that are due at `now`: those of today's marks, and at night also the last weeks and all that are not over.
pub async fn due(app: &App, now: Timestamp, nightly: bool) -> Result<Vec<Day>, Problem> {
    let today = now.day();
    let mut days = app.store.shop_marks(today).await?;
    if nightly {
        days.extend(app.store.shop_marks(today.before()).await?);
        days.extend((0..NIGHTLY_DAYS).map(|back| today.minus(back)));
        let open = app.store.shop_days(today.minus(LONGEST_WAY), today).await?.into_iter().filter(|d| d.sums.open() > 0);
        days.extend(open.map(|d| d.day));
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Counts one day and lets the totals follow. A count that is younger than `now` stays.
pub async fn count(app: &App, day: Day, now: Timestamp) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let (day_key, totals_key) = (keys::shop_day(day), keys::shop_totals());
        let mut found = app.store.get_many([day_key.clone(), totals_key.clone()]).await?;
        let (before, totals) = (found.take::<ShopDay>(&day_key)?, found.take::<ShopTotals>(&totals_key)?);
        if before.as_ref().is_some_and(|b| b.value.as_of >= now) {
            return Ok(());
        }
        let counted = recount(app, day, now).await?;
        if before.is_none() && counted.sums == ShopSums::default() {
            return Ok(());
        }
        let old = before.as_ref().map(|b| b.value.sums.clone()).unwrap_or_default();
        let mut tx = Transaction::new();
        match &before {
            Some(before) => tx.save(before, &counted, ()),
            None => tx.create(&counted, ()),
        };
        match &totals {
            Some(totals) => tx.save(totals, &ShopTotals { sums: totals.value.sums.clone().exchanged(&old, &counted.sums)? }, ()),
            None => tx.create(&ShopTotals { sums: counted.sums.clone() }, ()),
        };
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("counting a day kept colliding"))
}

async fn recount(app: &App, day: Day, now: Timestamp) -> Result<ShopDay, Problem> {
    let categories: HashMap<ProductId, Category> = app.store.catalogue().await?.into_iter().map(|o| (o.product.id, o.product.category)).collect();
    let (mut counted, mut after) = (ShopDay::empty(day, now), None);
    loop {
        let page = app.store.orders_on(day, after).await?;
        let orders: Vec<Stored<Order>> = app.store.behind(page.items.iter().map(|n| keys::order(n.value.order)).collect()).await?;
        let of = |o: &Order| o.attribution.as_ref().filter(|_| o.paid.is_some()).map(|a| keys::commission(a.affiliate, o.placed_at, o.id));
        let mut earned = app.store.get_many(orders.iter().filter_map(|o| of(&o.value))).await?;
        for order in orders.into_iter().map(|o| o.value) {
            let commission = of(&order).map(|key| earned.take::<Commission>(&key)).transpose()?.flatten().map(|c| c.value);
            counted.add(&order, commission.as_ref(), |id| categories.get(&id).copied())?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(counted);
        }
    }
}

/// Adds up how the affiliates stand: as many reads as there are affiliates, so once an hour.
pub async fn stand(app: &App, now: Timestamp) -> Result<(), Problem> {
    let mut standings = Standings { as_of: Some(now), ..Standings::default() };
    for status in AffiliateStatus::ALL {
        let mut after = None;
        loop {
            let page = app.store.applications(*status, |_| true, 100, after).await?;
            *standings.affiliates.entry(status.as_str().into()).or_default() += page.items.len() as u64;
            let wallets: Vec<Stored<Wallet>> = app.store.behind(page.items.iter().map(|a| keys::wallet(a.value.id)).collect()).await?;
            standings.balance = wallets.iter().try_fold(standings.balance, |sum: Balance, w| sum.plus(&w.value.balance))?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(app.store.append(&standings).await?)
}
