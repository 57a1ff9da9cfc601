//! Counts the days of the affiliates from their raw clicks and ledgers. Safe to run twice, late, or for a past day.

use super::{App, Problem, ROUNDS, shop_days};
use crate::{
    domain::{
        commission::Commission,
        ids::{AffiliateId, OrderId},
        job::Job,
        stats::{COUNTED_DAYS, DailyStats, Sale, StatsTotals, Visits},
        time::{Day, Timestamp},
        wallet::Cause,
    },
    store::{
        Position,
        entity::Click,
        keys::{self, SHARDS},
        transaction::{Commit, Transaction},
    },
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// What the job is known by.
pub const JOB: &str = Job::Aggregation.as_str();
/// Commissions that are read in one round trip.
const BATCH: usize = 100;
/// So long after midnight, and then once an hour, yesterday is counted again: for what came late.
const LATE_SECONDS: i64 = 2 * 3_600;
const ONCE_AN_HOUR: i64 = 300;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Aggregated {
    pub days: usize,
    /// Days of the whole shop.
    pub shop_days: usize,
    /// Days that could not be counted; the others are done.
    pub failed: usize,
}

/// Counts today, and yesterday while something may still come late, of everybody to whom something happened.
pub async fn aggregate(app: &App, now: Timestamp) -> Result<Aggregated, Problem> {
    let seconds = now.since(now.day().begins());
    let mut done = Aggregated::default();
    for day in listed_days(now) {
        let counted = count_listed(app, day, now).await?;
        done.days += counted.days;
        done.failed += counted.failed;
    }
    count_shop(app, now, seconds, &mut done).await?;
    Ok(done)
}

/// On which days' lists a run looks.
fn listed_days(now: Timestamp) -> Vec<Day> {
    let (today, seconds) = (now.day(), now.since(now.day().begins()));
    let yesterday = seconds < LATE_SECONDS || seconds % 3_600 < ONCE_AN_HOUR;
    std::iter::once(today).chain(yesterday.then(|| today.before())).collect()
}

/// How many days a run would count.
pub async fn due(app: &App, now: Timestamp) -> Result<Aggregated, Problem> {
    let mut due =
        Aggregated { shop_days: shop_days::due(app, now, now.since(now.day().begins()) < ONCE_AN_HOUR).await?.len(), ..Aggregated::default() };
    for day in listed_days(now) {
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                let page = app.store.active_on(day, shard, after).await?;
                due.days += page.items.len();
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
    }
    Ok(due)
}

/// The shop's own days: what was marked, at night also what may have been missed; once an hour how the affiliates stand.
async fn count_shop(app: &App, now: Timestamp, seconds: i64, done: &mut Aggregated) -> Result<(), Problem> {
    for day in shop_days::due(app, now, seconds < ONCE_AN_HOUR).await? {
        match shop_days::count(app, day, now).await {
            Ok(()) => done.shop_days += 1,
            Err(problem) => {
                tracing::error!(%day, cause = problem.cause(), "a day of the shop was not counted in this run");
                done.failed += 1;
            }
        }
    }
    let stood = app.store.shop_now().await?.1.as_of;
    if stood.is_none_or(|at| now.since(at) >= 3_600) { shop_days::stand(app, now).await } else { Ok(()) }
}

/// Counts the days of everybody to whom something happened, as it was noticed on `listed_on`.
pub async fn count_listed(app: &App, listed_on: Day, now: Timestamp) -> Result<Aggregated, Problem> {
    let mut counted = Aggregated::default();
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let page = app.store.active_on(listed_on, shard, after).await?;
            for active in &page.items {
                match count_day(app, active.value.affiliate, active.value.day, now).await {
                    Ok(()) => counted.days += 1,
                    Err(problem) => {
                        tracing::error!(affiliate = %active.value.affiliate, cause = problem.cause(), "a day was not counted in this run");
                        counted.failed += 1;
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(counted)
}

/// Counts one day of one affiliate, and lets the totals follow. A count that is younger than `now` stays.
pub async fn count_day(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<(), Problem> {
    if day.days_until(now.day()) > COUNTED_DAYS {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        let (day_key, totals_key) = (keys::daily_stats(affiliate, day), keys::stats_totals(affiliate));
        let mut found = app.store.get_many([day_key.clone(), totals_key.clone()]).await?;
        let (before, totals) = (found.take::<DailyStats>(&day_key)?, found.take::<StatsTotals>(&totals_key)?);
        if before.as_ref().is_some_and(|b| b.value.as_of >= now) {
            return Ok(());
        }
        let mut visits = visits_of(app, affiliate, day, now).await?;
        let busy = visits.take_busy();
        let leads = leads_of(app, affiliate, day, now).await?;
        let counts = visits.with(leads, &sales_of(app, affiliate, day, now).await?)?;
        let stats = DailyStats { affiliate, day, counts, busy, as_of: now };
        let old = before.as_ref().map(|b| b.value.counts).unwrap_or_default();
        let mut tx = Transaction::new();
        match &before {
            Some(before) => tx.save(before, &stats, ()),
            None => tx.create(&stats, ()),
        };
        match &totals {
            Some(totals) if counts != old => {
                let sum = totals.value.counts.exchanged(&old, &counts)?;
                tx.save(totals, &StatsTotals { affiliate, counts: sum }, ())
            }
            Some(_) => &mut tx,
            None => tx.create(&StatsTotals { affiliate, counts }, ()),
        };
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("counting a day kept colliding"))
}

/// The clicks of a shard, a page at a time.
struct Lane {
    shard: u8,
    page: VecDeque<Click>,
    after: Option<Position>,
    ended: bool,
}

impl Lane {
    /// The next click; it is the oldest of the shard that was not taken yet.
    async fn next(&mut self, app: &App, affiliate: AffiliateId, day: Day) -> Result<Option<&Click>, Problem> {
        while self.page.is_empty() && !self.ended {
            let page = app.store.clicks(affiliate, day, self.shard, self.after.take()).await?;
            self.page.extend(page.items.into_iter().map(|c| c.value));
            self.ended = page.next.is_none();
            self.after = page.next;
        }
        Ok(self.page.front())
    }
}

/// Counts a day's clicks in the order of their times: of each shard one page is held, and never the day.
async fn visits_of(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<Visits, Problem> {
    let mut lanes: Vec<Lane> = (0..SHARDS).map(|shard| Lane { shard, page: VecDeque::new(), after: None, ended: false }).collect();
    let (mut visits, mut waiting) = (Visits::default(), BinaryHeap::new());
    for (at, lane) in lanes.iter_mut().enumerate() {
        waiting.extend(lane.next(app, affiliate, day).await?.map(|c| Reverse((c.at, c.id, at))));
    }
    while let Some(Reverse((.., at))) = waiting.pop() {
        let Some(lane) = lanes.get_mut(at) else { continue };
        if let Some(click) = lane.page.pop_front().filter(|c| c.at <= now) {
            visits.add(click.at, click.visitor, click.looker);
        }
        waiting.extend(lane.next(app, affiliate, day).await?.map(|c| Reverse((c.at, c.id, at))));
    }
    Ok(visits)
}

/// How many orders were placed on a day through the affiliate.
async fn leads_of(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<u64, Problem> {
    let (mut leads, mut after) = (0, None);
    loop {
        let page = app.store.referrals_on(affiliate, day, after).await?;
        leads += page.items.iter().filter(|l| l.value.placed_at <= now).count() as u64;
        after = page.next;
        if after.is_none() {
            return Ok(leads);
        }
    }
}

/// What was paid on a day and noticed up to `now`: from the end of the ledger backwards, as far as the day's beginning.
async fn sales_of(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<Vec<Sale>, Problem> {
    let mut sold: Vec<(Timestamp, OrderId)> = Vec::new();
    let mut after = None;
    loop {
        let page = app.store.ledger(affiliate, 100, after).await?;
        for entry in page.items.iter().map(|e| &e.value).filter(|e| e.at <= now) {
            if let Cause::Earned { order, placed_at, paid_at } = entry.cause
                && paid_at.day() == day
            {
                sold.push((placed_at, order));
            }
        }
        let past = page.items.last().is_some_and(|e| e.value.at.day() < day);
        after = page.next;
        if after.is_none() || past {
            break;
        }
    }
    let mut sales = Vec::with_capacity(sold.len());
    for some in sold.chunks(BATCH) {
        let keys: Vec<_> = some.iter().map(|(placed_at, order)| keys::commission(affiliate, *placed_at, *order)).collect();
        let mut found = app.store.get_many(keys.clone()).await?;
        for key in &keys {
            sales.extend(found.take::<Commission>(key)?.map(|c| Sale { revenue: c.value.basis, earned: c.value.amount }));
        }
    }
    Ok(sales)
}
