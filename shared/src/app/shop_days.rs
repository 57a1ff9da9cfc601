//! Counts the days of the whole shop, from the orders that were placed on them. Safe to run twice, late, or for past days.

use super::{
    App, Problem, ROUNDS,
    aggregate::Aggregated,
    lap::{self, Ended, Lap, Missed},
};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        catalog::Category,
        commission::Commission,
        ids::ProductId,
        job::Place,
        order::Order,
        shop_stats::{ShopDay, ShopMark, ShopSums, ShopTotals, Standings},
        time::{Day, Timestamp},
        wallet::{Balance, Wallet},
    },
    store::{
        Page, StoreError,
        entity::Corrupt,
        keys,
        transaction::{Commit, Transaction},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Marks are kept for sixty days: the night's run counts what every run since the last whole night has missed.
const KEPT_DAYS: u16 = 60;
/// Days that the night's run counts again in any case, and how far back it looks for orders whose way is not over.
const NIGHTLY_DAYS: u16 = 35;
const LONGEST_WAY: u16 = 366;
/// When the night's run begins, from midnight on.
const NIGHT_SECONDS: i64 = 300;
/// How long a run goes on with each of its walks.
const SECONDS: i64 = 40;

/// Days that this process has marked as to be counted again, and when.
#[derive(Debug, Clone, Default)]
pub struct Marked(Arc<Mutex<HashMap<Day, Day>>>);

/// An order is about to change: the day on which it was placed is to be counted again. Marked before the change, so that a
/// crash between the two leaves a count too many and none too few; once a day for each process, so that it costs next to
/// nothing.
pub async fn mark(app: &App, order: &Order) -> Result<(), Problem> {
    let (day, today) = (order.placed_at.day(), app.clock.now().day());
    let marked = || app.marked.0.lock().unwrap_or_else(PoisonError::into_inner);
    if marked().get(&day) == Some(&today) {
        return Ok(());
    }
    let mark = ShopMark { listed_on: today, day, expires_at: app.clock.now().plus_days(KEPT_DAYS) };
    app.store.append(&mark).await?;
    marked().insert(day, today);
    Ok(())
}

/// The walks of the aggregation through the shop's days, and through the affiliates' standings.
const MARKED: &str = "shop-days";
const NIGHTLY: &str = "shop-days-nightly";
const STANDINGS: &str = "standings";

/// The days of today's marks, and whether the night's run is due: it is until it has come to its end, however late.
async fn marked_and_night(app: &App, now: Timestamp) -> Result<(Vec<Day>, Option<Place>), Problem> {
    let night = lap::place(app, NIGHTLY).await?;
    let begins = now.since(now.day().begins()) < NIGHT_SECONDS;
    let unfinished = night.begun_at.is_some() || night.whole_as_of.is_some_and(|at| at.day() < now.day());
    Ok((app.store.shop_marks(now.day()).await?, (begins || unfinished).then_some(night)))
}

/// The days that the night's run counts: the marks since the night before the last whole one, the last weeks, and all days that
/// are not over.
async fn nights_days(app: &App, now: Timestamp, night: &Place) -> Result<Vec<Day>, Problem> {
    let today = now.day();
    let since = night.whole_as_of.map(|at| at.day().minus(2));
    let mut days = Vec::new();
    for marked_on in (1..=KEPT_DAYS).map(|back| today.minus(back)).take_while(|day| since.is_none_or(|since| *day >= since)) {
        days.extend(app.store.shop_marks(marked_on).await?);
    }
    days.extend((0..NIGHTLY_DAYS).map(|back| today.minus(back)));
    let open = app.store.shop_days(today.minus(LONGEST_WAY), today).await?.into_iter().filter(|d| d.sums.open() > 0);
    days.extend(open.map(|d| d.day));
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// The days that are due at `now`.
pub async fn due(app: &App, now: Timestamp) -> Result<Vec<Day>, Problem> {
    let (mut days, night) = marked_and_night(app, now).await?;
    if let Some(night) = &night {
        days.extend(nights_days(app, now, night).await?);
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Counts the shop's days that are due, and once an hour how the affiliates stand. A run that had no time for all of it
/// leaves the rest to the next.
pub async fn count_due(app: &App, now: Timestamp, done: &mut Aggregated) -> Result<(), Problem> {
    let (marked, night) = marked_and_night(app, now).await?;
    let mut laps = vec![Lap::go_on(app, MARKED, marked, SECONDS).await?];
    if let Some(place) = night {
        let days = nights_days(app, now, &place).await?;
        laps.push(Lap::from(app, place, days, SECONDS).noting());
    }
    for mut lap in laps {
        while let Some((day, _)) = lap.go() {
            for day in lap.turn(Ok(Page::new(vec![day], None))).await? {
                match count(app, day, now, &mut lap.missed).await {
                    Ok(()) => done.shop_days += 1,
                    Err(problem) => {
                        tracing::error!(%day, cause = problem.cause(), "a day of the shop was not counted in this run");
                        lap.missed(problem).await;
                    }
                }
            }
        }
        done.and(lap.end(now).await?);
    }
    let stood = app.store.shop_now().await?.1.as_of;
    if stood.is_none_or(|at| now.since(at) >= 3_600) {
        done.and(stand(app, now).await?);
    }
    Ok(())
}

/// Counts one day and lets the totals follow. A count that is younger than `now` stays.
pub async fn count(app: &App, day: Day, now: Timestamp, missed: &mut Missed) -> Result<(), Problem> {
    for round in 0..ROUNDS {
        let (day_key, totals_key) = (keys::shop_day(day), keys::shop_totals());
        let mut found = app.store.get_many([day_key.clone(), totals_key.clone()]).await?;
        let (before, totals) = (found.take::<ShopDay>(&day_key)?, found.take::<ShopTotals>(&totals_key)?);
        if before.as_ref().is_some_and(|b| b.value.as_of >= now) {
            return Ok(());
        }
        let (counted, odd) = recount(app, day, now).await?;
        if round == 0 {
            missed.odd(app, odd).await;
        }
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

/// The day as its orders are now, without those that this version cannot read.
async fn recount(app: &App, day: Day, now: Timestamp) -> Result<(ShopDay, Vec<Corrupt>), Problem> {
    let mut categories: HashMap<ProductId, Category> = HashMap::new();
    let (mut counted, mut odd, mut after) = (ShopDay::empty(day, now), Vec::new(), None);
    loop {
        let numbered = app.store.orders_on(day, after).await?.map(|n| keys::order(n.value.order));
        let (keys, mut unread, next) = numbered.apart();
        let (orders, mut unreadable, _all) = app.store.behind::<Order>(Page::new(keys, None)).await?.apart();
        odd.append(&mut unread);
        odd.append(&mut unreadable);
        // A day without orders, as most of a night's are out of season, needs no catalogue.
        if categories.is_empty() && !orders.is_empty() {
            categories = app.store.catalogue().await?.into_iter().map(|o| (o.product.id, o.product.category)).collect();
        }
        let of = |o: &Order| o.attribution.as_ref().filter(|_| o.paid.is_some()).map(|a| keys::commission(a.affiliate, o.placed_at, o.id));
        let mut earned = app.store.get_many(orders.iter().filter_map(|o| of(&o.value))).await?;
        for order in orders.into_iter().map(|o| o.value) {
            let commission = match of(&order).map(|key| earned.take::<Commission>(&key)).transpose() {
                Ok(found) => found.flatten().map(|c| c.value),
                Err(StoreError::Corrupt(corrupt)) => {
                    odd.push(corrupt);
                    None
                }
                Err(error) => return Err(error.into()),
            };
            counted.add(&order, commission.as_ref(), |id| categories.get(&id).copied())?;
        }
        after = next;
        if after.is_none() {
            return Ok((counted.bounded()?, odd));
        }
    }
}

/// Adds up how the affiliates stand: as many reads as there are affiliates, so once an hour, over several runs if need be.
async fn stand(app: &App, now: Timestamp) -> Result<Ended, Problem> {
    let mut lap = Lap::go_on(app, STANDINGS, AffiliateStatus::ALL.to_vec(), SECONDS).await?;
    let mut standings: Standings = lap.carried().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    while let Some((status, after)) = lap.go() {
        let affiliates = lap.turn(app.store.affiliates_who_are(status, after).await).await?;
        *standings.affiliates.entry(status.as_str().into()).or_default() += affiliates.len() as u64;
        let keys = affiliates.iter().map(|a| keys::wallet(a.value.id)).collect();
        let (wallets, odd, _all) = app.store.behind::<Wallet>(Page::new(keys, None)).await?.apart();
        lap.missed.odd(app, odd).await;
        standings.balance = wallets.iter().try_fold(standings.balance, |sum: Balance, w| sum.plus(&w.value.balance))?;
        lap.carry(serde_json::to_string(&standings).unwrap_or_default());
    }
    if lap.is_over() {
        app.store.append(&Standings { as_of: Some(now), ..standings }).await?;
    }
    lap.end(now).await
}
