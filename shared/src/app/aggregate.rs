//! Counts the days of the affiliates from their raw clicks and ledgers. Safe to run twice, late, or for a past day.

use super::{
    App, Problem, ROUNDS,
    lap::{self, Ended, Lap, shards},
    shop_days,
};
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
/// How long a run goes on with the affiliates' days; its function may take five minutes, with the shop's days besides.
const SECONDS: i64 = 150;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Aggregated {
    pub days: usize,
    /// Days of the whole shop.
    pub shop_days: usize,
    /// Days that could not be counted; the others are done.
    pub failed: usize,
    /// Rows that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

impl Aggregated {
    pub(super) const fn and(&mut self, ended: Ended) {
        self.failed += ended.missed.failed;
        self.odd += ended.missed.odd;
        self.more |= ended.more;
    }
}

/// A shard of what was noticed on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noticed {
    on: Day,
    shard: u8,
}

impl std::fmt::Display for Noticed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.on, self.shard)
    }
}

/// Counts what was noticed today, yesterday while something may still come late, and on every day since the last run that
/// came to its end: after an outage no day is left out. The shop's own days come first, for they are few.
pub async fn aggregate(app: &App, now: Timestamp) -> Result<Aggregated, Problem> {
    let mut done = Aggregated::default();
    shop_days::count_due(app, now, &mut done).await?;
    let place = lap::place(app, JOB).await?;
    let lists = listed(now, place.whole_as_of);
    count_listed(app, Lap::from(app, place, lists, SECONDS).noting(), now, &mut done).await?;
    Ok(done)
}

/// On which lists a run looks: today's first.
fn listed(now: Timestamp, whole_as_of: Option<Timestamp>) -> Vec<Noticed> {
    let (today, seconds) = (now.day(), now.since(now.day().begins()));
    let yesterday = seconds < LATE_SECONDS || seconds % 3_600 < ONCE_AN_HOUR;
    let missed = whole_as_of.map_or(0, |at| at.day().days_until(today)).clamp(0, COUNTED_DAYS);
    let back = u16::try_from(missed).unwrap_or(0).max(u16::from(yesterday));
    (0..=back).map(|back| today.minus(back)).flat_map(|on| shards().into_iter().map(move |shard| Noticed { on, shard })).collect()
}

/// How many days a run would count.
pub async fn due(app: &App, now: Timestamp) -> Result<Aggregated, Problem> {
    let mut due = Aggregated { shop_days: shop_days::due(app, now).await?.len(), ..Aggregated::default() };
    let lists = listed(now, lap::place(app, JOB).await?.whole_as_of);
    let mut lap = Lap::dry(app, lists, SECONDS);
    while let Some((Noticed { on, shard }, after)) = lap.go() {
        due.days += lap.turn(app.store.active_on(on, shard, after).await).await?.len();
    }
    due.and(lap.end(now).await?);
    Ok(due)
}

/// Counts the days of everybody to whom something happened.
async fn count_listed(app: &App, mut lap: Lap<'_, Noticed>, now: Timestamp, done: &mut Aggregated) -> Result<(), Problem> {
    while let Some((Noticed { on, shard }, after)) = lap.go() {
        for active in lap.turn(app.store.active_on(on, shard, after).await).await? {
            match count_day(app, active.value.affiliate, active.value.day, now).await {
                Ok(()) => done.days += 1,
                Err(problem) => {
                    tracing::error!(affiliate = %active.value.affiliate, cause = problem.cause(), "a day was not counted in this run");
                    lap.missed(problem).await;
                }
            }
        }
    }
    done.and(lap.end(now).await?);
    Ok(())
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
            // A click that cannot be read is not counted; the day is.
            let (clicks, next) = app.store.clicks(affiliate, day, self.shard, self.after.take()).await?.shown();
            self.page.extend(clicks.into_iter().map(|c| c.value));
            self.ended = next.is_none();
            self.after = next;
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
        let (page, next) = app.store.referrals_on(affiliate, day, after).await?.whole()?;
        leads += page.iter().filter(|l| l.value.placed_at <= now && l.value.flag.is_none()).count() as u64;
        after = next;
        if after.is_none() {
            return Ok(leads);
        }
    }
}

/// So far the times of a ledger's older entries may lie before those of their predecessors.
const OUT_OF_ORDER_SECONDS: i64 = 86_400;

/// What was paid on a day and noticed up to `now`: from the end of the ledger backwards, as far as the day's beginning and
/// a day further, for entries of older versions may stand a little out of their time's order.
async fn sales_of(app: &App, affiliate: AffiliateId, day: Day, now: Timestamp) -> Result<Vec<Sale>, Problem> {
    let mut sold: Vec<(Timestamp, OrderId)> = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = app.store.ledger(affiliate, 100, after).await?.whole()?;
        for entry in page.iter().map(|e| &e.value).filter(|e| e.at <= now) {
            if let Cause::Earned { order, placed_at, paid_at } = entry.cause
                && paid_at.day() == day
            {
                sold.push((placed_at, order));
            }
        }
        let past = page.last().is_some_and(|e| day.begins().since(e.value.at) > OUT_OF_ORDER_SECONDS);
        after = next;
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
